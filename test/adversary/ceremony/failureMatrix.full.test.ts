/**
 * The cells of the matrix of failures that a run of all tests leaves out: the echo of every round, and, by two parties of
 * seven, every message and every contribution. Minutes: `npm run test:full`.
 */
import { describe, test } from "vitest"
import {
  CODES,
  expectCleanAbort,
  expectOneEnd,
  LARGE,
  roundAt,
  roundsOf,
  type Size,
  SMALL,
  sceneOf,
} from "./failureScene.ts"
import { FAULTS, type Target } from "./faults.ts"

/** All have signed by then; the echo of its last round is a matter of its own. */
const LAST = "group-signature"

const targetsOf = (kind: Target["kind"], size: Size) =>
  roundsOf(size)
    .map(({ name }, round) => ({ name, target: { kind, round } }))
    .filter(({ name }) => kind !== "echo" || name !== LAST)

describe.each([
  { who: "one of four", kind: "echo", size: SMALL },
  { who: "two of seven", kind: "message", size: LARGE },
  { who: "two of seven", kind: "echo", size: LARGE },
] as const)("by $who, a faulty $kind", ({ kind, size }) => {
  describe.each(FAULTS)("%s", (fault) => {
    test.each(targetsOf(kind, size))("$name", async ({ target }) => {
      await expectCleanAbort(sceneOf(size, target, fault), CODES[kind][fault])
    })
  })
})

// Where there is no earlier chunk to replay, nothing comes.
describe.each(FAULTS)("by two of seven, a contribution that is %s", (fault) => {
  test.each(Array.from({ length: LARGE.n + 2 }, (_, round) => round))("chunk %i", async (round) => {
    await expectCleanAbort(sceneOf(LARGE, { kind: "chunk", round }, fault), CODES.chunk[fault])
  })
})

describe.each([
  ["one of four", SMALL],
  ["two of seven", LARGE],
] as const)("by %s, the last echo", (_, size) => {
  test.each(FAULTS)("%s: all end alike", async (fault) => {
    await expectOneEnd(sceneOf(size, { kind: "echo", round: roundAt(size, LAST) }, fault))
  })
})
