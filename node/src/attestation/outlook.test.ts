import { describe, expect, test } from "vitest"
import { type Horizon, type OutlookInput, outlook, type SetVerdict } from "./outlook.ts"

const NOW = 1_791_158_400
const DAY = 86_400
const good = (number: number): SetVerdict => ({ number, status: "UpToDate", code: null, advisories: [] })
const old = (number: number): SetVerdict => ({
  number,
  status: "OutOfDate",
  code: null,
  advisories: ["INTEL-SA-01245"],
})
const gone = (number: number): SetVerdict => ({ number, status: null, code: "TCB_LEVEL", advisories: [] })
const listed = (number: number, days: number) => ({
  number,
  recoveryEvent: NOW + (days - 365) * DAY,
  standardFrom: NOW + days * DAY,
})

const input = (changes: Partial<OutlookInput> = {}): OutlookInput => ({
  time: NOW,
  standard: good(20),
  newer: [],
  numbers: [],
  newestKnown: true,
  collateralUntil: NOW + 25 * DAY,
  standingUntil: NOW + 6 * DAY,
  ...changes,
})
const of = (horizon: Horizon, changes: Partial<OutlookInput>) =>
  outlook(input(changes)).find((item) => item.horizon === horizon)

describe("outlook", () => {
  test("a machine that every set accepts has nothing to fear but renewal", () => {
    const all = outlook(input({ newer: [good(21)], numbers: [listed(21, 200)] }))
    expect(all.map(({ horizon, days, warn }) => [horizon, days, warn])).toEqual([
      ["standing", 6, false],
      ["collateral", 25, false],
      ["early", null, false],
      ["standard", null, false],
    ])
  })

  test.each<[string, Partial<OutlookInput>, Horizon, number | null, boolean]>([
    ["out under the early set", { newer: [old(21)], numbers: [listed(21, 200)] }, "early", 0, true],
    ["when the standard adopts it", { newer: [old(21)], numbers: [listed(21, 200)] }, "standard", 200, false],
    ["30 days before that", { newer: [old(21)], numbers: [listed(21, 30)] }, "standard", 30, false],
    ["fewer than 30 days before", { newer: [old(21)], numbers: [listed(21, 29.9)] }, "standard", 29.9, true],
    ["at a date that is past", { newer: [old(21)], numbers: [listed(21, -3)] }, "standard", 0, true],
    ["at an unknown date", { newer: [old(21)] }, "standard", 0, true],
    ["refused by the newest set", { newer: [good(21), gone(22)] }, "early", 0, true],
    [
      "with a second newer set",
      { newer: [good(21), gone(22)], numbers: [listed(21, 10), listed(22, 300)] },
      "standard",
      300,
      false,
    ],
    ["out already", { standard: old(20) }, "standard", 0, true],
    ["out already, without newer sets", { standard: old(20) }, "early", 0, true],
    [
      "back under a newer set",
      { newer: [old(21), good(22)], numbers: [listed(21, 40)] },
      "early",
      null,
      false,
    ],
    ["listed and given by no service", { numbers: [listed(21, 200)] }, "standard", 200, true],
    ["listed, early and given by no service", { numbers: [listed(21, 200)] }, "early", null, true],
    [
      "checked before what is not",
      { newer: [good(21)], numbers: [listed(21, 40), listed(22, 90)] },
      "standard",
      90,
      true,
    ],
    [
      "out before what is not checked",
      { newer: [old(21)], numbers: [listed(21, 40), listed(22, 90)] },
      "standard",
      40,
      false,
    ],
    [
      "out after what is not checked",
      { newer: [old(22)], numbers: [listed(21, 40), listed(22, 90)] },
      "standard",
      40,
      true,
    ],
    [
      "an unchecked set between checked ones",
      { newer: [good(22)], numbers: [listed(21, 40), listed(22, 90)] },
      "early",
      null,
      false,
    ],
    ["below the standard, listed", { numbers: [listed(19, -400), listed(20, -5)] }, "early", null, false],
    ["neither list nor early set", { newestKnown: false }, "early", null, true],
    ["out already, whatever the newest", { standard: old(20), newestKnown: false }, "early", 0, true],
    ["old collateral", { collateralUntil: NOW + 6.9 * DAY }, "collateral", 6.9, true],
    ["collateral that ran out", { collateralUntil: NOW - 1 }, "collateral", 0, true],
    ["standing that is not renewed", { standingUntil: NOW + DAY }, "standing", 1, true],
    ["no standing", { standingUntil: 0 }, "standing", 0, true],
    ["not registered", { standingUntil: null }, "standing", null, false],
  ])("%s", (_name, changes, horizon, days, warn) => {
    const found = of(horizon, changes)
    if (days === null) expect(found?.days).toBeNull()
    else expect(found?.days).toBeCloseTo(days, 9)
    expect(found?.warn).toBe(warn)
  })

  test("says which set and which advisories", () => {
    expect(of("standard", { newer: [old(21)], numbers: [listed(21, 9)] })?.reason).toBe(
      "OutOfDate under set 21 (INTEL-SA-01245), when it becomes the standard",
    )
    expect(of("early", { newer: [gone(22)] })?.reason).toBe("TCB_LEVEL under set 22")
    expect(of("standard", { numbers: [listed(21, 9)] })?.reason).toBe(
      "set 21 is not checked: no service gives it, and then it becomes the standard",
    )
  })
})
