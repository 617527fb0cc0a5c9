import type { QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { platform, quote, verify } from "../../../test/support/simulatedQuote.ts"
import { parseTcbInfo } from "./collateral.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import { parseQuote } from "./quote.ts"
import type { SgxExtension } from "./sgxExtension.ts"
import { platformLevel } from "./tcbLevel.ts"
import type { TcbStatus } from "./tcbStatus.ts"

const EMPTY_SGX: SgxExtension = { ppid: "0x", piid: null, fmspc: "0x", pceId: "0x", cpuSvn: [], pceSvn: 0 }

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

describe("dates", () => {
  const DATES = ["2025-08-13", "2025-05-14", "2024-03-13"]
  const at = (day: string) => Date.parse(day) / 1000
  const dated = parseTcbInfo(
    DATES.reduce((text, day, index) => {
      const document = JSON.parse(text) as { tcbLevels: Record<string, unknown>[] }
      Object.assign(document.tcbLevels[index] ?? {}, { tcbDate: `${day}T00:00:00Z` })
      return JSON.stringify(document)
    }, platform.collateral().tcb_info),
  )
  const sgx = { ...EMPTY_SGX, pceSvn: 11 }
  const levelOf = (cpuSvn: readonly number[]) =>
    platformLevel(dated, { ...sgx, cpuSvn }, parseQuote(quote({ teeTcbSvn: "0x0b0104" })).report)

  test("a level was superseded when the first better one with a later date came out", () => {
    expect(levelOf([4, 4, 2, 2, 4, 1, 0, 5])).toMatchObject({ tcbDate: at("2025-08-13"), supersededAt: null })
    expect(levelOf([3, 3, 2, 2, 4, 1, 0, 5])).toMatchObject({ supersededAt: at("2025-08-13") })
    expect(levelOf([2, 2, 2, 2, 3, 1, 0, 3])).toMatchObject({ supersededAt: at("2025-05-14") })
  })
})

describe("an update under the running domain", () => {
  const advised = (knobs: QuoteKnobs, collateral?: CollateralBundle) =>
    verify(quote({ version: 5, ...knobs }), collateral).relaunchAdvised
  const old = { teeTcbSvn: "0x060104", teeTcbSvn2: "0x0b0104" } as const

  test("asks for a relaunch where the new module is current, while the status stays", () => {
    expect(verify(quote({ version: 5, ...old }))).toMatchObject({
      status: "OutOfDate",
      relaunchAdvised: true,
    })
    expect(advised({ ...old, teeTcbSvn2: "0x050304" })).toBe(true)
    expect(advised({ ...old, teeTcbSvn2: "0x050004" })).toBe(true)
  })

  test.each<[string, QuoteKnobs, CollateralBundle?]>([
    ["a module that is current anyway", { teeTcbSvn: "0x0b0104", teeTcbSvn2: "0x0b0104" }],
    ["no update", { ...old, teeTcbSvn2: "0x060104" }],
    ["an update that is not enough", { ...old, teeTcbSvn2: "0x0a0104" }],
    ["an update with old microcode", { ...old, teeTcbSvn2: "0x0b0103" }],
    ["an unknown module", { ...old, teeTcbSvn2: "0x0b0904" }],
    ["an old module without version", { ...old, teeTcbSvn2: "0x040004" }],
    ["a TD 1.0 report", { ...old, body: "td10" }],
    ["an old quoting enclave", old, platform.collateral({ qeLevels: [{ isvSvn: 4, status: "OutOfDate" }] })],
  ])("asks for none with %s", (_, knobs, collateral) => {
    expect(advised(knobs, collateral)).toBe(false)
  })

  test("asks for none where the machine itself is out of date", () => {
    const host = platform.machine({ name: "old host", cpuSvn: "0x03030202040100050000000000000000" })
    expect(verify(platform.quote({ machine: host, version: 5, ...old })).relaunchAdvised).toBe(false)
  })
})
