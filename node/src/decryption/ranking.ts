/**
 * Who aggregates (protocol §6.3): parties ranked by a hash that nobody chooses, that of the host block which holds the
 * request: requests of one block have one aggregator and share signatures. Rank r may act r take-over periods after the
 * node opened the result; lower ranks go on.
 */
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { type Committee, partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"

/**
 * All parties, first rank first.
 * @param blockHash of the block that holds the requests
 */
export function rankedParties(committee: Pick<Committee, "n">, blockHash: Digest): readonly PartyIndex[] {
  const weight = (party: PartyIndex) => taggedHash("twinlock/aggregator-rank/v2", blockHash, party)
  return partyIndexes(committee)
    .map((party) => ({ party, weight: weight(party) }))
    .sort((a, b) => (a.weight < b.weight ? -1 : 1))
    .map(({ party }) => party)
}
