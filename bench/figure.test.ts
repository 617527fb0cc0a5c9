import { expect, test } from "vitest"
import { assertSane, figure, percentile } from "./figure.ts"

test("percentiles are nearest rank", () => {
  const values = [5, 1, 4, 2, 3]
  expect(percentile(values, 50)).toBe(3)
  expect(percentile(values, 99)).toBe(5)
  expect(() => percentile([], 50)).toThrow(RangeError)
})

test("a figure that is no positive number is refused by name", () => {
  expect(() => assertSane([figure("good", 1, "ms"), figure("bad", Number.NaN, "ms")])).toThrow("bad")
  expect(() => assertSane([figure("zero", 0, "ms")])).toThrow("zero")
  expect(() => assertSane([])).toThrow("nothing")
})
