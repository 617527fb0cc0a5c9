/**
 * An aggregator's lists for one batch (protocol §6.3; ROAST): while members of one list are silent, those that answered are
 * asked again in another, with their fresh commitments. Each silent or lying party spoils at most one list, so that t+1
 * of them are enough. Pure.
 */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { SignatureShare } from "@twinlock/sdk/protocol/messages"
import { addShare, missing, type SigningAttempt } from "./attempt.ts"
import type { Batch } from "./batch.ts"
import type { OpenResult, RankGroup } from "./openResult.ts"

export type SigningSession = {
  readonly group: RankGroup
  readonly results: readonly OpenResult[]
  readonly batch: Batch
  /** Lists that may still become a signature. */
  readonly lists: Set<SigningAttempt>
  /** Parties that sent a wrong share for one of the lists. */
  readonly liars: Set<PartyIndex>
  /** Lists made so far. */
  made: number
  /** Lists that are due but not made: the first one, and one for each that waits for the silent or was spoilt by liars. */
  owed: number
  /** The next list is being chosen. */
  choosing: boolean
  closed: boolean
}

export const newSession = (
  group: RankGroup,
  results: readonly OpenResult[],
  batch: Batch,
): SigningSession => ({
  ...{ group, results, batch },
  lists: new Set(),
  liars: new Set(),
  made: 0,
  owed: 1,
  choosing: false,
  closed: false,
})

/** Parties whose answer to a list is still awaited: each is in one list at a time. */
export const awaited = ({ lists }: SigningSession): ReadonlySet<PartyIndex> =>
  new Set([...lists].flatMap(missing))

/** True where one more list may go out: t+1 at once, and in all no more than t liars and t silent parties can spoil. */
export const mayExtend = ({ lists, made, owed, closed }: SigningSession, t: number): boolean =>
  !closed && owed > 0 && lists.size <= t && made <= 2 * t

/** The list that a share answers and now holds it; null where it answers none. */
export function takeShare({ lists }: SigningSession, share: SignatureShare): SigningAttempt | null {
  for (const list of lists) if (addShare(list, share)) return list
  return null
}
