/**
 * Two other verifiers of quotes, development dependencies: the pure JavaScript `@phala/dcap-qvl`, which takes a root,
 * and `@phala/dcap-qvl-web`, Rust compiled to WASM with Intel's root inside. For other roots its copy of the root
 * certificate is replaced in memory, which works for certificates of the same length only.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { QuoteVerifier } from "@phala/dcap-qvl"
import type { AttestationInput } from "./corpus/case.ts"

/** A status, or the message of a refusal. */
export type OtherVerdict =
  | { readonly verdict: "accepted"; readonly status: string }
  | { readonly verdict: "refused"; readonly message: string }

export type OtherVerifier = (input: AttestationInput) => OtherVerdict

type WebModule = {
  readonly initSync: (options: { readonly module: Uint8Array }) => unknown
  readonly js_verify: (quote: Uint8Array, collateral: unknown, now: bigint) => { readonly status: string }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function attempt(verify: () => { readonly status: string }): OtherVerdict {
  try {
    return { verdict: "accepted", status: verify().status }
  } catch (error) {
    return { verdict: "refused", message: messageOf(error) }
  }
}

const wholeQuote = (input: AttestationInput): Uint8Array => {
  if (input.subject.kind !== "quote") throw new Error("other verifiers take whole quotes")
  return input.subject.bytes
}

const require = createRequire(import.meta.url)

/** DER of Intel's root certificate, as both packages carry it. */
export const INTEL_ROOT_CERTIFICATE: Uint8Array = new Uint8Array(
  (require("@phala/dcap-qvl/src/constants.js") as { readonly TRUSTED_ROOT_CA_DER: Buffer })
    .TRUSTED_ROOT_CA_DER,
)

/** @param root DER */
export function javascriptVerifier(root: Uint8Array): OtherVerifier {
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(root))
  return (input) =>
    attempt(() => verifier.verify(Buffer.from(wholeQuote(input)), { ...input.collateral }, input.time))
}

const WEB = require.resolve("@phala/dcap-qvl-web")

/**
 * @param root DER, in place of Intel's
 * @param label names an instance of its own: the module keeps one
 * @returns null where the certificate's length differs from Intel's: the code has a fixed place for it
 */
export async function webVerifier(label: string, root: Uint8Array): Promise<OtherVerifier | null> {
  if (root.length !== INTEL_ROOT_CERTIFICATE.length) return null
  const code = readFileSync(WEB.replace(/\.js$/, "_bg.wasm"))
  const at = code.indexOf(INTEL_ROOT_CERTIFICATE)
  if (at < 0) throw new Error("the package's code does not carry Intel's root certificate")
  code.set(root, at)
  const web = (await import(`${pathToFileURL(WEB).href}?${label}`)) as WebModule
  web.initSync({ module: code })
  return (input) =>
    attempt(() => web.js_verify(wholeQuote(input), { ...input.collateral }, BigInt(input.time)))
}
