/** How an attempt ends: causes, and what they lead to before and after this party's signature has left. Pure. */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { isSilence, owingIn } from "./excuse.ts"
import type { SignedHeader } from "./header.ts"
import type { Abort } from "./messages.ts"
import type {
  Cause,
  CeremonyEffect,
  CeremonyState,
  OpenMessage,
  RoundSpec,
  Running,
  Stall,
  Transition,
} from "./state.ts"

export type Live = Exclude<CeremonyState, { readonly status: "finished" | "aborted" }>

export const unchanged = (state: CeremonyState): Transition => ({ state, effects: [] })

export const equivocation = (state: Running, one: SignedHeader, other: SignedHeader): Cause => {
  const { party, round } = one.header
  return {
    ...cause(state, "CEREMONY_EQUIVOCATION", twoHeaders(party, round), [party]),
    evidence: [one, other],
  }
}

/** A peer's abort that carries the proof. */
export const reportedEquivocation = (state: Running, abort: Abort, party: PartyIndex): Cause => ({
  ...cause(state, "CEREMONY_EQUIVOCATION", twoHeaders(party, abort.round), [party]),
  reportedBy: abort.party,
  claimed: abort.culprits,
  claimedSuspects: abort.suspects,
  evidence: abort.evidence,
})

export const peerAborted = (state: Running, abort: Abort): Cause => ({
  ...cause(state, "CEREMONY_PEER_ABORTED", `party ${abort.party} aborted with ${abort.code}`),
  check: abort.code,
  reportedBy: abort.party,
  claimed: abort.culprits,
  claimedSuspects: abort.suspects,
})

const twoHeaders = (party: PartyIndex, round: number): string =>
  `party ${party} signed two headers for round ${round}`

export const silence = (state: Running, { code, missing }: Stall): Cause =>
  cause(
    state,
    code,
    missing.length === 0
      ? "what was missing came too late"
      : `nothing came from parties ${missing.join(", ")} in time`,
    missing,
  )

/**
 * Whether `abort` complains about something no earlier than what this node waits for itself: then it may be a
 * consequence of the same silence, and the own timer decides whom this node names.
 */
export function waitsBefore(state: Running, abort: Abort): boolean {
  const { stage } = state
  if (!isSilence(abort) || (stage !== "collecting" && stage !== "signing-echo" && stage !== "echoing"))
    return false
  if (abort.round !== state.round) return abort.round > state.round
  return stage === "collecting" || abort.code === "CEREMONY_NO_ECHO"
}

export function cause(
  state: CeremonyState,
  code: Cause["code"],
  message: string,
  culprits: readonly PartyIndex[] = [],
): Cause {
  const round = state.status === "running" ? specOf(state).name : "chain"
  const claims = { reportedBy: null, claimed: [], claimedSuspects: [] }
  return { code, check: null, round, message, culprits, suspects: [], ...claims, evidence: [] }
}

export function specOf(state: Running): RoundSpec {
  const spec = state.specs[state.round]
  if (spec === undefined) throw new Error(`no round ${state.round} of ${state.specs.length}`)
  return spec
}

/** After the own signature left, the sealed share must outlive the failure: others may hold all n signatures. */
export function fail(state: Live, why: Cause, before: readonly CeremonyEffect[] = []): Transition {
  if (state.status === "awaiting-chain") return unchanged(state)
  if (!state.committed) return abort(state, why, before)
  const { attempt, records } = state
  return {
    state: { status: "awaiting-chain", attempt, records, cause: why },
    effects: [...before, { kind: "clear-timer" }, ...words(state, why)],
  }
}

export function abort(state: Live, why: Cause, before: readonly CeremonyEffect[] = []): Transition {
  const { attempt, records } = state
  return {
    state: { status: "aborted", attempt, records, cause: why, open: openMessages(state) },
    effects: [...before, { kind: "clear-timer" }, ...words(state, why), { kind: "end" }],
  }
}

/** What this node saw of the round under way. */
function openMessages(state: Live): readonly OpenMessage[] {
  const view = state.status === "running" ? state.views.get(state.round) : undefined
  if (view === undefined) return []
  const { headers, messages } = view
  return [...headers].map(([party, header]) => ({
    header,
    broadcast: messages.get(party)?.broadcast ?? null,
  }))
}

export const lastWord = (
  { round }: Running,
  { code, culprits, suspects, evidence }: Cause,
): CeremonyEffect => ({
  kind: "send-abort",
  word: { round, code, culprits, suspects, evidence },
})

/** A stalled party has spoken already. Who follows an abort says what it had not sent by then. */
function words(state: Live, why: Cause): readonly CeremonyEffect[] {
  if (state.status !== "running" || state.stage === "stalled") return []
  const owing = why.code === "CEREMONY_PEER_ABORTED" ? owingIn(state.stage) : null
  return [lastWord(state, owing === null ? why : { ...why, code: owing })]
}
