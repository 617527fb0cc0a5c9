import { expect, test } from "vitest"
import { abortCause, hasFinished, roundTimes } from "./nodeLog.ts"

const line = (seconds: number, fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ time: new Date(1_800_000_000_000 + 1000 * seconds).toISOString(), ...fields })

const ROUNDS = [
  line(0, { msg: "peer attested" }),
  line(1, { msg: "ceremony round", round: "standing", number: 0 }),
  line(1, { msg: "ceremony", phase: "standing" }),
  "not JSON",
  line(3.5, { msg: "ceremony round", round: "hello", number: 1 }),
]

test("a finished ceremony tells the time of every round", () => {
  const log = [...ROUNDS, line(4.25, { msg: "ceremony finished" }), '{"time":"2026'].join("\n")
  expect(roundTimes(log)).toEqual([
    { name: "standing", seconds: 2.5 },
    { name: "hello", seconds: 0.75 },
  ])
  expect(abortCause(log)).toBeNull()
  expect([hasFinished(log), hasFinished(ROUNDS.join("\n"))]).toEqual([true, false])
})

test("an aborted one tells why", () => {
  const cause = { check: "CHUNK_SILENT", round: "chunk-digests", message: "chunk 3 lacks parties 2" }
  const log = [...ROUNDS, line(9, { msg: "ceremony aborted", ...cause })].join("\n")
  expect(abortCause(log)).toBe("CHUNK_SILENT in round chunk-digests: chunk 3 lacks parties 2")
})
