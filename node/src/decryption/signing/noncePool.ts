/**
 * This node's FROST nonces (signing.md, gap 7): in memory only, handed out as commitments, consumed by the first use,
 * gone at a restart. Bounded: the oldest unused pair goes first. Some are made ahead of time, in small steps, so that an
 * answer need not wait for its next commitment.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair } from "@twinlock/sdk/protocol/messages"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import type { FrostKeyShare } from "@twinlock/sdk/threshold/frost"
import { createNonces, type SigningNonces } from "@twinlock/sdk/threshold/frostSign"
import type { Scheduler } from "../../clock.ts"

export type NoncePool = {
  /** A fresh pair; its nonces wait for {@link NoncePool.take}. */
  fresh(): CommitmentPair
  /** The nonces behind a commitment, once; null where they were used, dropped, or never made. */
  take(commitment: CommitmentPair): SigningNonces | null
  /** True while the nonces behind a commitment are unused. */
  holds(commitment: CommitmentPair): boolean
  wipe(): void
}

export type NonceStock = {
  readonly scheduler: Scheduler
  /** Pairs kept ready. */
  readonly size: number
  /** Milliseconds between two pairs made ahead of time. */
  readonly stepMs: number
}

export type NoncePoolOptions = {
  /** Handed-out pairs that are kept. */
  readonly capacity?: number
  /** None makes every pair when it is asked for. */
  readonly stock?: NonceStock
  /** A faster kernel for points. */
  readonly curve?: CurveKernel | undefined
}

export function createNoncePool(
  keyShare: FrostKeyShare,
  rng: Rng,
  { capacity = 4096, stock, curve }: NoncePoolOptions = {},
): NoncePool {
  const unused = new Map<Hex, SigningNonces>()
  const ready: SigningNonces[] = []
  let cancel: (() => void) | null = null
  let wiped = false

  /** Starts with the first use, and makes one pair a step. */
  function refill(): void {
    if (stock === undefined || cancel !== null || wiped || ready.length >= stock.size) return
    cancel = stock.scheduler.after(stock.stepMs, () => {
      cancel = null
      ready.push(createNonces(keyShare, rng, curve))
      refill()
    })
  }

  return {
    fresh() {
      const nonces = ready.shift() ?? createNonces(keyShare, rng, curve)
      refill()
      unused.set(toHex(nonces.commitment), nonces)
      for (const [name, oldest] of unused) {
        if (unused.size <= capacity) break
        oldest.wipe()
        unused.delete(name)
      }
      return nonces.commitment
    },
    holds: (commitment) => unused.has(toHex(commitment)),
    take(commitment) {
      const name = toHex(commitment)
      const nonces = unused.get(name) ?? null
      unused.delete(name)
      return nonces
    },
    wipe() {
      wiped = true
      cancel?.()
      for (const nonces of [...unused.values(), ...ready]) nonces.wipe()
      unused.clear()
      ready.length = 0
    },
  }
}
