import { describe, expect, test } from "vitest"
import { COMMITTEE } from "./party.fixture.ts"
import { createProgressMeter, describeProgress, type ProgressMeter } from "./progress.ts"
import { TOY_ROUNDS } from "./toyEngine.fixture.ts"
import { plannedRounds } from "./verify/order.ts"
import { createWorld } from "./world.fixture.ts"

const PLAN = plannedRounds(COMMITTEE, TOY_ROUNDS).map(({ name }) => name)
const { keyId } = COMMITTEE

function scene(): { meter: ProgressMeter; time: { now: number }; enter(name: string): void } {
  const time = { now: 1_000_000 }
  const meter = createProgressMeter({ keyBytes: 400_000_000, now: () => time.now })
  const enter = (phase: string): void =>
    meter.enter({ keyId, phase, round: PLAN.indexOf(phase), plan: PLAN, n: 4, bytesSent: 2_000_000 })
  return { meter, time, enter }
}

describe("progress of a ceremony", () => {
  test("is nothing before and after", () => {
    const { meter, enter } = scene()
    expect(meter.current()).toBeNull()
    meter.contributed(5)
    expect(meter.current()).toBeNull()
    enter("standing")
    expect(meter.current()).toMatchObject({ phase: "standing", round: 1, rounds: PLAN.length, percent: 0 })
    meter.end()
    expect(meter.current()).toBeNull()
  })

  test("grows with what is contributed, counts its bytes, and never falls or reaches 100", () => {
    const { meter, enter } = scene()
    const seen: number[] = []
    for (const name of PLAN) {
      enter(name)
      for (let piece = 0; name === "chunk-digests" && piece < 4; piece++) {
        seen.push(meter.current()?.percent ?? -1)
        meter.contributed(125_000_000)
      }
      seen.push(meter.current()?.percent ?? -1)
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(new Set(seen).size).toBeGreaterThan(8)
    expect(seen.at(-1)).toBeLessThan(100)
    expect(meter.current()?.bytesSent).toBe(502_000_000)
  })

  test("grows with what the row check takes in, which is not sent", () => {
    const { meter, enter } = scene()
    enter("row-points")
    const before = meter.current()?.percent ?? 0
    meter.absorbed(400_000_000)
    expect(meter.current()?.percent).toBeGreaterThan(before + 2)
    expect(meter.current()?.bytesSent).toBe(2_000_000)
    const all = meter.current()?.percent
    enter("public-key")
    expect(meter.current()?.percent).toBe(all)
  })

  test("tells the time left by the measured pace at first, then by the own one", () => {
    const { meter, time, enter } = scene()
    enter("standing")
    const first = meter.current()?.secondsLeft ?? 0
    expect(first).toBeGreaterThan(100)
    time.now += 200_000
    enter("crs-1")
    const slow = meter.current()?.secondsLeft ?? 0
    expect(slow).toBeGreaterThan(2 * (first - 43))
  })

  test("another ceremony starts anew", () => {
    const { meter, time, enter } = scene()
    enter("crs-1")
    meter.contributed(7)
    time.now += 5_000
    meter.enter({
      keyId: `${keyId.slice(0, -1)}0` as typeof keyId,
      phase: "standing",
      round: 0,
      plan: PLAN,
      n: 4,
      bytesSent: 1,
    })
    expect(meter.current()).toMatchObject({ percent: 0, bytesSent: 1 })
  })

  test("one line for people", () => {
    const { meter, enter } = scene()
    enter("chunk-digests")
    meter.contributed(100_000_000)
    expect(describeProgress(meter.current() ?? never())).toMatch(
      /^chunk-digests \(7 of 22\), \d+ %, 102\.0 MB sent, about \d+ s left$/,
    )
  })

  test("a real run enters every round once, in the plan's order", async () => {
    const phases: string[] = []
    const world = createWorld({
      deps: (index, deps) => ({
        ...deps,
        onProgress: (progress) => {
          if (index !== 2) return
          phases.push(progress.phase)
          expect(progress.plan).toEqual(PLAN)
        },
      }),
    })
    await world.run()
    expect(phases).toEqual(PLAN)
  })
})

function never(): never {
  throw new Error("no progress")
}
