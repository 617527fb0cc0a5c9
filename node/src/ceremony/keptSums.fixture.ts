/** Sums of chunks in memory. */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { KeptSums } from "./keptSums.ts"

export function memorySums(): KeptSums {
  const kept = new Map<Digest, Uint8Array>()
  return {
    put: async (digest, bytes) => void kept.set(digest, bytes.slice()),
    get: async (digest) => kept.get(digest) ?? null,
    clear: async () => kept.clear(),
  }
}
