import { expect, test } from "vitest"
import { mergeTcbStatus, TCB_STATUSES, type TcbStatus } from "./tcbStatus.ts"

test.each<[TcbStatus, TcbStatus, TcbStatus]>([
  ["UpToDate", "UpToDate", "UpToDate"],
  ["UpToDate", "OutOfDate", "OutOfDate"],
  ["SWHardeningNeeded", "OutOfDate", "OutOfDate"],
  ["ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"],
  ["ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"],
  ["ConfigurationNeeded", "SWHardeningNeeded", "ConfigurationAndSWHardeningNeeded"],
  ["OutOfDate", "Revoked", "Revoked"],
])("%s with %s is %s", (one, other, want) => {
  expect(mergeTcbStatus(one, other)).toBe(want)
  expect(mergeTcbStatus(other, one)).toBe(want)
})

test("merging never gives a better status than either part", () => {
  for (const one of TCB_STATUSES)
    for (const other of TCB_STATUSES) {
      const merged = TCB_STATUSES.indexOf(mergeTcbStatus(one, other))
      expect(merged).toBeGreaterThanOrEqual(Math.max(TCB_STATUSES.indexOf(one), TCB_STATUSES.indexOf(other)))
    }
})
