import { createHash } from "node:crypto"
import { p256 } from "@noble/curves/nist.js"
import fc from "fast-check"
import { expect, test } from "vitest"
import { concatBytes, fromHex } from "../protocol/codec.ts"
import { createSignatureCheck, type SignatureCheck, verifyP256 } from "./p256.ts"

const { ORDER } = p256.Point.Fn
const secret = fc.bigInt({ min: 1n, max: ORDER - 1n }).map((value) => p256.Point.Fn.toBytes(value))
const message = fc.uint8Array({ maxLength: 100 })
const wordOf = (value: bigint) => fromHex(`0x${value.toString(16).padStart(64, "0")}`)

const keyOf = (secretKey: Uint8Array) => p256.getPublicKey(secretKey, false).slice(1)
/** The other valid form of a signature. */
const mirrored = (signature: Uint8Array) =>
  concatBytes(
    signature.slice(0, 32),
    wordOf(ORDER - BigInt(`0x${Buffer.from(signature.slice(32)).toString("hex")}`)),
  )

/** With a table for its key from the start. */
function practised(publicKey: Uint8Array): SignatureCheck {
  const check = createSignatureCheck()
  for (let use = 0; use < 8; use++) check(new Uint8Array(64).fill(1), new Uint8Array(0), publicKey)
  return check
}

test("verdicts are those of noble's ECDSA, with and without a table, for both forms of a signature", () => {
  fc.assert(
    fc.property(secret, message, fc.nat({ max: 64 * 8 - 1 }), (secretKey, signed, bit) => {
      const publicKey = keyOf(secretKey)
      const signature = p256.sign(signed, secretKey, { lowS: false })
      const broken = signature.slice()
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const withTable = practised(publicKey)
      for (const check of [verifyP256, withTable, createSignatureCheck()]) {
        expect(check(signature, signed, publicKey)).toBe(true)
        expect(check(mirrored(signature), signed, publicKey)).toBe(true)
        expect(check(signature, concatBytes(signed, Uint8Array.of(0)), publicKey)).toBe(false)
        const point = concatBytes(Uint8Array.of(4), publicKey)
        expect(check(broken, signed, publicKey)).toBe(p256.verify(broken, signed, point, { lowS: false }))
      }
    }),
    { numRuns: 12 },
  )
})

const secretKey = wordOf(7n)
const publicKey = keyOf(secretKey)
const body = Uint8Array.of(1, 2, 3)
const good = p256.sign(body, secretKey)
const [r, s] = [good.slice(0, 32), good.slice(32)]
const ZERO = new Uint8Array(32)

test.each<[string, Uint8Array, Uint8Array]>([
  ["r of zero", concatBytes(ZERO, s), publicKey],
  ["s of zero", concatBytes(r, ZERO), publicKey],
  ["r of the group order", concatBytes(wordOf(ORDER), s), publicKey],
  ["s of the group order", concatBytes(r, wordOf(ORDER)), publicKey],
  ["r above the group order", concatBytes(ZERO.slice().fill(0xff), s), publicKey],
  ["a short signature", good.slice(0, 63), publicKey],
  ["a long signature", concatBytes(good, Uint8Array.of(0)), publicKey],
  ["another key", good, keyOf(wordOf(8n))],
  ["a key that is no point", good, new Uint8Array(64).fill(1)],
  ["a key at infinity", good, new Uint8Array(64)],
  ["a short key", good, publicKey.slice(1)],
  ["a key with coordinates above the prime", good, new Uint8Array(64).fill(0xff)],
])("a signature with %s does not hold", (_, signature, key) => {
  expect(verifyP256(signature, body, key)).toBe(false)
  expect(practised(key)(signature, body, key)).toBe(false)
})

test("a sum at infinity does not hold", () => {
  // u1·G + u2·P = 0 for P = d·G where h + r·d = 0 mod n: chosen by fixing r and solving for d.
  const { Fn } = p256.Point
  const hash = Fn.create(BigInt(`0x${createHash("sha256").update(body).digest("hex")}`))
  const wanted = Fn.neg(Fn.mul(hash, Fn.inv(5n)))
  const key = keyOf(Fn.toBytes(wanted))
  const signature = concatBytes(wordOf(5n), wordOf(9n))
  for (const check of [verifyP256, practised(key)]) expect(check(signature, body, key)).toBe(false)
})

test("more keys than are remembered are all judged rightly", () => {
  const check = createSignatureCheck()
  for (let round = 0; round < 2; round++)
    for (let index = 1n; index < 12n; index++) {
      const signature = p256.sign(body, wordOf(index))
      expect(check(signature, body, keyOf(wordOf(index)))).toBe(true)
      expect(check(signature, body, keyOf(wordOf(index + 1n)))).toBe(false)
    }
})
