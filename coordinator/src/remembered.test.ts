import { expect, test } from "vitest"
import { remembered } from "./remembered.ts"

test("many who ask cause one question at a time, and learn what is new after it", async () => {
  let asked = 0
  let now = 0
  const ask = remembered(
    async () => {
      asked += 1
      if (asked === 2) throw new Error("no answer")
      return asked
    },
    10,
    () => now,
  )
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1])
  now = 10
  for (let i = 0; i < 3; i++) await expect(ask()).rejects.toThrow("no answer")
  now = 20
  expect(await ask()).toBe(3)
})
