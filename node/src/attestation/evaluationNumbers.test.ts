import { signEvaluationNumbers } from "@twinlock/devnet/agent/evaluationNumbers"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { describe, expect, test } from "vitest"
import { twelveMonthsAfter, verifyEvaluationNumbers } from "./evaluationNumbers.ts"

const NOW = 1_791_158_400
const DAY = 86_400
const platform = createPlatform({ seed: "evaluation numbers", now: NOW })
const signer = platform.tcbSigner.key
const events = { new: Date.UTC(2026, 4, 12) / 1000, old: Date.UTC(2025, 7, 12) / 1000 }
const document = signEvaluationNumbers(platform, [
  { number: 21, recoveryEvent: events.new },
  { number: 20, recoveryEvent: events.old },
])
const signed = (text: string) => ({
  text,
  signature: Buffer.from(signer.sign(utf8ToBytes(text))).toString("hex"),
})

describe("the list of TCB sets", () => {
  test("gives each number with the day on which it becomes the standard, in order", () => {
    expect(verifyEvaluationNumbers(document, signer, NOW)).toEqual([
      { number: 20, recoveryEvent: events.old, standardFrom: Date.UTC(2026, 7, 12) / 1000 },
      { number: 21, recoveryEvent: events.new, standardFrom: Date.UTC(2027, 4, 12) / 1000 },
    ])
  })

  test("twelve months are a year of the calendar", () => {
    expect(twelveMonthsAfter(Date.UTC(2027, 2, 1) / 1000)).toBe(Date.UTC(2028, 2, 1) / 1000)
    expect(twelveMonthsAfter(Date.UTC(2028, 1, 29) / 1000)).toBe(Date.UTC(2029, 2, 1) / 1000)
  })

  test.each<[string, () => unknown, string]>([
    [
      "edited",
      () => verifyEvaluationNumbers({ ...document, text: `${document.text} ` }, signer, NOW),
      "_SIGNATURE",
    ],
    ["of another signer", () => verifyEvaluationNumbers(document, platform.root.key, NOW), "_SIGNATURE"],
    ["expired", () => verifyEvaluationNumbers(document, signer, NOW + 31 * DAY), "_EXPIRED"],
    ["of the future", () => verifyEvaluationNumbers(document, signer, NOW - 1), "_EXPIRED"],
    ["no JSON", () => verifyEvaluationNumbers(signed("x"), signer, NOW), "_MALFORMED"],
    [
      "of SGX",
      () => verifyEvaluationNumbers(signed(document.text.replace("TDX", "SGX")), signer, NOW),
      "_MALFORMED",
    ],
    [
      "with another date",
      () => verifyEvaluationNumbers(signed(document.text.replaceAll("T00:00:00Z", "")), signer, NOW),
      "_MALFORMED",
    ],
  ])("one that is %s is refused", (_name, run, code) => {
    expect(run).toThrow(`EVALUATION_NUMBERS${code}`)
  })
})
