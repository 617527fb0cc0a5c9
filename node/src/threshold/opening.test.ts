import { concatBytes, toHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { culprits, isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { bigintKernel } from "@twinlock/sdk/threshold/bigintKernel"
import {
  add,
  decode,
  encode,
  type RingElement,
  scalar,
  scale,
  ZERO,
} from "@twinlock/sdk/threshold/galoisRing"
import { createOpening, type Opening } from "@twinlock/sdk/threshold/robustReconstruct"
import { interpolate, share } from "@twinlock/sdk/threshold/shamir"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { openBitwise } from "../../../test/support/bitwiseOpening.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { nativeKernel } from "./opening.ts"

const BLOCKS = 2
/** Committee and number of random scripts. */
const COMMITTEES = [
  { n: 4, t: 1, runs: 40 },
  { n: 5, t: 1, runs: 40 },
  { n: 7, t: 2, runs: 20 },
  { n: 10, t: 3, runs: 8 },
  { n: 13, t: 4, runs: 6 },
  { n: 15, t: 4, runs: 5 },
]

/** The blocks of every party's share, by party − 1. */
function deal(n: number, t: number, seed: string): readonly (readonly RingElement[])[] {
  const rng = seededRng(seed)
  const blocks = Array.from({ length: BLOCKS }, () => share(decode(rng(64)), n, t, rng))
  return Array.from({ length: n }, (_, i) => blocks.map((shares) => shares[i]?.value ?? scalar(0n)))
}

/** What a sender does to one block. */
type Lie =
  | { readonly kind: "honest" }
  /** Another polynomial from some bit on, the same for all who do it. */
  | { readonly kind: "forged"; readonly bit: number }
  | { readonly kind: "bit"; readonly bit: number; readonly coefficients: number }
  | { readonly kind: "random"; readonly delta: RingElement }

type Arrival = {
  readonly party: number
  readonly lies: readonly Lie[]
  /** Bytes cut off (negative: added). */
  readonly cut: number
}

const word = fc.bigInt(0n, 2n ** 128n - 1n)
const lie: fc.Arbitrary<Lie> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Lie>({ kind: "honest" }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 90, 127).map((bit): Lie => ({ kind: "forged", bit })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ bit: fc.nat(127), coefficients: fc.integer({ min: 1, max: 15 }) })
      .map((fields): Lie => ({ kind: "bit", ...fields })),
  },
  { weight: 1, arbitrary: fc.tuple(word, word, word, word).map((delta): Lie => ({ kind: "random", delta })) },
)
const lies = fc.oneof(
  { weight: 2, arbitrary: fc.constant<readonly Lie[]>(new Array(BLOCKS).fill({ kind: "honest" })) },
  { weight: 1, arbitrary: fc.array(lie, { minLength: BLOCKS, maxLength: BLOCKS }) },
)
const cut = fc.oneof(
  { weight: 20, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(-64, -1, 1, 64, 128) },
)

/** Every party once in any order, and further arrivals of any party, inside the committee or not, anywhere. */
const script = (n: number): fc.Arbitrary<readonly Arrival[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...Array(n).keys()], { minLength: n, maxLength: n }),
      fc.array(fc.tuple(fc.nat(2 * n), fc.nat(n + 1)), { maxLength: 6 }),
      fc.array(fc.tuple(lies, cut), { minLength: n + 6, maxLength: n + 6 }),
    )
    .map(([order, further, contents]) => {
      const parties = order.map((i) => i + 1)
      for (const [at, party] of further) parties.splice(at, 0, party)
      return parties.map((party, i) => {
        const [said = [], less = 0] = contents[i] ?? []
        return { party, lies: said, cut: less }
      })
    })

function bytesOf(
  { lies: said, cut: less }: Arrival,
  truth: readonly RingElement[],
  forged: readonly RingElement[],
) {
  const blocks = truth.map((value, k) => {
    const told = said[k] ?? { kind: "honest" }
    if (told.kind === "honest") return encode(value)
    if (told.kind === "random") return encode(add(value, told.delta))
    if (told.kind === "forged") return encode(add(value, scale(forged[k] ?? value, 1n << BigInt(told.bit))))
    const bits = [0, 1, 2, 3].map((i) => BigInt((told.coefficients >> i) & 1) << BigInt(told.bit))
    return encode(add(value, [bits[0] ?? 0n, bits[1] ?? 0n, bits[2] ?? 0n, bits[3] ?? 0n]))
  })
  const bytes = concatBytes(...blocks)
  return less < 0 ? concatBytes(bytes, new Uint8Array(-less)) : bytes.slice(0, bytes.length - less)
}

/** State after the arrival, or the error. */
function arrive(opening: Opening, party: number, bytes: Uint8Array) {
  try {
    return opening.add(party as PartyIndex, bytes)
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return { code: error.detail.code, culprits: culprits(error) }
  }
}

/** All sets of at most t of the parties 1..n, as bitmaps. */
const liarSets = (n: number, t: number): readonly number[] =>
  [...Array(2 ** n).keys()].filter((set) => [...Array(n).keys()].filter((i) => (set >> i) & 1).length <= t)

