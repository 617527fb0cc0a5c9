/** Runs the figures of the native crate (node/native/src/keygen/figures.rs), which print themselves line by line. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Figure } from "../figure.ts"
import type { Size } from "./size.ts"

const CRATE = join(import.meta.dirname, "..", "..", "node", "native", "Cargo.toml")
const MARK = "figure {"

/** The figure in a line of output; null where there is none. */
export function figureIn(line: string): Figure | null {
  const at = line.indexOf(MARK)
  return at < 0 ? null : (JSON.parse(line.slice(at + MARK.length - 1)) as Figure)
}

/**
 * @param quick a few chunks, and nothing that needs them all
 * @throws Error where the crate does not compile or a party refuses another's work
 */
export async function arithmeticFigures(
  sizes: readonly Size[],
  quick: boolean,
  say: (text: string) => void,
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const cargo = spawn(
    "cargo",
    [
      ...["test", "--release", "--locked", "--manifest-path", CRATE, "keygen::figures"],
      ...["--", "--ignored", "--nocapture", "--test-threads=1"],
    ],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        TWINLOCK_SIZES: sizes.map(({ n, t }) => `${n}/${t}`).join(","),
        TWINLOCK_FIGURES: quick ? "quick" : "all",
      },
    },
  )
  const ended = new Promise<number | null>((resolve, reject) => {
    cargo.once("error", reject)
    cargo.once("close", resolve)
  })
  for await (const line of createInterface({ input: cargo.stdout })) {
    const figure = figureIn(line)
    if (figure === null) say(line)
    else figures.push(figure)
  }
  const code = await ended
  if (code !== 0) throw new Error(`the crate's figures ended with exit code ${code}`)
  if (figures.length === 0) throw new Error("the crate printed no figures")
  return figures
}
