/**
 * Commitments that peers published under their seat's signature (rule B′, condition iii): a signer answers only lists made
 * of these. Each is used for one list at most by an honest aggregator; a signer tracks only its own use. Aggregators of
 * different blocks work at the same time: each takes what its signers gave to it first, so that they rarely collide.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair } from "@twinlock/sdk/protocol/messages"

export type CommitmentBook = {
  /**
   * From a message that the party signed; gossip lets none through whose pairs are no points.
   * @param mine they came as the answer to an own list: no other aggregator takes them
   */
  add(party: PartyIndex, commitments: readonly CommitmentPair[], mine?: boolean): void
  has(party: PartyIndex, commitment: CommitmentPair): boolean
  /**
   * An unused commitment, now used; null where the party has none. What is this node's own comes first, then the preferred
   * ones in their order, then the newest.
   */
  take(party: PartyIndex, preferred?: readonly CommitmentPair[]): CommitmentPair | null
  /** True where {@link CommitmentBook.take} would give one. */
  offers(party: PartyIndex): boolean
  /** The party did not answer: it may have restarted, and what it gave to this node may be gone with its nonces. */
  doubt(party: PartyIndex): void
}

type Entry = { readonly pair: CommitmentPair; used: boolean }

/** @param capacity commitments kept per party; the oldest go first. */
export function createCommitmentBook(capacity = 1024): CommitmentBook {
  const known = new Map<PartyIndex, Map<Hex, Entry>>()
  const own = new Map<PartyIndex, Entry[]>()
  const pageOf = (party: PartyIndex) => {
    const page = known.get(party) ?? new Map<Hex, Entry>()
    known.set(party, page)
    return page
  }

  function trim(page: Map<Hex, Entry>): void {
    for (const oldest of page.keys()) {
      if (page.size <= capacity) break
      page.delete(oldest)
    }
  }

  function next(party: PartyIndex, preferred: readonly CommitmentPair[]): Entry | undefined {
    const given = own.get(party) ?? []
    for (let entry = given.pop(); entry !== undefined; entry = given.pop()) if (!entry.used) return entry
    const page = pageOf(party)
    const wanted = preferred.map((pair) => page.get(toHex(pair))).find((entry) => entry?.used === false)
    return wanted ?? [...page.values()].findLast(({ used }) => !used)
  }

  return {
    add(party, commitments, mine = false) {
      const page = pageOf(party)
      for (const commitment of commitments) {
        const name = toHex(commitment)
        const entry = page.get(name) ?? { pair: commitment, used: false }
        if (!page.has(name)) page.set(name, entry)
        if (!mine) continue
        const given = own.get(party) ?? []
        own.set(party, [...given.slice(1 - OWN), entry])
      }
      trim(page)
    },
    has: (party, commitment) => pageOf(party).has(toHex(commitment)),
    doubt: (party) => void own.delete(party),
    offers: (party) => [...pageOf(party).values()].some(({ used }) => !used),
    take(party, preferred = []) {
      const entry = next(party, preferred)
      if (entry === undefined) return null
      entry.used = true
      return entry.pair
    },
  }
}

/** Pairs of one party kept for own lists. */
const OWN = 16
