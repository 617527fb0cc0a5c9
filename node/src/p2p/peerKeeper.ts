/**
 * Keeps an attested connection to every configured peer: dials, and redials with growing pauses. Of two nodes that
 * know each other the one with the lower signer dials at once and the other a moment later, if still needed.
 */
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Cancel, Scheduler } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"

export type PeerAddress = { readonly signer: Address; readonly multiaddr: string }

export type PeerKeeperDeps = {
  /** Resolves when the peer is attested. */
  readonly dial: (peer: PeerAddress) => Promise<void>
  readonly isConnected: (signer: Address) => boolean
  readonly scheduler: Scheduler
  /** Uniform in [0, 1): spreads redials. */
  readonly jitter: () => number
  readonly logger: Logger
  readonly metrics: Metrics | null
}

export type PeerKeeper = {
  start(): void
  /** Call when the last attested connection of a peer is gone. */
  lost(signer: Address): void
  stop(): void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** Pause before the attempt after `failures` failed ones: doubles from 0.5 s up to 30 s, of which up to half is jitter. */
export function redialPause(failures: number, jitter: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 16), LONGEST_PAUSE_MS)
  return pause * (1 - jitter / 2)
}

type Kept = { readonly peer: PeerAddress; failures: number; dialling: boolean; cancel: Cancel }

export function createPeerKeeper(
  self: Address,
  peers: readonly PeerAddress[],
  deps: PeerKeeperDeps,
): PeerKeeper {
  const { dial, isConnected, scheduler, jitter, logger, metrics } = deps
  const failed = metrics?.counter({ name: "dial_failures_total", help: "Failed dials of configured peers" })
  const kept = new Map<Address, Kept>(
    peers
      .filter(({ signer }) => signer !== self)
      .map((peer) => [peer.signer, { peer, failures: 0, dialling: false, cancel: () => {} }]),
  )
  let running = false

  const schedule = (entry: Kept, afterMs: number): void => {
    entry.cancel()
    entry.cancel = scheduler.after(afterMs, () => void attempt(entry))
  }

  const attempt = async (entry: Kept): Promise<void> => {
    if (!running || entry.dialling || isConnected(entry.peer.signer)) return
    entry.dialling = true
    try {
      await dial(entry.peer)
      entry.failures = 0
    } catch (error) {
      entry.failures++
      failed?.add()
      const reason = error instanceof Error ? error.message : "unknown failure"
      logger.info({ reason, signer: entry.peer.signer, failures: entry.failures }, "peer not reached")
    } finally {
      entry.dialling = false
    }
    if (running && !isConnected(entry.peer.signer)) schedule(entry, redialPause(entry.failures, jitter()))
  }

  return {
    start() {
      running = true
      for (const entry of kept.values())
        if (self < entry.peer.signer) void attempt(entry)
        else schedule(entry, redialPause(1, jitter()))
    },
    lost(signer) {
      const entry = kept.get(signer)
      if (running && entry !== undefined) schedule(entry, redialPause(entry.failures, jitter()))
    },
    stop() {
      running = false
      for (const entry of kept.values()) entry.cancel()
    },
  }
}
