/**
 * Commitments that peers published under their seat's signature (rule B′, condition iii): a signer answers only lists made
 * of these. Each is used for one list at most by an honest aggregator; a signer tracks only its own use.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair } from "@twinlock/sdk/protocol/messages"
import { assertCommitment } from "@twinlock/sdk/threshold/frostRound"

export type CommitmentBook = {
  /** From a message that the party signed. @throws FROST_COMMITMENT naming it */
  add(party: PartyIndex, commitments: readonly CommitmentPair[]): void
  has(party: PartyIndex, commitment: CommitmentPair): boolean
  /** The newest unused commitment, now used; null where the party has none. */
  take(party: PartyIndex): CommitmentPair | null
  /** True where {@link CommitmentBook.take} would give one. */
  offers(party: PartyIndex): boolean
}

/** @param capacity commitments kept per party; the oldest go first. */
export function createCommitmentBook(capacity = 1024): CommitmentBook {
  const known = new Map<PartyIndex, Map<Hex, { readonly pair: CommitmentPair; used: boolean }>>()
  const pageOf = (party: PartyIndex) => {
    const page = known.get(party) ?? new Map<Hex, { readonly pair: CommitmentPair; used: boolean }>()
    known.set(party, page)
    return page
  }
  const newest = (party: PartyIndex) => [...pageOf(party).values()].findLast(({ used }) => !used)
  return {
    add(party, commitments) {
      const page = pageOf(party)
      for (const commitment of commitments) {
        assertCommitment({ party, commitment })
        if (!page.has(toHex(commitment))) page.set(toHex(commitment), { pair: commitment, used: false })
      }
      for (const oldest of page.keys()) {
        if (page.size <= capacity) break
        page.delete(oldest)
      }
    },
    has: (party, commitment) => pageOf(party).has(toHex(commitment)),
    offers: (party) => newest(party) !== undefined,
    take(party) {
      const entry = newest(party)
      if (entry === undefined) return null
      entry.used = true
      return entry.pair
    },
  }
}
