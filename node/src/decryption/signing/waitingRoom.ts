/**
 * Messages that cannot be judged yet: for want of a result that this node has not opened, or of a commitment that is still
 * on its way. Bounded per sender, and only for a while: an answer that comes late serves nobody.
 */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Clock } from "../../clock.ts"

type Waiting<M> = { readonly message: M; readonly party: PartyIndex; readonly since: number }

export type WaitingRoom<M> = {
  /** @param reason what the message waits for; of one sender, the newest few stay. */
  keep(reason: string, message: M, since?: number): void
  /** Those that waited for this, and since when; they are forgotten here. */
  take(reason: string): readonly { readonly message: M; readonly since: number }[]
}

/** @param perParty messages of one sender. @param lastingMs how long one may wait in all. */
export function createWaitingRoom<M extends { readonly party: PartyIndex }>(
  clock: Clock,
  lastingMs: number,
  perParty = 16,
): WaitingRoom<M> {
  const rows = new Map<string, Waiting<M>[]>()
  const counts = new Map<PartyIndex, { readonly reason: string; readonly entry: Waiting<M> }[]>()

  function remove(reason: string, entry: Waiting<M>): void {
    const rest = rows.get(reason)?.filter((other) => other !== entry) ?? []
    if (rest.length === 0) rows.delete(reason)
    else rows.set(reason, rest)
  }

  return {
    keep(reason, message, since = clock.now()) {
      const { party } = message
      const entry = { message, party, since }
      const own = counts.get(party) ?? []
      counts.set(party, own)
      own.push({ reason, entry })
      rows.set(reason, [...(rows.get(reason) ?? []), entry])
      const oldest = own.length > perParty ? own.shift() : undefined
      if (oldest !== undefined) remove(oldest.reason, oldest.entry)
    },
    take(reason) {
      const found = rows.get(reason) ?? []
      rows.delete(reason)
      for (const { party } of found) {
        const rest = counts.get(party)?.filter((other) => !found.includes(other.entry)) ?? []
        counts.set(party, rest)
      }
      return found.filter(({ since }) => clock.now() - since <= lastingMs)
    },
  }
}
