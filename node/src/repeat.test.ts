import { describe, expect, test, vi } from "vitest"
import { createManualClock } from "./clock.ts"
import { backingOff, every, repeat } from "./repeat.ts"

const never = (error: unknown): never => {
  throw error
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("repeat", () => {
  test("runs at once, then a pause after the end of each run, one at a time", async () => {
    const clock = createManualClock()
    const ends: (() => void)[] = []
    const task = vi.fn(() => new Promise<void>((resolve) => void ends.push(resolve)))
    repeat(clock, task, { pause: every(10), onError: never }).start()
    clock.advance(100)
    expect(task).toHaveBeenCalledTimes(1)
    ends[0]?.()
    await settled()
    clock.advance(9)
    expect(task).toHaveBeenCalledTimes(1)
    clock.advance(1)
    expect(task).toHaveBeenCalledTimes(2)
  })

  test("an error is told and ends nothing; pauses grow with failures in a row, and a good run forgets them", async () => {
    const clock = createManualClock()
    const outcomes = [false, false, false, true, false]
    const told: number[] = []
    const times: number[] = []
    const task = async () => {
      times.push(clock.now())
      if (!outcomes.shift()) throw new Error("no answer")
    }
    repeat(clock, task, { pause: backingOff(10, 40), onError: (_, failures) => told.push(failures) }).start()
    for (let i = 0; i < 30; i++) {
      await settled()
      clock.advance(5)
    }
    expect(times.slice(0, 5).map((time) => time - (times[0] ?? 0))).toEqual([0, 20, 60, 100, 110])
    expect(told.slice(0, 4)).toEqual([1, 2, 3, 1])
  })

  test("woken while it waits it runs at once, woken while it runs once more right after", async () => {
    const clock = createManualClock()
    const ends: (() => void)[] = []
    const task = vi.fn(() => new Promise<void>((resolve) => void ends.push(resolve)))
    const repetition = repeat(clock, task, { pause: every(10), onError: never })
    repetition.wake()
    expect(task).toHaveBeenCalledTimes(0)
    repetition.start()
    for (let i = 0; i < 5; i++) repetition.wake()
    expect(task).toHaveBeenCalledTimes(1)
    ends[0]?.()
    await settled()
    clock.advance(0)
    expect(task).toHaveBeenCalledTimes(2)
    ends[1]?.()
    await settled()
    clock.advance(9)
    expect(task).toHaveBeenCalledTimes(2)
    repetition.wake()
    expect(task).toHaveBeenCalledTimes(3)
    clock.advance(100)
    expect(task).toHaveBeenCalledTimes(3)
    ends[2]?.()
    await settled()
    repetition.stop()
    repetition.wake()
    clock.advance(100)
    expect(task).toHaveBeenCalledTimes(3)
  })

  test("the first run may wait, and is cancelled like any other", () => {
    const clock = createManualClock()
    const task = vi.fn(async () => {})
    const repetition = repeat(clock, task, { pause: every(10), onError: never })
    repetition.start(30)
    clock.advance(29)
    expect(task).not.toHaveBeenCalled()
    clock.advance(1)
    expect(task).toHaveBeenCalledTimes(1)
    repetition.stop()
    expect(clock.pending()).toEqual([])
  })

  test("a stop cancels the next run", async () => {
    const clock = createManualClock()
    const task = vi.fn(async () => {})
    const repetition = repeat(clock, task, { pause: every(10), onError: never })
    repetition.start()
    await settled()
    expect(clock.pending()).toHaveLength(1)
    repetition.stop()
    expect(clock.pending()).toEqual([])
  })

  test("a stop during a run lets none follow", async () => {
    const clock = createManualClock()
    const ends: (() => void)[] = []
    const task = () => new Promise<void>((resolve) => void ends.push(resolve))
    const repetition = repeat(clock, task, { pause: every(10), onError: never })
    repetition.start()
    repetition.stop()
    ends[0]?.()
    await settled()
    expect(clock.pending()).toEqual([])
  })
})
