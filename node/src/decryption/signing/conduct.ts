/** What this node has seen of its peers as signers of one key: who did not answer lately, and who was proven at fault. */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Clock } from "../../clock.ts"

export type Conduct = {
  /** It answered a list of this node's. */
  heard(party: PartyIndex): void
  /** It left a list without an answer: it is listed last from now on. */
  missed(party: PartyIndex): void
  isSilent(party: PartyIndex): boolean
  /** It signed something that is wrong: it is left out for a time, not for ever, since memory fails in honest nodes, too. */
  caught(party: PartyIndex): void
  isCaught(party: PartyIndex): boolean
}

/** @param caughtMs how long a party stays left out: what a liar may cost is one list per such time. */
export function createConduct(clock: Clock, caughtMs: number): Conduct {
  const silent = new Set<PartyIndex>()
  const leftOutUntil = new Map<PartyIndex, number>()
  return {
    heard: (party) => void silent.delete(party),
    missed: (party) => void silent.add(party),
    isSilent: (party) => silent.has(party),
    caught: (party) => void leftOutUntil.set(party, clock.now() + caughtMs),
    isCaught: (party) => clock.now() < (leftOutUntil.get(party) ?? 0),
  }
}
