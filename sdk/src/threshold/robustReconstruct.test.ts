import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { correctErrors } from "../../../test/support/bitwiseOpening.ts"
import { codeOf } from "../../../test/support/codeOf.ts"
import { COMMITTEE_SIZES } from "../../../test/support/committeeSizes.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { concatBytes } from "../protocol/codec.ts"
import { culprits, isProtocolError } from "../protocol/errors.ts"
import { type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import { bigintKernel } from "./bigintKernel.ts"
import { add, decode, encode, type RingElement, scalar, scale } from "./galoisRing.ts"
import type { OpeningKernel } from "./openingKernel.ts"
import { createOpening, type OpeningState } from "./robustReconstruct.ts"
import { share } from "./shamir.ts"

type Sent = { readonly party: PartyIndex; readonly bytes: Uint8Array }

/** Every party's share bytes of these block values. */
function deal(n: number, t: number, values: readonly bigint[], seed: string): Sent[] {
  const rng = seededRng(seed)
  const blocks = values.map((value) => share(scalar(value), n, t, rng))
  return Array.from({ length: n }, (_, i) => ({
    party: parsePartyIndex(i + 1, n),
    bytes: concatBytes(...blocks.map((block) => encode(block[i]?.value ?? scalar(0n)))),
  }))
}

/** The share with `delta` added to its block. */
function lie({ party, bytes }: Sent, block: number, delta: RingElement): Sent {
  const mutated = Uint8Array.from(bytes)
  mutated.set(encode(add(decode(bytes, block), delta)), 64 * block)
  return { party, bytes: mutated }
}

const bit = (position: bigint, coefficients: RingElement = [0n, 1n, 0n, 0n]): RingElement =>
  scale(coefficients, 1n << position)

function openAll(size: { n: number; t: number; blocks: number }, sent: readonly Sent[]): OpeningState[] {
  const opening = createOpening(size)
  return sent.map(({ party, bytes }) => opening.add(party, bytes))
}

describe("opening", () => {
  test.each(COMMITTEE_SIZES)("n=$n t=$t: opens at 2t+1 honest shares and not before", ({ n, t }) => {
    const values = [5n, 0n, 15n << 123n]
    const states = openAll({ n, t, blocks: 3 }, deal(n, t, values, "honest"))
    expect(states.map(({ status }) => status)).toEqual([
      ...new Array(2 * t).fill("waiting"),
      ...new Array(n - 2 * t).fill("opened"),
    ])
    expect(states.at(-1)).toEqual({ status: "opened", values: values.map(scalar), culprits: [] })
  })

  test.each(COMMITTEE_SIZES)(
    "n=$n t=$t: t liars in any order, any bits, any blocks are corrected and named",
    ({ n, t }) => {
      const delta = fc.oneof(
        fc.nat(127).map((position) => bit(BigInt(position))),
        fc
          .tuple(fc.bigInt(1n, 2n ** 128n - 1n), fc.bigInt(0n, 2n ** 128n - 1n))
          .map(([a, b]): RingElement => [a, b, 0n, a]),
      )
      fc.assert(
        fc.property(
          fc.shuffledSubarray([...Array(n).keys()], { minLength: n, maxLength: n }),
          fc.shuffledSubarray([...Array(n).keys()], { minLength: t, maxLength: t }),
          fc.array(fc.tuple(fc.nat(1), delta), { minLength: t, maxLength: t }),
          (order, liars, lies) => {
            const sent = deal(n, t, [7n, 11n], "lies")
            const arriving = order.map((i) => {
              const honest = sent[i]
              if (honest === undefined) throw new Error("no share")
              const [block, change] = lies[liars.indexOf(i)] ?? []
              return block === undefined || change === undefined ? honest : lie(honest, block, change)
            })
            const states = openAll({ n, t, blocks: 2 }, arriving)
            for (const state of states)
              if (state.status === "opened") expect(state.values).toEqual([scalar(7n), scalar(11n)])
            expect(states.at(-1)).toEqual({
              status: "opened",
              values: [scalar(7n), scalar(11n)],
              culprits: liars.map((i) => i + 1).sort((a, b) => a - b),
            })
          },
        ),
        { numRuns: n === 13 ? 10 : 40 },
      )
    },
  )

  test.each(COMMITTEE_SIZES)("n=$n t=$t: lies only in bit 90 are seen", ({ n, t }) => {
    const sent = deal(n, t, [3n], "bit 90").map((honest, i) => (i < t ? lie(honest, 0, bit(90n)) : honest))
    expect(openAll({ n, t, blocks: 1 }, sent).at(-1)).toEqual({
      status: "opened",
      values: [scalar(3n)],
      culprits: Array.from({ length: t }, (_, i) => i + 1),
    })
  })

  test("liars that agree on another polynomial change nothing", () => {
    const [n, t] = [7, 2]
    const honest = deal(n, t, [1n], "truth")
    const forged = deal(n, t, [2n], "forgery")
    const sent = [...forged.slice(0, t), ...honest.slice(t)]
    const states = openAll({ n, t, blocks: 1 }, sent)
    expect(states.slice(0, n - 1).every(({ status }) => status === "waiting")).toBe(true)
    expect(states.at(-1)).toEqual({ status: "opened", values: [scalar(1n)], culprits: [1, 2] })
  })

  test("different parties may lie in different blocks", () => {
    const sent = deal(7, 2, [1n, 2n, 3n], "blocks").map((honest, i) =>
      i === 0 ? lie(honest, 0, bit(127n)) : i === 4 ? lie(honest, 2, bit(0n)) : honest,
    )
    expect(openAll({ n: 7, t: 2, blocks: 3 }, sent).at(-1)).toEqual({
      status: "opened",
      values: [1n, 2n, 3n].map(scalar),
      culprits: [1, 5],
    })
  })

  test("more than t liars never open a wrong value quietly", () => {
    const honest = deal(4, 1, [1n], "broken")
    const forged = deal(4, 1, [2n], "broken too")
    const sent = [...forged.slice(0, 2), ...honest.slice(2)]
    expect(openAll({ n: 4, t: 1, blocks: 1 }, sent).every(({ status }) => status === "waiting")).toBe(true)
  })

  test("more than t liars spread over blocks decide nothing", () => {
    const sent = deal(4, 1, [1n, 2n], "spread").map((honest, i) =>
      i === 0 ? lie(honest, 0, bit(3n)) : i === 1 ? lie(honest, 1, bit(3n)) : honest,
    )
    expect(openAll({ n: 4, t: 1, blocks: 2 }, sent).at(-1)).toEqual({
      status: "waiting",
      heard: 4,
      culprits: [],
    })
  })

  test("a liar that arrives after the opening is still named", () => {
    const sent = deal(4, 1, [9n], "late").map((honest, i) => (i === 3 ? lie(honest, 0, bit(100n)) : honest))
    const states = openAll({ n: 4, t: 1, blocks: 1 }, sent)
    expect(states[2]).toEqual({ status: "opened", values: [scalar(9n)], culprits: [] })
    expect(states[3]).toEqual({ status: "opened", values: [scalar(9n)], culprits: [4] })
  })

  test("a repeat changes nothing, a second different share names its sender", () => {
    const [alice, bob] = deal(4, 1, [9n], "repeat")
    if (alice === undefined || bob === undefined) throw new Error("no share")
    const opening = createOpening({ n: 4, t: 1, blocks: 1 })
    opening.add(alice.party, alice.bytes)
    expect(opening.add(alice.party, alice.bytes)).toEqual({ status: "waiting", heard: 1, culprits: [] })
    const other = lie(alice, 0, bit(1n))
    expect(opening.add(alice.party, other.bytes)).toEqual({ status: "waiting", heard: 1, culprits: [1] })
    expect(opening.add(bob.party, bob.bytes)).toEqual({ status: "waiting", heard: 2, culprits: [1] })
    expect(opening.state).toEqual({ status: "waiting", heard: 2, culprits: [1] })
  })

  test("what contradicts a share is kept once, and a flood of more changes nothing", () => {
    const [alice] = deal(4, 1, [9n], "flood")
    if (alice === undefined) throw new Error("no share")
    const heardBy: PartyIndex[] = []
    const counting: OpeningKernel = (size) => {
      const run = bigintKernel(size)
      return {
        ...run,
        add: (party, bytes) => {
          heardBy.push(party)
          return run.add(party, bytes)
        },
      }
    }
    const opening = createOpening({ n: 4, t: 1, blocks: 1 }, counting)
    const buffer = Uint8Array.from(alice.bytes)
    opening.add(alice.party, buffer)
    buffer.set(lie(alice, 0, bit(1n)).bytes)
    const after = opening.add(alice.party, buffer)
    expect(after.culprits).toEqual([alice.party])
    for (let i = 2; i < 50; i++) {
      buffer.set(lie(alice, 0, bit(BigInt(i))).bytes)
      expect(opening.add(alice.party, buffer)).toBe(after)
    }
    expect(heardBy).toEqual([alice.party])
  })

  test("sizes that no committee or ciphertext has are refused", () => {
    expect(codeOf(() => createOpening({ n: 4, t: 2, blocks: 1 }))).toBe("COMMITTEE_SIZE")
    for (const blocks of [0, 65, 1.5])
      expect(codeOf(() => createOpening({ n: 4, t: 1, blocks }))).toBe("OPENING_SIZE")
  })

  test("a share of another length names its sender", () => {
    const opening = createOpening({ n: 4, t: 1, blocks: 2 })
    const bob = parsePartyIndex(2, 4)
    for (const length of [0, 64, 127, 192]) {
      const run = () => opening.add(bob, new Uint8Array(length))
      expect(codeOf(run)).toBe("OPENING_SHARE_LENGTH")
      try {
        run()
      } catch (error) {
        if (isProtocolError(error)) expect(culprits(error)).toEqual([2])
      }
    }
    expect(codeOf(() => opening.add(parsePartyIndex(5, 5), new Uint8Array(128)))).toBe("BAD_PARTY_INDEX")
  })
})

describe("error correction", () => {
  test("agrees with the reference model on fixed shares, with two lies", () => {
    const hex = (text: string): RingElement => {
      const [a = "0", b = "0", c = "0", d = "0"] = text.split(",")
      return [BigInt(`0x${a}`), BigInt(`0x${b}`), BigInt(`0x${c}`), BigInt(`0x${d}`)]
    }
    const shares = [
      "fa9d1554c7ee28b3fe8416b70db73d8a,7855c74235fe640577c754263eaccd7e,e4855c3ef9d7d8d789ffb213e3417994,e9ee87fb59413cb05733f3ae838ff82",
      "6f201b1ecd3b8c5bdccfdd7d7e1cea67,291f42908468062583825e93ef82e570,962dbf25b17d30cc02a9d2198ad3bf4c,7ade76dfdb206e5e13122b5a0dd16761",
      "d9ff1201b4dc1e26c94221f83de9f91,6a7666f1e831e1a4cd6d39d156e726dc,80488bce222e79049080f5dfe7ec932,ea1c977604f13508c2bf033931541b9b",
      "6749913ca960c4db620b56b2a607a6fb,401091ba9553bbb0b5c8bae9f994a341,10852b8e25ef10c5dcb302062b48e162,d34ed4e1238b22088d1b593154d866de",
      "1476e7afd123aafb655d4c578752fa3,fba9e192dd3979a91496a456f50233d1,be0be4ec4d92611738d63b313741cee4,6f3f2ab90fed13c04eed239ccd7af6b2",
      "49183f033fce734a827ca8ff93bb00e6,7b3f2edc6eb13109d2b2f5a91d6443a7,e9f67349e9539b84c663696672dd63c0,172ea8e02c7707e072510ba28b61422d",
      "86f8dcee19a3f5f1680754fd5e330158,ffd9dbd3e462667c03a4662d41894825,24ce9a0047c4c9c2dee52dc20f3fe194,13be36ce8d15ac77de5c6eb23f4d86b9",
    ].map((text, i) => ({ party: parsePartyIndex(i + 1, 7), value: hex(text) }))
    const expected = [
      "2a,0,0,0",
      "680dc71b741a73605e126a20f560bf4e,b1ad10961a97750f19980e8df6780555,b435c033bfb97f67b4e2e5c1c59c9f38,609048d5f8a61a344e135630643e3b67",
      "928f4e3953d3b553a071ac9618567e12,c6a8b6ac1b66eef65e2f45984834c829,304f9c0b3a1e596fd51ccc521da4da5c,ae0e9fa9bcedf996b75fe90a83fac41b",
    ].map(hex)
    expect(correctErrors(shares, 2, 0)).toEqual(expected)
    const lying = shares.map(({ party, value }, i) => ({
      party,
      value: i === 2 ? add(value, bit(90n)) : i === 6 ? add(value, bit(0n)) : value,
    }))
    expect(correctErrors(lying, 2, 2)).toEqual(expected)
    expect(correctErrors(lying, 2, 1)).toBeNull()
    expect(correctErrors(lying, 2, 0)).toBeNull()
  })
})
