import type { QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { platform, quote, verify } from "../../../test/support/simulatedQuote.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import type { TcbStatus } from "./tcbStatus.ts"

describe("levels", () => {
  const statusOf = (knobs: QuoteKnobs, collateral?: CollateralBundle) =>
    verify(quote(knobs), collateral).status
  const of = (name: string, changes: object) =>
    platform.quote({ machine: platform.machine({ name, ...changes }) })

  test("lower SVNs of certificate or report lead to a lower level", () => {
    expect(verify(of("old microcode", { cpuSvn: "0x03030202040100050000000000000000" }))).toMatchObject({
      status: "OutOfDate",
      advisories: ["INTEL-SA-01245", "INTEL-SA-01312"],
    })
    expect(verify(of("old PCE", { pceSvn: 5 })).status).toBe("OutOfDate")
    expect(statusOf({ teeTcbSvn: "0x0b0103" })).toBe("OutOfDate")
  })

  test("below every level there is no status", () => {
    expect(codeOf(() => verify(of("older", { cpuSvn: "0x01030202040100050000000000000000" })))).toBe(
      "TCB_LEVEL",
    )
    expect(codeOf(() => verify(of("older PCE", { pceSvn: 4 })))).toBe("TCB_LEVEL")
  })

  test("a module with a version is judged by its identity, not by the first two TDX components", () => {
    const modules = [{ id: "TDX_05", levels: [{ isvSvn: 1, status: "UpToDate" as const }] }]
    expect(statusOf({ teeTcbSvn: "0x010504" }, platform.collateral({ modules }))).toBe("UpToDate")
    expect(statusOf({ teeTcbSvn: "0x050004" })).toBe("UpToDate")
    expect(codeOf(() => verify(quote({ teeTcbSvn: "0x020004" })))).toBe("TCB_LEVEL")
  })

  const merged: readonly [string, TcbStatus, TcbStatus, TcbStatus, TcbStatus][] = [
    ["an old module", "UpToDate", "OutOfDate", "UpToDate", "OutOfDate"],
    ["an old quoting enclave", "UpToDate", "UpToDate", "OutOfDate", "OutOfDate"],
    [
      "a wrong configuration with an old module",
      "ConfigurationNeeded",
      "OutOfDate",
      "UpToDate",
      "OutOfDateConfigurationNeeded",
    ],
    ["a revoked module", "UpToDate", "Revoked", "UpToDate", "Revoked"],
    ["a revoked quoting enclave", "SWHardeningNeeded", "UpToDate", "Revoked", "Revoked"],
    ["hardening needed", "SWHardeningNeeded", "UpToDate", "UpToDate", "SWHardeningNeeded"],
  ]
  test.each(merged)("%s: the worst status counts", (_, level, moduleStatus, qe, want) => {
    const sixteen = Array.from({ length: 16 }, () => 0)
    const collateral = platform.collateral({
      levels: [{ sgx: sixteen, pceSvn: 0, tdx: sixteen, status: level }],
      modules: [{ id: "TDX_01", levels: [{ isvSvn: 1, status: moduleStatus }] }],
      qeLevels: [{ isvSvn: 1, status: qe }],
    })
    expect(statusOf({}, collateral)).toBe(want)
  })
})
