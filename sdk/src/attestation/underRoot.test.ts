import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  DAY,
  flipped,
  machine,
  NOW,
  options,
  quote,
  verifier,
  verify,
} from "../../../test/support/simulatedQuote.ts"
import type { AttestationErrorCode } from "./errors.ts"
import { evidenceOf } from "./evidence.ts"

test("a quote of the platform is accepted and names machine, status and first expiry", () => {
  const verified = verify(quote())
  expect(verified).toMatchObject({
    version: 4,
    status: "UpToDate",
    advisories: [],
    evaluationNumber: 20,
    expiresAt: NOW + 30 * DAY,
    platform: { ppid: machine.ppid, piid: machine.piid, fmspc: machine.fmspc },
  })
})

test("version 5 is accepted with a TD 1.5 body", () => {
  expect(verify(quote({ version: 5 }))).toMatchObject({ version: 5, report: { kind: "td15" } })
})

test("zero padding of guest agents is cut off, and the padded quote has the same id", () => {
  const bytes = quote()
  const padded = new Uint8Array(5_006)
  padded.set(bytes)
  expect(verify(padded).id).toBe(verify(bytes).id)
})

test("the parts that a contract takes verify like the whole quote", () => {
  const bytes = quote({ reportData: Uint8Array.of(7) })
  const evidence = evidenceOf(bytes)
  expect(verifier.verifyEvidence(evidence, options())).toEqual(verify(bytes))
  expect(evidence.quote.length).toBe(632)
  const otherAuthority = { ...evidence, caId: evidence.caId.replace(/.$/, "0") as typeof evidence.caId }
  expect(codeOf(() => verifier.verifyEvidence(otherAuthority, options()))).toBe("CHAIN_ISSUER")
  const longer = { ...evidence, quote: new Uint8Array([...evidence.quote, 0]) }
  expect(codeOf(() => verifier.verifyEvidence(longer, options()))).toBe("QUOTE_LENGTH")
})

const header: readonly [string, () => Uint8Array, AttestationErrorCode][] = [
  ["a version 3 header", () => quote({ header: { version: 3 } }), "QUOTE_VERSION"],
  ["another attestation key type", () => quote({ header: { attestationKeyType: 3 } }), "QUOTE_KEY_TYPE"],
  ["an SGX quote", () => quote({ header: { teeType: 0 } }), "QUOTE_TEE_TYPE"],
  ["another vendor", () => quote({ header: { qeVendorId: "0x00" } }), "QUOTE_VENDOR"],
  ["a version 5 body of an SGX enclave", () => flipped(quote({ version: 5 }), 48), "QUOTE_BODY_TYPE"],
  ["a cut quote", () => quote().slice(0, 3_000), "QUOTE_LENGTH"],
  ["an empty quote", () => new Uint8Array(0), "QUOTE_LENGTH"],
  ["bytes after the quote", () => new Uint8Array([...quote(), 1]), "QUOTE_TRAILING"],
  ["a huge quote", () => new Uint8Array(20_000), "QUOTE_LENGTH"],
  ["certification data of another type", () => flipped(quote(), 764), "QUOTE_CERTIFICATION_TYPE"],
  ["certificates in another form", () => flipped(quote(), 636 + 128 + 6 + 482), "QUOTE_CERTIFICATION_TYPE"],
  ["text between the certificates", () => flipped(quote(), 636 + 128 + 6 + 488), "PEM_MALFORMED"],
]

test.each(header)("layout: %s is refused", (_, make, code) => {
  expect(codeOf(() => verify(make()))).toBe(code)
})

const reports: readonly [string, () => Uint8Array, AttestationErrorCode][] = [
  ["a QE report with a broken signature", () => flipped(quote(), 636 + 128 + 6 + 384), "QE_REPORT_SIGNATURE"],
  [
    "a QE report that binds another key",
    () => quote({ qe: { reportData: `0x${"11".repeat(32)}` } }),
    "QE_REPORT_BINDING",
  ],
  ["another attestation key", () => flipped(quote(), 636 + 64), "QE_REPORT_BINDING"],
  ["other QE authentication data", () => flipped(quote(), 636 + 128 + 6 + 384 + 64 + 2), "QE_REPORT_BINDING"],
  ["an edited body", () => flipped(quote(), 568), "QUOTE_SIGNATURE"],
  ["another QE signer", () => quote({ qe: { mrSigner: `0x${"22".repeat(32)}` } }), "QE_SIGNER"],
  ["another QE product", () => quote({ qe: { isvProdId: 1 } }), "QE_PRODUCT"],
  ["another QE miscselect", () => quote({ qe: { miscSelect: "0x01000000" } }), "QE_MISC_SELECT"],
  [
    "a QE in debug mode",
    () => quote({ qe: { attributes: "0x1700000000000000e700000000000000" } }),
    "QE_ATTRIBUTES",
  ],
  ["a QE below every level", () => quote({ qe: { isvSvn: 3 } }), "QE_TCB_LEVEL"],
  ["a module that Intel did not sign", () => quote({ mrSignerSeam: "0x01" }), "MODULE_SIGNER"],
  ["a module with attributes", () => quote({ seamAttributes: "0x01" }), "MODULE_ATTRIBUTES"],
  ["a module version without identity", () => quote({ teeTcbSvn: "0x0b0904" }), "MODULE_UNKNOWN"],
  ["a module below every level", () => quote({ teeTcbSvn: "0x010104" }), "MODULE_TCB_LEVEL"],
  ["a TDX component below every level", () => quote({ teeTcbSvn: "0x0b0101" }), "TCB_LEVEL"],
  ["debug mode", () => quote({ tdAttributes: "0x0100001000000000" }), "TD_DEBUG"],
  [
    "reserved attributes of the first byte",
    () => quote({ tdAttributes: "0x0200001000000000" }),
    "TD_RESERVED_ATTRIBUTES",
  ],
  ["a migratable domain", () => quote({ tdAttributes: "0x0000003000000000" }), "TD_RESERVED_ATTRIBUTES"],
  ["SEPT_VE_DISABLE off", () => quote({ tdAttributes: "0x0000000000000000" }), "TD_SEPT_VE"],
  ["a service domain", () => quote({ version: 5, mrServiceTd: "0x01" }), "TD_SERVICE"],
]

test.each(reports)("report: %s is refused", (_, make, code) => {
  expect(codeOf(() => verify(make()))).toBe(code)
})

test("the zero tail of the QE's report data counts", () => {
  const bytes = quote()
  const report = bytes.slice(636 + 134, 636 + 134 + 384)
  const withTail = quote({ qe: { reportData: `0x${Buffer.from(report.slice(320, 352)).toString("hex")}01` } })
  expect(codeOf(() => verify(withTail))).toBe("QE_REPORT_BINDING")
})
