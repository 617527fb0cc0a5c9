import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { contributors, updatesDigest } from "./crsCommittee.ts"
import { liars } from "./liars.fixture.ts"
import { party, TIMES, toyCommittee } from "./toyCrs.fixture.ts"
import type { TurnsState } from "./turnsState.ts"
import { runWorld, type World, type WorldOptions } from "./turnsWorld.fixture.ts"

const { deliveryMs, turnMs } = TIMES
/** No run needs as long. */
const FOREVER = 1_000 * turnMs

/** Uniform numbers from a seed (mulberry32). */
function picker(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

type Scene = {
  readonly size: { readonly n: number; readonly t: number }
  readonly seed: number
  readonly shift: number
  readonly zeal: number
}

const scenes = (n: number, t: number): fc.Arbitrary<Scene> =>
  fc.record({
    size: fc.constant({ n, t }),
    seed: fc.nat(),
    shift: fc.nat(n - 1),
    zeal: fc.constantFrom(0, 1, 2, 4),
  })

type Delay = (pick: (below: number) => number) => WorldOptions["delay"]

function play({ size, seed, shift, zeal }: Scene, delay: Delay): { world: World; faulty: PartyIndex[] } {
  const { n, t } = size
  const pick = picker(seed)
  const step = 1 + pick(n - 1)
  const faulty = [...new Set(Array.from({ length: t }, (_, at) => party(((shift + at * step) % n) + 1)))]
  const world = runWorld({
    ...{ committee: toyCommittee(n, t), faulty, pick },
    ...{ delay: delay(pick), hand: liars(zeal), until: FOREVER },
  })
  return { world, faulty }
}

/** None, all or any of the time allowed. */
const inTime: Delay = (pick) => () => [0, deliveryMs, pick(deliveryMs + 1)][pick(3)] ?? 0
/** First a storm: some messages take any time, and for a while nothing of some kinds gets to some parties. Then good weather. */
const lateAtFirst: Delay = (pick) => {
  const calm = pick(40) * turnMs
  const seldom = 2 + pick(30)
  const era = (1 + pick(4)) * turnMs
  const cut = new Map<string, boolean>()
  const onTime = inTime(pick)
  return (now, to, what) => {
    if (now >= calm) return onTime(now, to, what)
    const name = `${Math.floor(now / era)} ${to} ${what}`
    const isCut = cut.get(name) ?? pick(4) === 0
    cut.set(name, isCut)
    if (isCut) return era - (now % era) + onTime(now, to, what)
    return pick(seldom) === 0 ? pick(6 * turnMs) : onTime(now, to, what)
  }
}

const digestOf = ({ rules, conclusion }: TurnsState): string | null =>
  conclusion && updatesDigest(rules.committee.ceremony, conclusion.updates)

describe.each([
  { n: 4, t: 1, runs: 60 },
  { n: 7, t: 2, runs: 30 },
  { n: 10, t: 3, runs: 12 },
  { n: 13, t: 4, runs: 6 },
])("whatever $t of $n do", ({ n, t, runs }) => {
  test("in time: all others finish with one list, each of them is in it, and none is blamed", () => {
    fc.assert(
      fc.property(scenes(n, t), (scene) => {
        const { world, faulty } = play(scene, inTime)
        const states = [...world.states.values()]
        expect(states.map(({ status }) => status)).toEqual(world.honest.map(() => "finished"))
        expect(new Set(states.map(digestOf)).size).toBe(1)
        for (const { conclusion, faults } of states) {
          expect(contributors(conclusion?.updates ?? [], n)).toEqual(
            expect.arrayContaining([...world.honest]),
          )
          expect(conclusion?.turn).toBeLessThanOrEqual(n + t)
          expect([...faults.keys()].filter((index) => !faulty.includes(index))).toEqual([])
        }
      }),
      { numRuns: runs },
    )
  })

  test("however late: nobody disagrees, none of the others is blamed, and calm ends it", () => {
    fc.assert(
      fc.property(scenes(n, t), (scene) => {
        const { world, faulty } = play(scene, lateAtFirst)
        const states = [...world.states.values()]
        expect(new Set(states.map(({ status, code }) => `${status} ${code}`)).size).toBe(1)
        expect(states[0]?.status).not.toBe("running")
        expect(new Set(states.map(digestOf)).size).toBe(1)
        for (const { faults, code } of states) {
          expect([null, "CRS_TOO_FEW"]).toContain(code)
          expect([...faults.keys()].filter((index) => !faulty.includes(index))).toEqual([])
        }
      }),
      { numRuns: runs },
    )
  })
})
