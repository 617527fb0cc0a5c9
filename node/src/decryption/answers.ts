/**
 * Who still needs this node's word on a subject that is certified here. A peer that was cut off or restarted goes on
 * approving the subject; one that is merely slow approves it once, and has all it needs on the way. Bounded for each party
 * and subject: words of honest peers can be played back by anybody.
 */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"

/** Approvals of one party that were heard since the subject was certified. */
export type HeardSince = Map<PartyIndex, number>

/** Approvals of one party at which it is answered. */
const ANSWERED: readonly number[] = [2, 4]

/** Counts one more approval of the party. @returns true where it is to be answered */
export function needsAnswer(heard: HeardSince, party: PartyIndex): boolean {
  const count = (heard.get(party) ?? 0) + 1
  heard.set(party, count)
  return ANSWERED.includes(count)
}
