import { expect, test } from "vitest"
import { createBoundedCache } from "./boundedCache.ts"

test("what was not used for longest goes, by what it weighs", () => {
  const cache = createBoundedCache<string, number>(10, (value) => value)
  cache.set("a", 4)
  cache.set("b", 4)
  expect(cache.get("a")).toBe(4)
  cache.set("c", 2)
  expect(cache.size).toBe(3)
  cache.set("d", 1)
  expect([..."abcd"].map(cache.has)).toEqual([true, false, true, true])
  cache.set("a", 7)
  cache.delete("c")
  cache.set("e", 2)
  expect([..."acde"].map(cache.has)).toEqual([true, false, true, true])
  cache.set("large", 11)
  expect(cache.size).toBe(0)
  cache.set("a", 10)
  cache.clear()
  cache.set("b", 10)
  expect(cache.has("b")).toBe(true)
})
