/**
 * Why a party is silent (protocol §4). What a dishonest party owes to all it can give to one of them late or never, and the others
 * then miss that one, who waits. So a party that is missed, and has not sent what is missed, says so to who misses it. Named is
 * who says nothing: nothing proves that who was late wanted to be. Pure.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Abort, AbortWord } from "./messages.ts"
import type { CeremonyEffect, Running, Stage, Stall } from "./state.ts"

export const isSilence = ({ code }: Pick<Abort, "code">): boolean =>
  code === "CEREMONY_NO_MESSAGE" || code === "CEREMONY_NO_ECHO"

/** What a party in this stage has not sent in its round; null where it has sent all. */
export function owingIn(stage: Stage): "CEREMONY_UNSPOKEN" | "CEREMONY_UNECHOED" | null {
  if (stage === "producing") return "CEREMONY_UNSPOKEN"
  return stage === "collecting" || stage === "signing-echo" ? "CEREMONY_UNECHOED" : null
}

/**
 * Whether `abort` explains why its sender was silent here. Who waits for something later than what is missing has had all it
 * needed to send it, and who only follows somebody's abort may follow this node's own, unless it says that it had not sent it
 * by then; who stopped for a reason of its own has at least said so.
 */
export function excuses(abort: Abort, round: number, { code }: Pick<Stall, "code">): boolean {
  const echoIsMissing = abort.round === round && code === "CEREMONY_NO_ECHO"
  switch (abort.code) {
    case "CEREMONY_PEER_ABORTED":
      return abort.round < round
    case "CEREMONY_UNSPOKEN":
      return abort.round <= round
    case "CEREMONY_UNECHOED":
    case "CEREMONY_NO_MESSAGE":
      return abort.round < round || echoIsMissing
    case "CEREMONY_NO_ECHO":
      return abort.round < round
    default:
      return true
  }
}

/** Whom of those that are missing nothing explains. */
export const unexcused = ({ heardAborts, round }: Running, stall: Stall): readonly PartyIndex[] =>
  stall.missing.filter((party) => {
    const abort = heardAborts.get(party)
    return abort === undefined || !excuses(abort, round, stall)
  })

/** Remembers the first abort of each party. */
export const withAbort = (state: Running, abort: Abort): Running =>
  state.heardAborts.has(abort.party)
    ? state
    : { ...state, heardAborts: new Map(state.heardAborts).set(abort.party, abort) }

/** Tells the party that misses this one why, once, and nobody else: the attempt goes on here. */
export function answer(
  state: Running,
  abort: Abort,
): { readonly state: Running; readonly effects: readonly CeremonyEffect[] } {
  const { party } = abort
  const reason = state.excusedTo.has(party) ? null : reasonFor(state, abort)
  if (reason === null) return { state, effects: [] }
  const word: AbortWord = { ...reason, suspects: [], evidence: [] }
  return {
    state: { ...state, excusedTo: new Set(state.excusedTo).add(party) },
    effects: [{ kind: "send-excuse", to: party, word }],
  }
}

type Reason = Pick<AbortWord, "round" | "code" | "culprits">

/** Null where `abort` does not miss this node, or misses what this node has sent. */
function reasonFor({ attempt, round, stage, ...state }: Running, abort: Abort): Reason | null {
  if (!isSilence(abort) || !abort.culprits.includes(attempt.self)) return null
  const view = state.views.get(round)
  const without = (parties: readonly PartyIndex[], has: ReadonlyMap<PartyIndex, unknown> | undefined) =>
    parties.filter((party) => has?.has(party) !== true)
  switch (stage) {
    case "echoing": {
      const culprits = without(partyIndexes(attempt.committee), view?.echoes)
      return abort.round === round + 1 ? { round, code: "CEREMONY_NO_ECHO", culprits } : null
    }
    case "consuming":
      return abort.round === round + 1 ? { round: round + 1, code: "CEREMONY_UNSPOKEN", culprits: [] } : null
    case "collecting": {
      const culprits = without(state.specs[round]?.speakers ?? [], view?.messages)
      const echoIsMissed = abort.round === round && abort.code === "CEREMONY_NO_ECHO"
      return echoIsMissed ? { round, code: "CEREMONY_NO_MESSAGE", culprits } : null
    }
    case "signing-echo":
      return abort.round === round ? { round, code: "CEREMONY_UNECHOED", culprits: [] } : null
    case "producing":
    case "stalled":
      return null
  }
}
