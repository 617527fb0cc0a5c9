import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { judgeUnderBestSets } from "./bestSets.ts"
import type { CollateralSource } from "./collateralSource.ts"
import type { TcbSet } from "./pccs.ts"
import { originOf } from "./quoteOrigin.ts"

const NOW = 1_791_158_400
const DAY = 86_400
const platform = createPlatform({ seed: "best sets", now: NOW })
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const bytes = platform.quote({ machine: "alice" })
const quote = parseQuote(bytes)
const known = { bytes, quote, origin: originOf(quote, verifier.rootId) }

type Judgement = "good" | "out" | "refused"
const LEVELS = {
  good: [{ isvSvn: 1, status: "UpToDate" }],
  out: [
    { isvSvn: 250, status: "UpToDate" },
    { isvSvn: 1, status: "OutOfDate" },
  ],
  refused: [{ isvSvn: 250, status: "UpToDate" }],
} as const
const moduleId = `TDX_${String(quote.report.teeTcbSvn[1]).padStart(2, "0")}`

type Sets = Partial<Record<`${number}`, readonly [tcb: Judgement, qe: Judgement, CollateralKnobs?]>>

/** @param sets what the service has, by number. The standard is 20, the early one the highest. */
function sourceOf(sets: Sets) {
  const asked: TcbSet[] = []
  const source: CollateralSource = {
    async collateralFor(_platform, terms, set = "standard") {
      asked.push(set)
      const newest = Math.max(...Object.keys(sets).map(Number))
      const number = set === "standard" ? 20 : set === "early" ? newest : set
      const found = sets[`${number}`]
      if (found === undefined) throw new ProtocolError({ code: "COLLATERAL_RESPONSE", message: "404" })
      const [tcb, qe, knobs] = found
      const bundle = platform.collateral({
        ...{ evaluationNumber: number, qeEvaluationNumber: number },
        modules: [{ id: moduleId, levels: LEVELS[tcb] }],
        qeLevels: LEVELS[qe],
        ...knobs,
      })
      return verifier.verifyCollateral(bundle, terms)
    },
  }
  return { source, asked }
}
const judge = async (sets: Sets, floors: { tcb: number; qe: number }, source = sourceOf(sets).source) => {
  const judged = await judgeUnderBestSets(known, { time: NOW, floors }, { verifier, collateral: source })
  // What comes along is what it was judged with: whoever judges again finds the same.
  const { bundle } = judged.collateral
  const again = verifier.verify(known.bytes, { collateral: bundle, time: NOW, floors: { tcb: 0, qe: 0 } })
  expect(again.status).toBe(judged.verified.status)
  return judged.verified
}

describe("a quote counts under", () => {
  test.each<[string, Sets, tcb: number, qe: number, readonly [string, number, number]]>([
    ["the standard set", { 20: ["good", "good"], 21: ["good", "good"] }, 19, 19, ["UpToDate", 20, 20]],
    [
      "an older set above the floors",
      { 19: ["good", "good"], 20: ["out", "out"] },
      19,
      19,
      ["UpToDate", 19, 19],
    ],
    ["no set below the floors", { 19: ["good", "good"], 20: ["out", "out"] }, 20, 20, ["OutOfDate", 20, 20]],
    ["the early set", { 20: ["out", "good"], 21: ["good", "good"] }, 20, 20, ["UpToDate", 21, 21]],
    [
      "one set for the levels and another for the quoting enclave",
      { 19: ["out", "good"], 20: ["good", "out"] },
      19,
      19,
      ["UpToDate", 20, 19],
    ],
    ["floors of their own", { 19: ["good", "good"], 20: ["out", "out"] }, 19, 20, ["OutOfDate", 19, 20]],
    [
      "the one that knows it",
      { 19: ["out", "good"], 20: ["refused", "good"] },
      19,
      19,
      ["OutOfDate", 19, 20],
    ],
    ["a set well below", { 14: ["good", "good"], 20: ["good", "refused"] }, 0, 0, ["UpToDate", 20, 14]],
    [
      "no set past its date",
      { 19: ["good", "good", { issuedAt: NOW - 31 * DAY }], 20: ["out", "good"] },
      19,
      19,
      ["OutOfDate", 20, 20],
    ],
  ])("%s", async (_, sets, tcb, qe, expected) => {
    const { status, evaluationNumber, qeEvaluationNumber } = await judge(sets, { tcb, qe })
    expect([status, evaluationNumber, qeEvaluationNumber]).toEqual(expected)
  })
})

test("a machine that the standard set accepts costs one question", async () => {
  const { source, asked } = sourceOf({ 19: ["good", "good"], 20: ["good", "good"] })
  await judge({}, { tcb: 0, qe: 0 }, source)
  expect(asked).toEqual(["standard"])
})

test("no more sets are asked for than the registry keeps", async () => {
  const { source, asked } = sourceOf({ 20: ["out", "good"] })
  await judge({}, { tcb: 0, qe: 0 }, source)
  expect(asked.filter((set) => typeof set === "number")).toEqual([19, 18, 17, 16, 15, 14, 13])
})

test("where every set refuses, the standard one's reason is told", async () => {
  const sets: Sets = { 19: ["refused", "good"], 20: ["refused", "good"] }
  await expect(judge(sets, { tcb: 19, qe: 19 })).rejects.toThrow("MODULE_TCB_LEVEL")
  await expect(judge(sets, { tcb: 21, qe: 21 })).rejects.toThrow("TCB_INFO_BELOW_FLOOR")
})

test.each<[string, CollateralKnobs, CollateralKnobs]>([
  ["the CA", { pckCrl: { thisUpdate: NOW - DAY } }, { revokedPck: [platform.machine("alice").pckSerial] }],
  [
    "the root",
    { rootCrl: { thisUpdate: NOW - DAY } },
    { revokedByRoot: [platform.machine("alice").pckSerial] },
  ],
])("the newest list of %s counts, whichever set it came with", async (_, old, revoking) => {
  const sets: Sets = { 20: ["out", "good", old], 21: ["refused", "good", revoking] }
  await expect(judge(sets, { tcb: 20, qe: 20 })).rejects.toThrow("PCK_REVOKED")
})

test("what is no matter of sets is refused at once", async () => {
  const { source, asked } = sourceOf({
    20: ["good", "good", { revokedPck: [platform.machine("alice").pckSerial] }],
  })
  await expect(judge({}, { tcb: 20, qe: 20 }, source)).rejects.toThrow("PCK_REVOKED")
  expect(asked).toEqual(["standard"])
})
