import { describe, expect, test } from "vitest"
import { parseArguments } from "./arguments.ts"
import { type AttestStatusReport, attestStatus, describeAttestStatus } from "./attestStatus.ts"

const NOW = 1_791_158_400
const report: AttestStatusReport = {
  standing: {
    liveUntil: NOW + 400_000,
    renewedAt: NOW - 1_000,
    failedAttempts: 2,
    lastFailure: "TRANSACTION_FAILED: no gas",
  },
  outlook: {
    time: NOW,
    platform: { fmspc: "b0c06f000000", authority: "platform" },
    standard: { number: 20, status: "UpToDate", code: null, advisories: [] },
    newer: [],
    outlook: [
      { horizon: "early", days: 0, at: NOW, reason: "OutOfDate under set 21", warn: true },
      {
        horizon: "standard",
        days: 19.96,
        at: NOW + 1_724_544,
        reason: "when it becomes the standard",
        warn: true,
      },
      { horizon: "standing", days: null, at: null, reason: "not registered", warn: false },
    ],
  },
  outlookFailure: null,
}
const listen = { p2p: { host: "127.0.0.1", port: 0 }, announce: [], http: { host: "::1", port: 1 } }
const answering = (body: string) => async (url: unknown) => {
  expect(String(url)).toBe("http://[::1]:1/v1/attestation")
  return new Response(body)
}

describe("attest status", () => {
  test("is one command of two words", () => {
    expect(parseArguments(["attest", "status", "--json"])).toMatchObject({
      command: "attest status",
      json: true,
    })
    for (const argv of [["attest"], ["status", "attest"], ["attest", "status", "now"]])
      expect(() => parseArguments(argv)).toThrow("want one command")
  })

  test("reads the running node", async () => {
    expect(
      await attestStatus({ listen }, { fetch: answering(JSON.stringify(report)) as typeof fetch }),
    ).toEqual(report)
  })

  test.each(["{}", "not JSON"])("an answer of another kind is no node: %s", async (body) => {
    await expect(attestStatus({ listen }, { fetch: answering(body) as typeof fetch })).rejects.toThrow(
      "NODE_NOT_RUNNING",
    )
  })

  test("as text: what needs the operator is marked", () => {
    expect(describeAttestStatus(report).split("\n")).toEqual([
      "standing until 2026-10-09T15:06:40Z, last renewed 2026-10-04T23:43:20Z by this process",
      "! 2 renewals failed: TRANSACTION_FAILED: no gas",
      "machine of FMSPC b0c06f000000: UpToDate under set 20, judged 2026-10-05T00:00:00Z",
      "! under the newest TCB set  out: OutOfDate under set 21",
      "! under the standard set    20.0 days left (until 2026-10-24T23:02:24Z): when it becomes the standard",
      "  standing                  no end known: not registered",
    ])
  })

  test("before the first look, and after one that failed", () => {
    expect(
      describeAttestStatus({ ...report, outlook: null, outlookFailure: "COLLATERAL_STALE: old" }),
    ).toMatch(/not read yet\n! the last look failed: COLLATERAL_STALE: old$/)
  })
})
