/**
 * Who aggregates (protocol §6.3): parties ranked by a hash that nobody chooses, since a request id covers the hash of its
 * parent block. Rank r may act r take-over periods after the node opened the result; lower ranks go on.
 */
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { type Committee, partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"

/** All parties, first rank first. */
export function rankedParties(committee: Committee, subject: Digest): readonly PartyIndex[] {
  const weight = (party: PartyIndex) => taggedHash("twinlock/aggregator-rank/v1", subject, party)
  return partyIndexes(committee)
    .map((party) => ({ party, weight: weight(party) }))
    .sort((a, b) => (a.weight < b.weight ? -1 : 1))
    .map(({ party }) => party)
}

/** Rank of a party, from 0. */
export const rankOf = (committee: Committee, subject: Digest, party: PartyIndex): number =>
  rankedParties(committee, subject).indexOf(party)
