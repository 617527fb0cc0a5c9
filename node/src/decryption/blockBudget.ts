/**
 * Blocks that a key may open in its life (protocol §5): hiding is statistical per block, so the number is published, and
 * who comes near it is told in time to make another key.
 */
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"

/** √Q·2^-39 at the narrowest mask: 2^32 blocks leave an advantage of 2^-23 at n = 15, 2^-31 at n = 4. */
export const DEFAULT_BUDGET: number = 2 ** 32

/** Parts of the budget at which an operator is told, once each and again after a restart. */
const ALARMS = [0.5, 0.75, 0.9, 1] as const

export type BudgetDeps = {
  /** Which key, for the metric. */
  readonly key: string
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** @returns what takes the blocks that were spent so far, as often as wanted */
export function watchBudget({ key, logger, metrics }: BudgetDeps, limit: number = DEFAULT_BUDGET) {
  const blocks = metrics?.gauge({
    name: "block_budget",
    help: "Blocks of ciphertexts that the key may open in its life, and those that were",
    labels: ["key", "what"],
  })
  blocks?.set(limit, { key, what: "limit" })
  let told = 0
  return (spent: number): void => {
    blocks?.set(spent, { key, what: "spent" })
    const reached = ALARMS.filter((part) => spent >= part * limit).length
    if (reached <= told) return
    told = reached
    logger.error({ key, spent, limit }, "the key's block budget runs out: make another key")
  }
}
