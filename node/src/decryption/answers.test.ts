import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { ANSWER_PAUSE_MS, type HeardSince, needsAnswer } from "./answers.ts"

const [alice, bob] = [parsePartyIndex(1, 4), parsePartyIndex(2, 4)]

test("who approves again is answered, and again after a pause, however often it is played back meanwhile", () => {
  const heard: HeardSince = new Map()
  expect([0, 1, 2, 3].map((now) => needsAnswer(heard, alice, now))).toEqual([false, true, false, false])
  expect(needsAnswer(heard, alice, ANSWER_PAUSE_MS)).toBe(false)
  expect(needsAnswer(heard, alice, ANSWER_PAUSE_MS + 1)).toBe(true)
  expect(needsAnswer(heard, alice, 10 * ANSWER_PAUSE_MS)).toBe(true)
  expect(needsAnswer(heard, bob, 5)).toBe(false)
  expect(needsAnswer(heard, bob, 6)).toBe(true)
})
