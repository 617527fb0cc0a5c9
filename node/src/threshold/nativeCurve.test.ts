import { secp256k1 } from "@noble/curves/secp256k1.js"
import { abiWord, concatBytes, fromHex, tagHash, toHex } from "@twinlock/sdk/protocol/codec"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { nobleCurve, nobleSum } from "@twinlock/sdk/threshold/curve"
import { challengeOf, frostSuite, identifierOf, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import {
  aggregate,
  createNonces,
  createSignatureShare,
  verifySignatureShare,
} from "@twinlock/sdk/threshold/frostSign"
import fc from "fast-check"
import { expect, test } from "vitest"
import { generateFrostGroup } from "../../../test/support/frostGroup.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { nativeCurve } from "./nativeCurve.ts"

const { Point } = secp256k1
const N = Point.Fn.ORDER

function expectSame(points: Uint8Array, scalars: Uint8Array): void {
  const [native, noble] = [nativeCurve.sum(points, scalars), nobleSum(points, scalars)]
  expect(native === null ? null : toHex(native)).toBe(noble === null ? null : toHex(noble))
}

const edge = fc.constantFrom(0n, 1n, 2n, 15n, 16n, N - 1n, N, N + 1n, 2n ** 256n - 1n)
const weight = fc.oneof(edge, fc.bigInt({ min: 0n, max: N - 1n }))
const point = fc
  .oneof(fc.constantFrom(1n, 2n, N - 1n), fc.bigInt({ min: 1n, max: N - 1n }))
  .map((k) => Point.BASE.multiply(k).toBytes())
/** 33 bytes that are mostly no point. */
const nonsense = fc
  .tuple(fc.constantFrom(0, 2, 3, 4, 255), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([first, rest]) => Uint8Array.of(first, ...rest))

test("equals noble's sum for points, cancelling ones among them, and any weights", () => {
  const terms = fc.array(fc.tuple(point, weight), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(terms, (pairs) => {
      expectSame(
        concatBytes(...pairs.map(([bytes]) => bytes)),
        concatBytes(...pairs.map(([, value]) => abiWord(value))),
      )
    }),
    { numRuns: 60 },
  )
  const base = Point.BASE.toBytes()
  expectSame(concatBytes(base, base), concatBytes(abiWord(1n), abiWord(N - 1n)))
  expectSame(concatBytes(base, base), concatBytes(abiWord(5n), abiWord(5n)))
})

test("refuses what noble's sum refuses", () => {
  fc.assert(
    fc.property(nonsense, weight, (bytes, value) => expectSame(bytes, abiWord(value))),
    { numRuns: 100 },
  )
  const base = Point.BASE.toBytes()
  for (const [points, scalars] of [
    [new Uint8Array(), new Uint8Array()],
    [base, new Uint8Array(31)],
    [base.subarray(1), abiWord(1n)],
    [concatBytes(base, base), abiWord(1n)],
    [Point.BASE.toBytes(false), abiWord(1n)],
    [Uint8Array.of(2, ...abiWord(Point.Fp.ORDER)), abiWord(1n)],
  ] as const)
    expectSame(points, scalars)
})

test("a signing with it is the same signing, and blames the same", () => {
  const group = generateFrostGroup(7, 2, "weighted sum")
  const signers = [1, 2, 4, 6, 7].map((index) => parsePartyIndex(index, 7))
  const nonces = (seed: string) =>
    signers.map((party) => {
      const keyShare = group.keyShares.get(party)
      if (keyShare === undefined) throw new Error("no share")
      return { party, keyShare, own: createNonces(keyShare, seededRng(`${seed}/${party}`)) }
    })
  const [one, two] = [nonces("same"), nonces("same")]
  const signing = {
    publicKey: group.publicKey,
    list: one.map(({ party, own }) => ({ party, commitment: own.commitment })),
    message: tagHash("weighted sum"),
  }
  const slow = new Map(
    one.map(({ party, keyShare, own }) => [party, createSignatureShare(signing, keyShare, own)]),
  )
  const fast = new Map(
    two.map(({ party, keyShare, own }) => [party, createSignatureShare(signing, keyShare, own, nativeCurve)]),
  )
  expect(fast).toEqual(slow)
  expect(aggregate(signing, fast, nativeCurve)).toEqual(aggregate(signing, slow))
  const [liar] = signers
  if (liar === undefined) throw new Error("no signer")
  fast.set(liar, new Uint8Array(32).fill(1))
  expect(() => aggregate(signing, fast, nativeCurve)).toThrow("do not verify")
  for (const [party, share] of fast)
    expect(verifySignatureShare(signing, party, share, nativeCurve)).toBe(party !== liar)
})

test("multiples of the generator and addresses are noble's, also where there are none", () => {
  const scalars = fc.oneof(edge, fc.bigInt({ min: 0n, max: N - 1n }))
  fc.assert(
    fc.property(scalars, (k) => {
      const [native, noble] = [nativeCurve.multiple(abiWord(k)), nobleCurve.multiple(abiWord(k))]
      expect(native && toHex(native)).toBe(noble && toHex(noble))
      expect(native === null).toBe(k === 0n || k >= N)
    }),
    { numRuns: 60 },
  )
  for (const length of [0, 31, 33]) expect(nativeCurve.multiple(new Uint8Array(length).fill(1))).toBe(null)
  fc.assert(
    fc.property(fc.oneof(point, nonsense), (bytes) => {
      expect(nativeCurve.addressOf(bytes)).toBe(nobleCurve.addressOf(bytes))
    }),
    { numRuns: 100 },
  )
  for (const length of [0, 32, 34, 65])
    expect(nativeCurve.addressOf(new Uint8Array(length).fill(2))).toBe(null)
})

test("nonces are noble's own for the same randomness", () => {
  const { keyShares } = generateFrostGroup(4, 1, "nonces")
  const suite = frostSuite("")
  for (const keyShare of keyShares.values()) {
    const rng = () => seededRng(`nonces ${keyShare.party}`)
    const identifier = identifierOf(keyShare.party)
    const made = rng()
    const want = keyShare.use((signingShare) =>
      suite.commit({ identifier, signingShare }, (length = 32) => made(length) as Uint8Array<ArrayBuffer>),
    )
    for (const curve of [nativeCurve, nobleCurve]) {
      const own = createNonces(keyShare, rng(), curve)
      expect(toHex(own.commitment)).toBe(
        toHex(concatBytes(want.commitments.hiding, want.commitments.binding)),
      )
      expect(own.consume()).toEqual(want.nonces)
    }
  }
})

test("a group signature stands or falls alike", () => {
  const key = { groupX: Point.BASE.multiply(7n).x, groupV: Point.BASE.multiply(7n).y & 1n ? 28 : 27 } as const
  const message = tagHash("signed")
  // R = k·G, s = k + e·x for the key x = 7.
  const r = nobleCurve.addressOf(Point.BASE.multiply(11n).toBytes())
  if (r === null) throw new Error("11·G is a point")
  const s = (11n + challengeOf(key, fromHex(message), r) * 7n) % N
  for (const curve of [nativeCurve, nobleCurve]) {
    expect(verifyGroupSignature(key, message, { r, s }, curve)).toBe(true)
    expect(verifyGroupSignature(key, message, { r, s: s + 1n }, curve)).toBe(false)
    expect(verifyGroupSignature(key, tagHash("other"), { r, s }, curve)).toBe(false)
    expect(verifyGroupSignature({ ...key, groupX: 5n }, message, { r, s }, curve)).toBe(false)
  }
})
