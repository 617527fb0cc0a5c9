import { secp256k1 } from "@noble/curves/secp256k1.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { generateFrostGroup } from "../../../test/support/frostGroup.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { abiWord, concatBytes, fromHex, tagHash, toHex } from "../protocol/codec.ts"
import { parsePartyIndex } from "../protocol/ids.ts"
import { type CurveKernel, nobleCurve, nobleSum } from "./curve.ts"
import { FrostKeyShare, frostSuite, identifierOf, toEthereum } from "./frost.ts"
import { type Signing, signingRound } from "./frostRound.ts"
import { aggregate, createNonces, createSignatureShare } from "./frostSign.ts"

const Point = secp256k1.Point
const N = Point.Fn.ORDER

/** Nonces, list and message of the parties, and noble's view of the same. */
function scene(n: number, t: number, indexes: readonly number[], seed: string) {
  const group = generateFrostGroup(n, t, "round")
  const members = indexes.map((index) => {
    const party = parsePartyIndex(index, n)
    const keyShare = group.keyShares.get(party) ?? new FrostKeyShare(party, new Uint8Array(32))
    const make = () => createNonces(keyShare, seededRng(`${seed}/${index}`))
    return { party, keyShare, own: make(), theirs: make() }
  })
  const signing: Signing = {
    publicKey: group.publicKey,
    list: members.map(({ party, own }) => ({ party, commitment: own.commitment })),
    message: tagHash(seed),
  }
  const copy = (bytes: Uint8Array) => Uint8Array.from(bytes)
  const theirList = signing.list.map(({ party, commitment }) => ({
    identifier: identifierOf(party),
    hiding: copy(commitment.subarray(0, 33)),
    binding: copy(commitment.subarray(33)),
  }))
  const theirPublic = {
    signers: { min: group.publicKey.quorum, max: n },
    commitments: group.publicKey.commitments.map(copy),
    verifyingShares: Object.fromEntries(
      group.publicKey.verificationShares.map((point, i) => [
        identifierOf(parsePartyIndex(i + 1, n)),
        copy(point),
      ]),
    ),
  }
  return { signing, members, theirList, theirPublic }
}

describe("a signing agrees with noble's FROST, byte for byte", () => {
  test.each([
    [4, 1, [1, 2, 3]],
    [4, 1, [1, 2, 3, 4]],
    [5, 1, [2, 4, 5]],
    [7, 2, [1, 3, 4, 6, 7]],
    [13, 4, [1, 2, 4, 6, 7, 8, 10, 11, 13]],
    [15, 4, [2, 3, 5, 7, 9, 11, 12, 14, 15]],
  ] as const)("n = %i, t = %i, parties %j", (n, t, indexes) => {
    const suite = frostSuite("")
    const { signing, members, theirList, theirPublic } = scene(n, t, indexes, "agree")
    const message = fromHex(signing.message)
    const shares = new Map(
      members.map(({ party, keyShare, own, theirs }) => {
        const share = createSignatureShare(signing, keyShare, own)
        const noble = keyShare.use((signingShare) =>
          suite.signShare(
            { identifier: identifierOf(party), signingShare },
            theirPublic,
            theirs.consume(),
            theirList,
            message,
          ),
        )
        expect(toHex(share)).toBe(toHex(noble))
        return [party, share] as const
      }),
    )
    const theirShares = Object.fromEntries(
      [...shares].map(([party, share]) => [identifierOf(party), Uint8Array.from(share)]),
    )
    const noble = suite.aggregate(theirPublic, theirList, message, theirShares)
    expect(toEthereum(aggregate(signing, shares))).toEqual(toEthereum(noble))
  })
})

describe("the weighted sum", () => {
  const scalar = fc.bigInt({ min: 0n, max: N - 1n })
  const known = fc.array(fc.tuple(fc.bigInt({ min: 1n, max: N - 1n }), scalar), {
    minLength: 1,
    maxLength: 5,
  })
  const bytes = (pairs: readonly (readonly [bigint, bigint])[]) =>
    [
      concatBytes(...pairs.map(([point]) => Point.BASE.multiply(point).toBytes())),
      concatBytes(...pairs.map(([, weight]) => abiWord(weight))),
    ] as const

  test("is linear in the discrete logarithms, whatever the weights", () => {
    fc.assert(
      fc.property(known, (pairs) => {
        const total = pairs.reduce((sum, [point, weight]) => (sum + point * weight) % N, 0n)
        const want = total === 0n ? null : toHex(Point.BASE.multiply(total).toBytes())
        const got = nobleSum(...bytes(pairs))
        expect(got === null ? null : toHex(got)).toBe(want)
      }),
      { numRuns: 30 },
    )
  })

  test("refuses the identity, malformed points and scalars, and lengths that do not fit", () => {
    const [points, scalars] = bytes([
      [2n, 3n],
      [3n, N - 2n],
    ])
    expect(nobleSum(points, scalars)).toBe(null)
    expect(nobleSum(points.subarray(0, 65), scalars)).toBe(null)
    expect(nobleSum(points, scalars.subarray(0, 32))).toBe(null)
    expect(nobleSum(new Uint8Array(), new Uint8Array())).toBe(null)
    expect(nobleSum(Point.BASE.toBytes(), abiWord(N))).toBe(null)
    expect(nobleSum(Point.BASE.toBytes(false).slice(0, 33), abiWord(1n))).toBe(null)
  })

  test("is all that a kernel replaces", () => {
    const { signing } = scene(7, 2, [1, 2, 3, 4, 5], "kernel")
    const calls: string[] = []
    const counted: CurveKernel = {
      ...nobleCurve,
      sum(points, scalars) {
        calls.push("sum")
        return nobleCurve.sum(points, scalars)
      },
      addressOf(point) {
        calls.push("address")
        return nobleCurve.addressOf(point)
      },
    }
    expect(signingRound(signing, counted)).toEqual(signingRound(signing))
    expect(calls).toEqual(["sum", "address"])
  })
})
