import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { repeat } from "./repeat.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test("work that takes long is not begun a second time meanwhile", async () => {
  const ends: (() => void)[] = []
  const stop = repeat(
    () => new Promise((resolve) => ends.push(resolve)),
    10,
    () => {},
  )
  await vi.advanceTimersByTimeAsync(100)
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await vi.advanceTimersByTimeAsync(10)
  expect(ends).toHaveLength(2)
  stop()
  ends[1]?.()
  await vi.advanceTimersByTimeAsync(100)
  expect(ends).toHaveLength(2)
})

test("work that fails is reported and done again", async () => {
  const failures: unknown[] = []
  const stop = repeat(
    () => Promise.reject(new Error("no")),
    10,
    (error) => failures.push(error),
  )
  await vi.advanceTimersByTimeAsync(25)
  expect(failures).toHaveLength(2)
  stop()
})
