import { computeAddress, SigningKey } from "ethers"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { fromHex, tagHash, toHex } from "./codec.ts"
import { parseAddress } from "./ids.ts"
import {
  addressOfPublicKey,
  addressOfSecretKey,
  recoverSigner,
  signDigest,
  verifySignature,
} from "./signature.ts"

const aliceKey = new Uint8Array(32).fill(0xa1)
const alice = addressOfSecretKey(aliceKey)
const bob = addressOfSecretKey(new Uint8Array(32).fill(0xb0))
const digest = tagHash("twinlock/test")
const signature = signDigest(digest, aliceKey)
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

describe("signatures", () => {
  test("equal those of ethers", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (key, text) => {
        fc.pre(key.some((byte) => byte > 0) && key[0] !== 255)
        const signing = new SigningKey(key)
        expect(toHex(signDigest(tagHash(text), key))).toBe(signing.sign(tagHash(text)).serialized)
        expect(addressOfSecretKey(key)).toBe(parseAddress(computeAddress(signing.publicKey)))
      }),
      { numRuns: 25 },
    )
  })

  test("name their signer", () => {
    expect(recoverSigner(digest, signature)).toBe(alice)
    verifySignature(digest, signature, alice)
  })

  test("of another signer or over another digest are refused", () => {
    expect(codeOf(() => verifySignature(digest, signature, bob))).toBe("SIGNATURE_SIGNER")
    expect(codeOf(() => verifySignature(tagHash("other"), signature, alice))).toBe("SIGNATURE_SIGNER")
  })

  test("with high s are refused", () => {
    const s = BigInt(toHex(signature.subarray(32, 64)))
    const high = Uint8Array.from(signature)
    high.set(fromHex(`0x${(ORDER - s).toString(16).padStart(64, "0")}`), 32)
    high[64] = 55 - (signature[64] ?? 0)
    expect(codeOf(() => recoverSigner(digest, high))).toBe("SIGNATURE_FORM")
  })

  test.each([
    ["64 bytes", (s: Uint8Array) => s.slice(0, 64)],
    ["66 bytes", (s: Uint8Array) => Uint8Array.of(...s, 0)],
    ["v = 0", (s: Uint8Array) => Uint8Array.of(...s.slice(0, 64), 0)],
    ["v = 29", (s: Uint8Array) => Uint8Array.of(...s.slice(0, 64), 29)],
    ["s = 0", (s: Uint8Array) => Uint8Array.of(...s.slice(0, 32), ...new Uint8Array(32), 27)],
    ["r = 0", (s: Uint8Array) => Uint8Array.of(...new Uint8Array(32), ...s.slice(32))],
    ["r off the curve", (s: Uint8Array) => Uint8Array.of(...new Uint8Array(31), 5, ...s.slice(32))],
  ])("of bad form (%s) are refused", (_, mutate) => {
    expect(codeOf(() => recoverSigner(digest, mutate(signature)))).toBe("SIGNATURE_FORM")
  })
})

test("bad keys are refused", () => {
  for (const key of [new Uint8Array(32), new Uint8Array(31).fill(1), new Uint8Array(32).fill(255)]) {
    expect(codeOf(() => signDigest(digest, key))).toBe("SIGNATURE_KEY")
    expect(codeOf(() => addressOfSecretKey(key))).toBe("SIGNATURE_KEY")
  }
  expect(codeOf(() => addressOfPublicKey(new Uint8Array(33)))).toBe("SIGNATURE_KEY")
})
