import { expect, test } from "vitest"
import { createMetrics } from "../telemetry/metrics.ts"
import { watchBudget } from "./blockBudget.ts"

test("the budget and what was spent of it are published, and who comes near it is told once per part", async () => {
  const told: unknown[] = []
  const logger = { error: (fields: unknown) => void told.push(fields) } as never
  const metrics = createMetrics()
  const [note, other] = ["a", "b"].map((key) => watchBudget({ key, logger, metrics }, 1000))
  if (note === undefined || other === undefined) throw new Error("no watch")
  for (const spent of [0, 499]) note(spent)
  expect(told).toEqual([])
  for (const spent of [500, 501, 749, 900, 950, 1000, 1000]) note(spent)
  expect(told).toEqual([500, 900, 1000].map((spent) => ({ key: "a", spent, limit: 1000 })))
  other(7)
  const text = await metrics.text()
  expect(text).toContain('twinlock_block_budget{key="a",what="limit"} 1000')
  expect(text).toContain('twinlock_block_budget{key="a",what="spent"} 1000')
  expect(text).toContain('twinlock_block_budget{key="b",what="spent"} 7')
})
