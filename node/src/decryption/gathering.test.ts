import { expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { createGathering } from "./gathering.ts"

function scene() {
  const clock = createManualClock()
  const batches: (readonly number[])[] = []
  const gathering = createGathering<number>({
    ...{ scheduler: clock, enough: 3, longestMs: 50 },
    handOn: (items) => void batches.push(items),
  })
  const expectMany = (count: number) => {
    for (let i = 0; i < count; i++) gathering.expect()
  }
  return { clock, batches, gathering, expectMany }
}

test("what is alone does not wait", () => {
  const { batches, gathering } = scene()
  gathering.expect()
  gathering.ready(1)
  expect(batches).toEqual([[1]])
})

test("what others are close behind waits for them, be they ready or not to be had", () => {
  const { batches, gathering, expectMany } = scene()
  expectMany(3)
  gathering.ready(1)
  gathering.ready(2)
  expect(batches).toEqual([])
  gathering.failed()
  expect(batches).toEqual([[1, 2]])
})

test("enough is handed on at once", () => {
  const { batches, gathering, expectMany } = scene()
  expectMany(5)
  for (const item of [1, 2, 3, 4]) gathering.ready(item)
  expect(batches).toEqual([[1, 2, 3]])
})

test("nothing waits longer than stated for what does not come", () => {
  const { clock, batches, gathering, expectMany } = scene()
  expectMany(10)
  gathering.ready(1)
  clock.advance(49)
  gathering.ready(2)
  expect(batches).toEqual([])
  clock.advance(1)
  expect(batches).toEqual([[1, 2]])
  gathering.ready(3)
  clock.advance(50)
  expect(batches).toEqual([[1, 2], [3]])
})

test("after the end nothing is handed on", () => {
  const { clock, batches, gathering, expectMany } = scene()
  expectMany(2)
  gathering.ready(1)
  gathering.stop()
  clock.advance(100)
  gathering.ready(2)
  expect(batches).toEqual([])
  expect(clock.pending()).toEqual([])
})
