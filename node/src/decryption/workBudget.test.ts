import { expect, test } from "vitest"
import { createWorkBudget } from "./workBudget.ts"

test("each peer has its own; what is spent comes back with time, up to a bound", () => {
  const budget = createWorkBudget({ perSecond: 10, atOnce: 3 })
  const spend = (peer: string, now: number) => budget.spend(peer, now)
  expect([0, 0, 0, 0].map((now) => spend("a", now))).toEqual([true, true, true, false])
  expect(spend("b", 0)).toBe(true)
  expect([99, 100, 100].map((now) => spend("a", now))).toEqual([false, true, false])
  expect([9000, 9000, 9000, 9000].map((now) => spend("a", now))).toEqual([true, true, true, false])
  // A clock that goes back gives nothing.
  expect(spend("a", 0)).toBe(false)
})

test("a debt is worked off first", () => {
  const budget = createWorkBudget({ perSecond: 10, atOnce: 3 })
  expect(budget.spend("a", 0)).toBe(true)
  budget.charge("a", 11)
  expect(budget.spend("a", 900)).toBe(false)
  expect(budget.spend("a", 1000)).toBe(true)
  expect(budget.spend("b", 1000)).toBe(true)
})
