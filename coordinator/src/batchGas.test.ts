import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { isCheaper } from "./batchGas.ts"

const snapshots = JSON.parse(
  readFileSync(new URL("../../contracts/snapshots/Transactions.json", import.meta.url), "utf8"),
) as Record<string, string>
const gas = (name: string): number => Number(snapshots[name])

/** Fewest waiting results of a batch that are worth it. */
const fewest = (leaves: number) => {
  for (let waiting = 1; waiting <= leaves; waiting++) if (isCheaper(waiting, leaves)) return waiting
  return Number.POSITIVE_INFINITY
}

test("one result goes alone, two of two together, two of 64 alone", () => {
  expect(isCheaper(0, 0)).toBe(false)
  expect([1, 2, 3, 8, 64].map(fewest)).toEqual([Number.POSITIVE_INFINITY, 2, 2, 3, 17])
})

test("the figures are the contracts' own", () => {
  const alone = gas("accept 1 handle, 3 of 4")
  const batch = gas("accept 64 results of 1 handle, 3 of 4")
  // Where all wait, nothing is skipped: the batch is one verification of all against one of each.
  const worth = (waiting: number) => batch + (64 - waiting) * 4_000 < waiting * alone
  for (let waiting = 1; waiting <= 64; waiting++) expect(isCheaper(waiting, 64)).toBe(worth(waiting))
})
