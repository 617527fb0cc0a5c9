import fc from "fast-check"
import { expect, test } from "vitest"
import { CALM_START_MS, type Fault, liveTime, recoveryMs, type Schedule, scheduleOf } from "./schedule.ts"

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
] as const
const plans = fc.record({
  seed: fc.nat(),
  size: fc.constantFrom(...SIZES),
  minutes: fc.integer({ min: 1, max: 30 }),
})
const planned = ({ seed, size, minutes }: { seed: number; size: (typeof SIZES)[number]; minutes: number }) =>
  scheduleOf({ seed, minutes, ...size })

const disturbedAt = ({ faults }: Schedule, time: number, margin: (fault: Fault) => number) =>
  new Set(
    faults.flatMap((fault) =>
      fault.at <= time && time < fault.until + margin(fault) ? fault.disturbed : [],
    ),
  )

test("one seed is one schedule, and another another", () => {
  const options = { n: 7, t: 2, minutes: 30 }
  expect(scheduleOf({ ...options, seed: 5 })).toEqual(scheduleOf({ ...options, seed: 5 }))
  expect(scheduleOf({ ...options, seed: 5 })).not.toEqual(scheduleOf({ ...options, seed: 6 }))
})

test("outside of storms at most t parties are disturbed or on their way back", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const schedule = planned(plan)
      for (const { at } of schedule.faults) {
        if (schedule.storms.some(({ from, until }) => from <= at && at < until)) continue
        expect(disturbedAt(schedule, at, recoveryMs).size).toBeLessThanOrEqual(schedule.t)
      }
    }),
    { numRuns: 40 },
  )
})

test("no party has two faults at once, every fault is within the run, and cuts have two sides", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const schedule = planned(plan)
      for (const { at, until, disturbed, action, number } of schedule.faults) {
        expect(at).toBeGreaterThanOrEqual(CALM_START_MS)
        expect(until).toBeGreaterThan(at)
        expect(until).toBeLessThanOrEqual(schedule.endMs)
        expect(disturbed.length).toBeGreaterThan(0)
        if (action.kind === "cut" || action.kind === "slow")
          expect(action.against.filter((party) => disturbed.includes(party))).toEqual([])
        const meanwhile = schedule.faults.filter(
          (other) => other.number !== number && other.at < until && at < other.until,
        )
        for (const other of meanwhile)
          expect(other.disturbed.filter((party) => disturbed.includes(party))).toEqual([])
      }
    }),
    { numRuns: 40 },
  )
})

test("half an hour brings storms of more than t, every kind of fault, and mostly time that counts", () => {
  for (let seed = 0; seed < 20; seed++) {
    const schedule = scheduleOf({ seed, n: 7, t: 2, minutes: 30 })
    expect(schedule.storms.length).toBeGreaterThanOrEqual(8)
    for (const { until } of schedule.storms)
      expect(disturbedAt(schedule, until - 1, () => 0).size).toBeGreaterThan(2)
    expect(new Set(schedule.faults.map(({ action }) => action.kind)).size).toBe(4)
    expect(schedule.faults.length).toBeGreaterThan(100)
    expect(liveTime(schedule)(0, schedule.endMs) / schedule.endMs).toBeGreaterThan(0.4)
  }
})

const stop = (number: number, at: number, until: number, disturbed: readonly number[]): Fault => ({
  ...{ number, at, until, disturbed },
  action: { kind: "stop" },
})

test("time counts while at most t are disturbed or on their way back", () => {
  const faults = [stop(1, 10_000, 20_000, [1]), stop(2, 12_000, 30_000, [2]), stop(3, 40_000, 50_000, [1])]
  const live = liveTime({ seed: 0, n: 4, t: 1, endMs: 60_000, faults, storms: [] })
  expect(live(0, 12_000)).toBe(12_000)
  // The first is back at 25 s.
  expect(live(0, 26_000)).toBe(13_000)
  expect(live(12_000, 25_000)).toBe(0)
  expect(live(12_000, 100_000)).toBe(75_000)
})
