import { expect, test } from "vitest"
import { createMetrics } from "../telemetry/metrics.ts"
import { watchBudget } from "./blockBudget.ts"

test("the budget and what was spent of it are published, and who comes near it is told once per part", async () => {
  const told: unknown[] = []
  const logger = { error: (fields: unknown) => void told.push(fields) } as never
  const metrics = createMetrics()
  const note = watchBudget({ logger, metrics }, 1000)
  for (const spent of [0, 499]) note(spent)
  expect(told).toEqual([])
  for (const spent of [500, 501, 749, 900, 950, 1000, 1000]) note(spent)
  expect(told).toEqual([500, 900, 1000].map((spent) => ({ spent, limit: 1000 })))
  const text = await metrics.text()
  expect(text).toContain('twinlock_block_budget{what="limit"} 1000')
  expect(text).toContain('twinlock_block_budget{what="spent"} 1000')
})
