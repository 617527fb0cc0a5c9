/**
 * This node's FROST nonces (signing.md, gap 7): in memory only, handed out as commitments, consumed by the first use,
 * gone at a restart. Bounded: the oldest unused pair goes first.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair } from "@twinlock/sdk/protocol/messages"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import type { FrostKeyShare } from "@twinlock/sdk/threshold/frost"
import { createNonces, type SigningNonces } from "@twinlock/sdk/threshold/frostSign"

export type NoncePool = {
  /** A fresh pair; its nonces wait for {@link NoncePool.take}. */
  fresh(): CommitmentPair
  /** The nonces behind a commitment, once; null where they were used, dropped, or never made. */
  take(commitment: CommitmentPair): SigningNonces | null
  /** True while the nonces behind a commitment are unused. */
  holds(commitment: CommitmentPair): boolean
  wipe(): void
}

export function createNoncePool(keyShare: FrostKeyShare, rng: Rng, capacity = 4096): NoncePool {
  const unused = new Map<Hex, SigningNonces>()
  return {
    fresh() {
      const nonces = createNonces(keyShare, rng)
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
      for (const nonces of unused.values()) nonces.wipe()
      unused.clear()
    },
  }
}
