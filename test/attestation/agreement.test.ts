/**
 * The TypeScript verifier and the contracts on a real node, case by case: same verdict, same status, same facts about
 * the machine, and on each side the reason that the case names.
 */
import { afterAll, describe, expect, test } from "vitest"
import { corpus, titleOf } from "./corpus/corpus.ts"
import { SAMPLES_PRESENT } from "./corpus/samples.ts"
import { openCourts } from "./courts.ts"
import type { Verdict } from "./verdict.ts"

const courts = openCourts()
afterAll(() => courts.stop())

const reasonOf = (verdict: Verdict) => (verdict.verdict === "refused" ? verdict.reason : null)
const statusOf = (verdict: Verdict) => (verdict.verdict === "accepted" ? verdict.status : null)

describe(`agreement (real samples: ${SAMPLES_PRESENT ? "present" : "skipped, ../shared/attestation-samples is absent"})`, () => {
  // Side by side: this process verifies while the node executes.
  test.concurrent.each(corpus.map((item) => ({ title: titleOf(item), item })))("$title", async ({ item }) => {
    const { offChain, onChain } = await courts.judge(item)
    const { code, error, status } = item.expected
    expect({ offChain: reasonOf(offChain), onChain: reasonOf(onChain) }).toEqual({
      offChain: code,
      onChain: error,
    })
    for (const verdict of [offChain, onChain])
      if (verdict.verdict === "accepted") expect(statusOf(verdict)).toBe(status)
    if (offChain.verdict === "accepted" && onChain.verdict === "accepted")
      expect(onChain.facts).toEqual(offChain.facts)
  })
})
