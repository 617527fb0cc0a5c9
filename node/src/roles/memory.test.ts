import { expect, test, vi } from "vitest"
import { createManualClock } from "../clock.ts"
import { awaitNative } from "../threshold/native.ts"
import { trimMemoryRegularly } from "./memory.ts"

test("the addon gives memory back and says whether there was any", async () => {
  expect(await awaitNative((addon) => addon.trimMemory())).toBeTypeOf("boolean")
})

test("memory is given back again and again, until cancelled", async () => {
  const clock = createManualClock()
  const failed = vi.fn()
  const cancel = trimMemoryRegularly(clock, failed)
  for (let times = 0; times < 2; times++) {
    expect(clock.pending()).toHaveLength(1)
    clock.advance(30_000)
    expect(clock.pending()).toEqual([])
    await vi.waitFor(() => expect(clock.pending()).toHaveLength(1))
  }
  cancel()
  expect(clock.pending()).toEqual([])
  clock.advance(60_000)
  expect(clock.pending()).toEqual([])
  expect(failed).not.toHaveBeenCalled()
})
