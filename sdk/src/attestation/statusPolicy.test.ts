import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { DEFAULT_POLICY } from "./policy.ts"
import { checkStatus, type JudgedStatus, type StatusPolicy } from "./statusPolicy.ts"
import type { MatchedLevel } from "./tcbLevel.ts"
import { mergeTcbStatus, TCB_STATUSES, type TcbStatus } from "./tcbStatus.ts"

const DAY = 86_400
const RELEASED = 1_750_000_000
const level = (status: TcbStatus, supersededAt: number | null = null): MatchedLevel => ({
  status,
  advisories: [],
  tcbDate: RELEASED - 100 * DAY,
  supersededAt,
})

function judged(
  verifiedAt: number,
  platform: MatchedLevel,
  module: MatchedLevel = level("UpToDate"),
  quotingEnclave: MatchedLevel = level("UpToDate"),
): JudgedStatus {
  const levels = { platform, module, quotingEnclave }
  const status = Object.values(levels)
    .map((part) => part.status)
    .reduce(mergeTcbStatus)
  return { status, levels, advisories: [], verifiedAt }
}

const strict: StatusPolicy = { accepted: ["UpToDate"], outOfDateGraceDays: 0, advisories: null }
const graceful: StatusPolicy = { ...strict, outOfDateGraceDays: 14 }
const old = (status: TcbStatus = "OutOfDate") => level(status, RELEASED)

test.each(TCB_STATUSES)("the default policy accepts UpToDate alone, judging %s", (status) => {
  const verdict = codeOf(() => checkStatus(judged(RELEASED, level(status)), DEFAULT_POLICY.status))
  expect(verdict).toBe(status === "UpToDate" ? "none" : "POLICY_TCB_STATUS")
})

test("further statuses are accepted where policy names them", () => {
  const hardened = { ...strict, accepted: ["UpToDate", "SWHardeningNeeded"] } as const
  expect(codeOf(() => checkStatus(judged(0, level("SWHardeningNeeded")), hardened))).toBe("none")
  const both = judged(0, level("SWHardeningNeeded"), level("ConfigurationNeeded"))
  expect(codeOf(() => checkStatus(both, hardened))).toBe("POLICY_TCB_STATUS")
})

test("an out-of-date part has its days from the better level on, and not one second more", () => {
  const at = (time: number) => codeOf(() => checkStatus(judged(time, old()), graceful))
  expect(at(RELEASED)).toBe("none")
  expect(at(RELEASED + 14 * DAY)).toBe("none")
  expect(at(RELEASED + 14 * DAY + 1)).toBe("POLICY_TCB_GRACE")
  expect(codeOf(() => checkStatus(judged(RELEASED, old()), strict))).toBe("POLICY_TCB_STATUS")
})

test("every out-of-date part is judged by its own date", () => {
  const late = level("OutOfDate", RELEASED + 30 * DAY)
  const time = RELEASED + 20 * DAY
  expect(codeOf(() => checkStatus(judged(time, late), graceful))).toBe("none")
  expect(codeOf(() => checkStatus(judged(time, late, old()), graceful))).toBe("POLICY_TCB_GRACE")
  expect(codeOf(() => checkStatus(judged(time, late, late, old()), graceful))).toBe("POLICY_TCB_GRACE")
})

test("an out-of-date part that nothing replaced has no grace", () => {
  expect(codeOf(() => checkStatus(judged(RELEASED, level("OutOfDate")), graceful))).toBe("POLICY_TCB_GRACE")
})

test("grace excuses the update only", () => {
  const configured = judged(RELEASED, old("OutOfDateConfigurationNeeded"))
  expect(codeOf(() => checkStatus(configured, graceful))).toBe("POLICY_TCB_STATUS")
  const lenient = { ...graceful, accepted: ["UpToDate", "ConfigurationNeeded"] } as const
  expect(codeOf(() => checkStatus(configured, lenient))).toBe("none")
  const revoked = judged(RELEASED, old(), level("Revoked", RELEASED))
  expect(codeOf(() => checkStatus(revoked, lenient))).toBe("POLICY_TCB_STATUS")
})

test("a revoked part is not acceptable, whatever a list says", () => {
  const accepted = [...TCB_STATUSES] as unknown as StatusPolicy["accepted"]
  const verdict = codeOf(() => checkStatus(judged(0, level("Revoked")), { ...graceful, accepted }))
  expect(verdict).toBe("POLICY_TCB_STATUS")
})

test("advisories are any, or those of the list", () => {
  const advised = { ...judged(0, level("UpToDate")), advisories: ["INTEL-SA-1", "INTEL-SA-2"] }
  const under = (advisories: readonly string[] | null) =>
    codeOf(() => checkStatus(advised, { ...strict, advisories }))
  expect(under(null)).toBe("none")
  expect(under(["INTEL-SA-2", "INTEL-SA-1", "INTEL-SA-3"])).toBe("none")
  expect(under(["INTEL-SA-1"])).toBe("POLICY_ADVISORY")
  expect(under([])).toBe("POLICY_ADVISORY")
})
