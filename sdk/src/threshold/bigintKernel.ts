/**
 * Opening kernel of BigInts: for browsers, and the oracle of the node's. Inputs are masked, public shares; BigInt arithmetic
 * is not constant time.
 */
import type { PartyIndex } from "../protocol/ids.ts"
import { BlockOpening } from "./blockOpening.ts"
import { decode, encode, equal, RING_ELEMENT_BYTES } from "./galoisRing.ts"
import { errorBudget, type OpeningKernel } from "./openingKernel.ts"

export const bigintKernel: OpeningKernel = ({ t, blocks }) => {
  const all = Array.from({ length: blocks }, () => new BlockOpening(t))
  let heard = 0
  let liars: ReadonlySet<PartyIndex> | null = null

  /** More than t liars in all decide nothing. */
  function tryOpening(): ReadonlySet<PartyIndex> | null {
    const budget = errorBudget(heard, t)
    if (budget < 0 || !all.every((block) => block.settle(budget))) return null
    const dropped = new Set(all.flatMap((block) => [...block.dropped]))
    if (dropped.size > t) return null
    for (const block of all) block.close()
    return dropped
  }

  function named(): readonly PartyIndex[] | null {
    return liars === null ? null : [...liars].sort((a, b) => a - b)
  }

  return {
    add(party, share) {
      heard++
      if (liars !== null) {
        if (all.some((block, k) => !equal(block.at(party), decode(share, k))))
          liars = new Set([...liars, party])
        return named()
      }
      all.forEach((block, k) => {
        block.hear(party, decode(share, k))
      })
      liars = tryOpening()
      return named()
    },
    values() {
      const out = new Uint8Array(blocks * RING_ELEMENT_BYTES)
      all.forEach((block, k) => {
        out.set(encode(block.at(0)), k * RING_ELEMENT_BYTES)
      })
      return out
    },
  }
}
