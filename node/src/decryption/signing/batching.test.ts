import { type AcceptancePolicy, STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { MAX_LEAVES } from "./batch.ts"
import { afterFailure, afterSuccess, chooseBatch, pauseAfter } from "./batching.ts"
import type { OpenResult } from "./openResult.ts"

const parties = [1, 2, 3, 4].map((index) => parsePartyIndex(index, 4))
const made = (count: number, policy: AcceptancePolicy = STANDING_POLICY): OpenResult[] =>
  Array.from(
    { length: count },
    (_, i) =>
      ({
        requestId: `${i}`,
        policy,
        together: MAX_LEAVES,
        suspect: false,
        failures: 0,
      }) as unknown as OpenResult,
  )

test("one bad result among 64 is alone after a few failures, and the others are signed meanwhile", () => {
  const all = made(64)
  const [bad] = all
  if (bad === undefined) throw new Error("no result")
  let rounds = 0
  let left = all
  for (; rounds < 20; rounds++) {
    const batch = chooseBatch(left, () => parties, 3)
    if (batch.includes(bad)) {
      afterFailure(batch, 1000, 16_000)
      if (batch.length === 1) break
    } else left = left.filter((result) => !batch.includes(result))
  }
  // What shared its last pair may be left beside it.
  expect(left.length).toBeLessThanOrEqual(2)
  expect(left).toContain(bad)
  expect(rounds).toBeLessThan(13)
})

test("a batch is made of results that a quorum approved together", () => {
  const results = made(3)
  const [first, second, third] = results
  const approvers = new Map([
    [first, parties.slice(0, 3)],
    [second, parties.slice(1)],
    [third, parties],
  ])
  const approversOf = (result: OpenResult) => approvers.get(result) ?? []
  expect(chooseBatch(results, approversOf, 3)).toEqual([first, third])
  expect(chooseBatch(results, approversOf, 2)).toEqual(results)
  // Of what was opened long ago it is no longer known who approved it: it belongs to any batch, and narrows none.
  for (const forgotten of results) {
    const known = (result: OpenResult) => (result === forgotten ? null : approversOf(result))
    const chosen = chooseBatch(results, known, 3)
    expect(chosen).toEqual(forgotten === third ? [first, third] : results)
  }
})

test("what is demanded more of is signed alone, after what can be signed together", () => {
  const demanding = made(2, { endorsements: 1, freshQuotes: 0, groupOnly: false })
  const plain = made(3)
  expect(chooseBatch([...demanding, ...plain], () => parties, 3)).toEqual(plain)
  expect(chooseBatch(demanding, () => parties, 3)).toEqual(demanding.slice(0, 1))
})

test("what failed alone waits longer and longer; success unites what was only split", () => {
  const [one, two] = made(2) as [OpenResult, OpenResult]
  expect([1, 2, 3, 4, 5, 9].map(() => afterFailure([one], 1000, 16_000))).toEqual([0, 0, 0, 1000, 2000, 4000])
  expect(pauseAfter(50, 1000, 16_000)).toBe(16_000)
  afterFailure([two, ...made(1)], 1000, 16_000)
  expect([one.together, two.together]).toEqual([1, 1])
  afterSuccess([one, two])
  expect([one.together, two.together]).toEqual([1, MAX_LEAVES])
})
