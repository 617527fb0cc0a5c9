import { expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { createHeadHint, polledHint } from "./headHint.ts"

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("many listeners share one source, which runs only while somebody listens", () => {
  const clock = createManualClock(0)
  let starts = 0
  let stops = 0
  let wake = (): void => {}
  const hint = createHeadHint((changed) => {
    starts += 1
    wake = changed
    return () => {
      stops += 1
    }
  }, clock)
  const heard: string[] = []
  const cancelA = hint.onHead(() => heard.push("a"))
  const cancelB = hint.onHead(() => heard.push("b"))
  wake()
  clock.advance(20)
  cancelA()
  cancelA()
  wake()
  expect(heard).toEqual(["a", "b", "b"])
  expect([starts, stops]).toEqual([1, 0])
  cancelB()
  wake()
  expect(heard).toHaveLength(3)
  expect([starts, stops]).toEqual([1, 1])
  hint.onHead(() => {})
  expect(starts).toBe(2)
})

test("a listener that cancels another one while it is told", () => {
  let wake = (): void => {}
  const hint = createHeadHint((changed) => {
    wake = changed
    return () => {}
  }, createManualClock(0))
  const heard: string[] = []
  hint.onHead(() => cancel())
  const cancel = hint.onHead(() => heard.push("cancelled"))
  wake()
  expect(heard).toEqual([])
})

test("polling wakes on another number only, and pauses longer after failures", async () => {
  const clock = createManualClock(0)
  let answer: bigint | Error = 5n
  let asked = 0
  let heard = 0
  const source = polledHint({
    newestBlock: async () => {
      asked += 1
      if (answer instanceof Error) throw answer
      return answer
    },
    scheduler: clock,
    pollMs: 25,
  })
  const cancel = source(() => {
    heard += 1
  })
  const step = async (milliseconds: number): Promise<void> => {
    await settle()
    clock.advance(milliseconds)
    await settle()
  }
  await step(25)
  expect([asked, heard]).toEqual([2, 1])
  answer = 6n
  await step(25)
  expect([asked, heard]).toEqual([3, 2])
  answer = new Error("down")
  await step(25)
  await step(25)
  expect(asked).toBe(4)
  await step(25)
  expect(asked).toBe(5)
  cancel()
  await step(60_000)
  expect([asked, heard]).toEqual([5, 2])
  expect(clock.pending()).toEqual([])
})

test("a flood of hints wakes once at once and then once per gap", () => {
  const clock = createManualClock(0)
  let wake = (): void => {}
  let heard = 0
  const cancel = createHeadHint((changed) => {
    wake = changed
    return () => {}
  }, clock).onHead(() => {
    heard += 1
  })
  for (let i = 0; i < 1000; i++) wake()
  expect(heard).toBe(1)
  for (let millisecond = 0; millisecond < 100; millisecond++) {
    for (let i = 0; i < 100; i++) wake()
    clock.advance(1)
  }
  expect(heard).toBe(6)
  clock.advance(1000)
  expect([heard, clock.pending().length]).toEqual([6, 0])
  wake()
  wake()
  cancel()
  clock.advance(1000)
  expect([heard, clock.pending().length]).toEqual([7, 0])
})
