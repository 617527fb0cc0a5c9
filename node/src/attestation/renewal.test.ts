import fc from "fast-check"
import { expect, test } from "vitest"
import { type RenewalState, renewalState } from "./renewal.ts"

const WEEK = 604_800n
const standing = { since: 1_000n, liveUntil: 1_000n + WEEK, outdated: false }

test.each<[string, bigint, number, RenewalState]>([
  ["just registered", 1_000n, 0, { status: "fresh", wakeAt: 1_000n + WEEK / 2n }],
  ["just before half", 1_000n + WEEK / 2n - 1n, 0, { status: "fresh", wakeAt: 1_000n + WEEK / 2n }],
  ["at half", 1_000n + WEEK / 2n, 0, { status: "due", retryAt: 1_030n + WEEK / 2n }],
  ["after three failures", 1_000n + WEEK / 2n, 3, { status: "due", retryAt: 1_240n + WEEK / 2n }],
  ["after many failures", 1_000n + WEEK / 2n, 60, { status: "due", retryAt: 4_600n + WEEK / 2n }],
  [
    "little left",
    1_000n + WEEK - 800n,
    9,
    { status: "urgent", retryAt: 1_100n + WEEK - 800n, secondsLeft: 800n },
  ],
  ["at the end", 1_000n + WEEK, 0, { status: "lapsed", retryAt: 1_030n + WEEK }],
])("%s", (_, now, attempts, want) => {
  expect(renewalState(standing, now, attempts)).toEqual(want)
})

test("standing under rules that changed is due at once", () => {
  const outdated = { ...standing, outdated: true }
  expect(renewalState(outdated, 1_001n, 0)).toEqual({ status: "due", retryAt: 1_031n })
  expect(renewalState(outdated, 1_000n + WEEK, 0).status).toBe("lapsed")
})

test("removed standing is lapsed at once", () => {
  expect(renewalState({ since: 1_000n, liveUntil: 0n, outdated: false }, 1_001n, 0).status).toBe("lapsed")
})

test("a live node always wakes before its standing ends, and never in the past", () => {
  const time = fc.bigInt(0n, 2n ** 34n)
  fc.assert(
    fc.property(
      time,
      fc.bigInt(1n, WEEK),
      fc.bigInt(0n, WEEK),
      fc.nat(40),
      (since, lifetime, age, attempts) => {
        const now = since + age
        const state = renewalState({ since, liveUntil: since + lifetime, outdated: false }, now, attempts)
        if (state.status === "fresh") {
          expect(state.wakeAt).toBeGreaterThan(now)
          expect(state.wakeAt).toBeLessThan(since + lifetime)
        } else {
          expect(state.retryAt).toBeGreaterThan(now)
          expect(state.status === "lapsed").toBe(age >= lifetime)
        }
      },
    ),
  )
})
