/** What asks the machine for time or chance is found, however it asks. */
import { randomBytes, randomFillSync, randomInt, randomUUID } from "node:crypto"
import { afterEach, describe, expect, test } from "vitest"
import type { SimulationFailure } from "./failure.ts"
import { watchMachine } from "./guards.ts"

const found: SimulationFailure[] = []
let release: () => void = () => {}
const watched = (task: () => unknown): readonly string[] => {
  release = watchMachine((failure) => found.push(failure))
  try {
    task()
  } finally {
    release()
  }
  return found.map(({ invariant }) => invariant)
}

afterEach(() => {
  release()
  found.length = 0
})

describe("is found", () => {
  test.each<[string, () => unknown]>([
    ["Date.now", () => Date.now()],
    ["new Date", () => new Date()],
    ["Date", () => Date()],
    ["performance.now", () => performance.now()],
    ["process.hrtime", () => process.hrtime()],
    ["process.hrtime.bigint", () => process.hrtime.bigint()],
    ["setTimeout", () => clearTimeout(setTimeout(() => {}, 1))],
    ["setInterval", () => clearInterval(setInterval(() => {}, 1))],
    ["setImmediate", () => clearImmediate(setImmediate(() => {}))],
    ["AbortSignal.timeout", () => AbortSignal.timeout(1)],
    ["Math.random", () => Math.random()],
    ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
    ["crypto.randomUUID", () => crypto.randomUUID()],
    ["randomBytes", () => randomBytes(1)],
    ["randomFillSync", () => randomFillSync(new Uint8Array(1))],
    ["randomInt", () => randomInt(2)],
    ["randomUUID", () => randomUUID()],
  ])("%s", (_, call) => {
    expect(watched(call)).toContain("deterministic")
  })
})

test("a time that is given is no time of the machine", () => {
  expect(watched(() => new Date(0).toISOString())).toEqual([])
  expect(new Date(5)).toBeInstanceOf(Date)
})

test("nothing is found when nobody watches", () => {
  watched(() => {})
  Date.now()
  expect(found).toEqual([])
})
