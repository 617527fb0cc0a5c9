/**
 * The seam of robust opening (protocol §3): what computes. The SDK has a kernel of BigInts (./bigintKernel.ts), the node one
 * in its addon; after every arrival both say the same. Bytes in, bytes out, synchronous. All inputs are masked shares of one
 * session, public values: a kernel may branch on them.
 */
import type { PartyIndex } from "../protocol/ids.ts"

/** n and t of the committee; `blocks` of the ciphertext, 1..64. */
export type OpeningSize = { readonly n: number; readonly t: number; readonly blocks: number }

/**
 * The computation of one opening. A block is decided when one polynomial of degree t carries more than 2t of the shares
 * heard; the opening, when all blocks are and at most t parties are off. It remains so, whatever comes later.
 */
export type OpeningRun = {
  /**
   * Takes the first share of a party: 64 bytes per block, not kept by reference. Returns the parties off a polynomial,
   * ascending, once open; null before. The caller guarantees the length and that the party is one of 1..n not heard yet.
   */
  add(party: PartyIndex, share: Uint8Array): readonly PartyIndex[] | null
  /** The opened values, 64 bytes per block. The caller guarantees that `add` has returned parties. */
  values(): Uint8Array
}

export type OpeningKernel = (size: OpeningSize) => OpeningRun

/** Errors that may be corrected among `heard` shares, the asynchronous rule; negative where it is too early. */
export const errorBudget = (heard: number, t: number): number =>
  Math.min(heard - (2 * t + 1), t, Math.floor((heard - t - 1) / 2))
