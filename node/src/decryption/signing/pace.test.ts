import { expect, test } from "vitest"
import { createPace } from "./pace.ts"

test("one slow sample counts at once, and is forgotten little by little", () => {
  const pace = createPace(10_000)
  expect(pace.expected()).toBe(0)
  pace.took(100)
  pace.took(1000)
  expect(pace.expected()).toBe(1000)
  pace.took(100)
  expect(pace.expected()).toBeCloseTo(820)
  for (let i = 0; i < 30; i++) pace.took(100)
  expect(pace.expected()).toBeLessThan(102)
})

test("failures double what is expected, up to a bound", () => {
  const pace = createPace(3000)
  pace.failed(500)
  expect(pace.expected()).toBe(500)
  pace.failed(500)
  pace.failed(500)
  expect(pace.expected()).toBe(2000)
  for (let i = 0; i < 5; i++) pace.failed(500)
  pace.took(1_000_000)
  expect(pace.expected()).toBe(3000)
})
