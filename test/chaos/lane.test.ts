import { createManualClock } from "@twinlock/node/clock"
import { expect, test } from "vitest"
import { CALM, createLane, KEPT_BYTES, type Weather } from "./lane.ts"

function world(weather: Weather) {
  const clock = createManualClock(0)
  const seen: (readonly [number, string | number])[] = []
  const lane = createLane(clock, weather, {
    write: ({ length }) => seen.push([clock.now(), length]),
    finish: (ending) => seen.push([clock.now(), ending]),
    hold: (wait) => seen.push([clock.now(), wait ? "wait" : "go on"]),
  })
  return { clock, seen, lane }
}
const bytes = (length: number) => new Uint8Array(length)

test("a calm lane passes at once, and ends as its sender does", () => {
  const { lane, seen, clock } = world(CALM)
  lane.push(bytes(3))
  lane.end("end")
  expect(seen).toEqual([
    [0, 3],
    [0, "end"],
  ])
  expect(clock.pending()).toEqual([])
})

test("a delay moves every byte, and the end behind them", () => {
  const { lane, seen, clock } = world({ ...CALM, delayMs: 100 })
  lane.push(bytes(3))
  clock.advance(40)
  lane.push(bytes(4))
  lane.end("break")
  clock.advance(59)
  expect(seen).toEqual([])
  clock.advance(1)
  expect(seen).toEqual([[100, 3]])
  clock.advance(1000)
  expect(seen).toEqual([
    [100, 3],
    [140, 4],
    [140, "break"],
  ])
})

test("a throttled lane passes so many bytes in a second, in small pieces", () => {
  const { lane, seen, clock } = world({ ...CALM, bytesPerSecond: 4096 })
  lane.push(bytes(10_000))
  lane.end("end")
  clock.advance(10_000)
  expect(seen).toEqual([
    [0, 4096],
    [1000, 4096],
    [2000, 1808],
    [2000 + (1000 * 1808) / 4096, "end"],
  ])
})

test("what is held comes after the healing, whole and in order", () => {
  const { lane, seen, clock } = world({ ...CALM, held: true })
  lane.push(bytes(1))
  lane.push(bytes(2))
  lane.end("break")
  clock.advance(60_000)
  expect(seen).toEqual([])
  lane.set(CALM)
  expect(seen.map(([, what]) => what)).toEqual([1, 2, "break"])
})

test("healing takes back delay and throttle from what is under way", () => {
  const { lane, seen, clock } = world({ delayMs: 500, bytesPerSecond: 10, held: false })
  lane.push(bytes(5000))
  clock.advance(500)
  lane.set(CALM)
  expect(seen).toEqual([
    [500, 4096],
    [500, 904],
  ])
})

test("the sender waits while too much is under way", () => {
  const { lane, seen } = world({ ...CALM, held: true })
  lane.push(bytes(KEPT_BYTES))
  expect(seen).toEqual([])
  lane.push(bytes(1))
  expect(seen).toEqual([[0, "wait"]])
  lane.set(CALM)
  expect(seen.map(([, what]) => what)).toEqual(["wait", KEPT_BYTES, "go on", 1])
})

test("a stopped lane passes nothing more", () => {
  const { lane, seen, clock } = world({ ...CALM, delayMs: 10 })
  lane.push(bytes(1))
  lane.stop()
  clock.advance(100)
  expect(seen).toEqual([])
})
