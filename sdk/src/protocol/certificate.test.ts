import { secp256k1 } from "@noble/curves/secp256k1.js"
import { numberToBytesBE } from "@noble/curves/utils.js"
import { Signature } from "ethers"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { compactSignature, expandSignature, needsEvidence, STANDING_POLICY } from "./certificate.ts"
import { keccak, toHex } from "./codec.ts"
import { signDigest } from "./signature.ts"

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe("compact signatures", () => {
  test("are those of ethers, and expand again", () => {
    fc.assert(
      fc.property(bytes32, (message) => {
        const signature = signDigest(keccak(message), new Uint8Array(32).fill(9))
        const compact = compactSignature(signature)
        expect(toHex(compact)).toBe(Signature.from(toHex(signature)).compactSerialized)
        expect(expandSignature(compact)).toEqual(signature)
      }),
      { numRuns: 50 },
    )
  })

  test("have one form", () => {
    const signature = signDigest(keccak(new Uint8Array(1)), new Uint8Array(32).fill(9))
    const changed = (index: number, value: number) => {
      const copy = signature.slice()
      copy[index] = value
      return copy
    }
    for (const bad of [signature.subarray(1), changed(64, 29), changed(64, 0), changed(32, 0x80)])
      expect(codeOf(() => compactSignature(bad))).toBe("COMPACT_SIGNATURE_FORM")
    const half = secp256k1.Point.Fn.ORDER / 2n
    const withS = (s: bigint) => Uint8Array.of(...signature.slice(0, 32), ...numberToBytesBE(s, 32), 27)
    expect(expandSignature(compactSignature(withS(half)))).toEqual(withS(half))
    for (const s of [0n, half + 1n, 2n ** 255n - 1n])
      expect(codeOf(() => compactSignature(withS(s)))).toBe("COMPACT_SIGNATURE_FORM")
    expect(codeOf(() => expandSignature(signature))).toBe("COMPACT_SIGNATURE_FORM")
  })
})

test("a policy needs evidence where it wants signatures or quotes of single seats", () => {
  expect(needsEvidence(STANDING_POLICY)).toBe(false)
  expect(needsEvidence({ ...STANDING_POLICY, groupOnly: true })).toBe(false)
  expect(needsEvidence({ ...STANDING_POLICY, endorsements: 1 })).toBe(true)
  expect(needsEvidence({ ...STANDING_POLICY, freshQuotes: 1 })).toBe(true)
})