describe("every set of at most t liars", () => {
  test.each([
    ...COMMITTEES.map(({ n, t }) => ({ n, t, name: "native", kernel: nativeKernel })),
    ...COMMITTEES.slice(0, 4).map(({ n, t }) => ({ n, t, name: "BigInt", kernel: bigintKernel })),
  ])("n=$n t=$t $name: the value opens with 2t+1 honest shares, and exactly the liars are named", (on) => {
    const { n, t, kernel } = on
    const truth = deal(n, t, "every set")
    const values = [0, 1].map((k) =>
      interpolate(
        truth.slice(0, t + 1).map((own, i) => ({ party: parsePartyIndex(i + 1, n), value: own[k] ?? ZERO })),
      ),
    )
    const shuffled = seededRng("order")
    for (const set of liarSets(n, t)) {
      const lied = (i: number) => ((set >> i) & 1) === 1
      const rank = shuffled(n)
      const order = [...Array(n).keys()].sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0))
      if (set % 2 === 0) order.sort((a, b) => Number(lied(b)) - Number(lied(a)))
      const opening = createOpening({ n, t, blocks: BLOCKS }, kernel)
      let honest = 0
      for (const i of order) {
        const lie: Lie = { kind: "bit", bit: (37 * i + 11 * set) % 128, coefficients: 1 + ((i + set) % 15) }
        const told = [0, 1].map(
          (k): Lie => (lied(i) && (k === i % 2 || set % 3 === 0) ? lie : { kind: "honest" }),
        )
        const own = truth[i] ?? []
        const state = opening.add(
          parsePartyIndex(i + 1, n),
          bytesOf({ party: i + 1, lies: told, cut: 0 }, own, own),
        )
        honest += lied(i) ? 0 : 1
        if (state.status === "opened") expect(state.values).toEqual(values)
        else expect(honest).toBeLessThanOrEqual(2 * t)
      }
      const liars = partyIndexes({ n }).filter((party) => lied(party - 1))
      expect(opening.state.culprits).toEqual(liars)
    }
  })
})

describe("the addon's kernel", () => {
  test.each(COMMITTEES)(
    "n=$n t=$t: says after every arrival what the SDK's says, and both what the rule to the letter says",
    ({ n, t, runs }) => {
      fc.assert(
        fc.property(script(n), fc.string(), (arrivals, seed) => {
          const [truth, forged] = [deal(n, t, `truth ${seed}`), deal(n, t, `forged ${seed}`)]
          const size = { n, t, blocks: BLOCKS }
          const [native, oracle] = [createOpening(size, nativeKernel), createOpening(size, bigintKernel)]
          const first = new Map<PartyIndex, Uint8Array>()
          const twice = new Set<PartyIndex>()
          let open = false
          for (const arrival of arrivals) {
            const i = arrival.party - 1
            const bytes = bytesOf(arrival, truth[i] ?? truth[0] ?? [], forged[i] ?? forged[0] ?? [])
            const state = arrive(native, arrival.party, bytes)
            expect(state).toEqual(arrive(oracle, arrival.party, bytes))
            expect(native.state).toEqual(oracle.state)
            if ("code" in state) continue
            const party = parsePartyIndex(arrival.party, n)
            if (!first.has(party)) first.set(party, bytes)
            else if (!bytes.every((byte, k) => byte === first.get(party)?.[k])) twice.add(party)
            if (open) continue
            const decision = openBitwise(first, t, BLOCKS)
            expect(state.status).toBe(decision === null ? "waiting" : "opened")
            if (state.status === "opened" && decision !== null) {
              open = true
              expect(state.values).toEqual(decision.values)
              const named = new Set([...decision.liars, ...twice])
              expect(state.culprits).toEqual([...named].sort((a, b) => a - b))
            }
          }
        }),
        { numRuns: runs },
      )
    },
  )

  test("keeps no reference to the bytes that it is given", () => {
    const shares = deal(4, 1, "reused").map((blocks) => concatBytes(...blocks.map(encode)))
    const run = nativeKernel({ n: 4, t: 1, blocks: BLOCKS })
    const buffer = new Uint8Array(64 * BLOCKS)
    const states = shares.map((bytes, i) => {
      buffer.set(bytes)
      const liars = run.add(parsePartyIndex(i + 1, 4), buffer)
      buffer.fill(0)
      return liars
    })
    expect(states).toEqual([null, null, [], []])
    expect(toHex(run.values())).toBe(toHex(run.values()))
  })

  test("refuses what its caller must not ask for", () => {
    expect(() => nativeKernel({ n: 4, t: 2, blocks: 1 })).toThrow(/^NATIVE_CONFIG/)
    expect(() => nativeKernel({ n: 4, t: 1, blocks: 65 })).toThrow(/^NATIVE_CONFIG/)
    const run = nativeKernel({ n: 4, t: 1, blocks: 1 })
    expect(() => run.values()).toThrow(/^NATIVE_CONFIG/)
    run.add(parsePartyIndex(1, 4), new Uint8Array(64))
    expect(() => run.add(parsePartyIndex(1, 4), new Uint8Array(64))).toThrow(/^NATIVE_CONFIG/)
    expect(() => run.add(parsePartyIndex(5, 5), new Uint8Array(64))).toThrow(/^NATIVE_CONFIG/)
    expect(() => run.add(parsePartyIndex(2, 4), new Uint8Array(63))).toThrow(/^SHARE_MALFORMED/)
  })
})
