/**
 * Who still needs this node's word on a subject that is certified here. A peer that was cut off or restarted goes on
 * approving the subject; one that is merely slow approves it once, and has all it needs on the way. Bounded in time for each
 * party and subject: words of honest peers can be played back by anybody, which must neither cost much nor use up answers.
 */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"

/** When parties that approved the subject since it was certified were answered last; null for not yet. */
export type HeardSince = Map<PartyIndex, number | null>

/** Milliseconds between two answers to one party. */
export const ANSWER_PAUSE_MS = 30_000

/** Notes one more approval of the party. @param now milliseconds. @returns true where it is to be answered */
export function needsAnswer(heard: HeardSince, party: PartyIndex, now: number): boolean {
  const answered = heard.get(party)
  if (answered === undefined) heard.set(party, null)
  if (answered === undefined || (answered !== null && now - answered < ANSWER_PAUSE_MS)) return false
  heard.set(party, now)
  return true
}
