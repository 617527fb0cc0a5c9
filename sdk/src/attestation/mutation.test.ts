/** One changed bit in any field of a quote is refused, by the check that the field belongs to. */
import { p256 } from "@noble/curves/nist.js"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { flipped, good, NOW, quote, verifier } from "../../../test/support/simulatedQuote.ts"
import { toHex } from "../protocol/codec.ts"
import type { AttestationErrorCode } from "./errors.ts"

const terms = { time: NOW, floors: { tcb: 20, qe: 20 } }
const collateral = verifier.verifyCollateral(good, terms)
const verify = (bytes: Uint8Array) => verifier.verify(bytes, { collateral, ...terms })

type Field = readonly [name: string, length: number, code: AttestationErrorCode]

const HEADER: readonly Field[] = [
  ["version", 2, "QUOTE_VERSION"],
  ["attestation key type", 2, "QUOTE_KEY_TYPE"],
  ["tee type", 4, "QUOTE_TEE_TYPE"],
  ["QE SVN", 2, "QUOTE_SIGNATURE"],
  ["PCE SVN", 2, "QUOTE_SIGNATURE"],
  ["QE vendor", 16, "QUOTE_VENDOR"],
  ["user data", 20, "QUOTE_SIGNATURE"],
]
const BODY: readonly Field[] = (
  [
    ["tee TCB SVNs", 16],
    ["MRSEAM", 48],
    ["MRSIGNERSEAM", 48],
    ["SEAM attributes", 8],
    ["TD attributes", 8],
    ["extended features", 8],
    ["MRTD", 48],
    ["MRCONFIGID", 48],
    ["MROWNER", 48],
    ["MROWNERCONFIG", 48],
    ["RTMR0", 48],
    ["RTMR1", 48],
    ["RTMR2", 48],
    ["RTMR3", 48],
    ["report data", 64],
  ] as const
).map(([name, length]): Field => [name, length, "QUOTE_SIGNATURE"])
const TD15: readonly Field[] = [
  ["second tee TCB SVNs", 16, "QUOTE_SIGNATURE"],
  ["MRSERVICETD", 48, "QUOTE_SIGNATURE"],
]
const AUTH: readonly Field[] = [
  ["length of the authentication data", 4, "QUOTE_LENGTH"],
  ["quote signature", 64, "QUOTE_SIGNATURE"],
  ["attestation key", 64, "QE_REPORT_BINDING"],
  ["certification type", 2, "QUOTE_CERTIFICATION_TYPE"],
  ["certification length", 4, "QUOTE_LENGTH"],
  ["QE report: CPUSVN", 16, "QE_REPORT_SIGNATURE"],
  ["QE report: miscselect", 4, "QE_REPORT_SIGNATURE"],
  ["QE report: reserved", 28, "QE_REPORT_SIGNATURE"],
  ["QE report: attributes", 16, "QE_REPORT_SIGNATURE"],
  ["QE report: MRENCLAVE", 32, "QE_REPORT_SIGNATURE"],
  ["QE report: reserved", 32, "QE_REPORT_SIGNATURE"],
  ["QE report: MRSIGNER", 32, "QE_REPORT_SIGNATURE"],
  ["QE report: reserved", 96, "QE_REPORT_SIGNATURE"],
  ["QE report: product", 2, "QE_REPORT_SIGNATURE"],
  ["QE report: SVN", 2, "QE_REPORT_SIGNATURE"],
  ["QE report: reserved", 60, "QE_REPORT_SIGNATURE"],
  ["QE report: report data", 64, "QE_REPORT_SIGNATURE"],
  ["QE report signature", 64, "QE_REPORT_SIGNATURE"],
  ["length of the QE's data", 2, "QUOTE_CERTIFICATION_TYPE"],
  ["the QE's data", 32, "QE_REPORT_BINDING"],
  ["type of the certificates", 2, "QUOTE_CERTIFICATION_TYPE"],
  ["length of the certificates", 4, "QUOTE_LENGTH"],
]

/** First and last byte of every field, as [name, offset, code]. */
function* bytesOf(fields: readonly Field[]): Generator<readonly [string, number, AttestationErrorCode]> {
  let offset = 0
  for (const [name, length, code] of fields) {
    yield [`${name}, first byte`, offset, code]
    if (length > 1) yield [`${name}, last byte`, offset + length - 1, code]
    offset += length
  }
}

const FORM: readonly Field[] = [
  ["body type", 2, "QUOTE_BODY_TYPE"],
  ["body length", 4, "QUOTE_BODY_TYPE"],
]

describe.each([
  ["version 4", quote(), [...HEADER, ...BODY, ...AUTH]],
  ["version 5 with TD 1.0", quote({ version: 5, body: "td10" }), [...HEADER, ...FORM, ...BODY, ...AUTH]],
  ["version 5 with TD 1.5", quote({ version: 5 }), [...HEADER, ...FORM, ...BODY, ...TD15, ...AUTH]],
] as const)("%s", (name, bytes, fields) => {
  test("is accepted unchanged", () => expect(verify(bytes).status).toBe("UpToDate"))

  test.each([...bytesOf(fields)])("%s", (field, offset, code) => {
    // The lowest bit of the version turns 4 into 5 and 5 into 4, whose forms the bytes do not have.
    const otherForm = name === "version 4" ? "QUOTE_BODY_TYPE" : "QUOTE_TRAILING"
    const want = field === "version, first byte" ? otherForm : code
    expect(codeOf(() => verify(flipped(bytes, offset)))).toBe(want)
  })

  test.each([0, 1, 100, 700, 1_500, 2_400, 3_300, 3_600])("certificates, character %i", (at) => {
    const start = fields.reduce((sum, [, length]) => sum + length, 0)
    expect(codeOf(() => verify(flipped(bytes, start + at)))).toMatch(
      /^(PEM_MALFORMED|CERTIFICATE_MALFORMED|CHAIN_[A-Z_]+|ROOT_MISMATCH)$/,
    )
  })
})

test("the other form of a signature is valid too, so no signature is part of a quote's id", () => {
  const bytes = quote()
  const s = BigInt(toHex(bytes.slice(668, 700)))
  const mirrored = bytes.slice()
  mirrored.set(p256.Point.Fn.toBytes(p256.Point.Fn.neg(s)), 668)
  expect(mirrored).not.toEqual(bytes)
  expect(verify(mirrored)).toEqual(verify(bytes))
})
