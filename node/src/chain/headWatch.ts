/** Follows the agreed head for health and metrics: a node whose chain stands still must say so. */
import type { PartHealth } from "../api/health.ts"
import type { Cancel, Clock, Scheduler } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { BlockRef, ChainView } from "./chainView.ts"

export type HeadWatchDeps = {
  readonly chain: Pick<ChainView, "head">
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
  readonly pollMs: number
}

export type HeadWatch = {
  start(): Promise<void>
  stop(): Promise<void>
  health(): PartHealth
}

/** A head that was last read longer ago than this counts as lost. */
const STALE_MS = 60_000

export function watchHead({ chain, clock, scheduler, logger, metrics, pollMs }: HeadWatchDeps): HeadWatch {
  const height = metrics?.gauge({ name: "chain_head", help: "Number of the agreed finalised block" })
  let last: { readonly head: BlockRef; readonly readAt: number } | null = null
  let cancel: Cancel = () => {}
  let stopped = false

  const look = async (): Promise<void> => {
    try {
      last = { head: await chain.head(), readAt: clock.now() }
      height?.set(Number(last.head.number))
    } catch (error) {
      logger.warn({ err: error }, "no agreed head")
    }
    if (!stopped) cancel = scheduler.after(pollMs, () => void look())
  }
  return {
    start: look,
    async stop() {
      stopped = true
      cancel()
    },
    health() {
      if (last === null) return { ready: false, reason: "no head was agreed yet" }
      const age = clock.now() - last.readAt
      return {
        ready: age < STALE_MS,
        reason: `block ${last.head.number}, read ${Math.round(age / 1000)} s ago`,
      }
    },
  }
}
