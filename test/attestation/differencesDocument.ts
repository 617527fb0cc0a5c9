/** docs/attestation-differences.md: what is written by hand, up to the mark, and the rows after it. */
import { readFileSync } from "node:fs"

export const DOCUMENT: URL = new URL("../../docs/attestation-differences.md", import.meta.url)
const MARK = "<!-- rows: node test/attestation/writeDifferences.ts -->\n\n"

/** Both parts of the document as it stands. @throws Error without the mark */
export function readDocument(): { readonly head: string; readonly rows: string } {
  const text = readFileSync(DOCUMENT, "utf8")
  const at = text.indexOf(MARK)
  if (at < 0) throw new Error(`${DOCUMENT.pathname} has lost its mark`)
  return { head: text.slice(0, at + MARK.length), rows: text.slice(at + MARK.length) }
}

/** Without the rows of the real samples, which not every checkout has. */
export const withoutSamples = (rows: string): string =>
  rows
    .split("\n")
    .filter((row) => !/^\| [^|]*: sample /.test(row))
    .join("\n")
