/**
 * Turns of a CRS ceremony on its own, without a key (protocol §4): parties update one after the other, and one that is
 * silent or sends what is refused is skipped. (Inside a key ceremony it aborts: there everybody is needed anyway.)
 *
 * A turn ends when ⌈(n+t+1)/2⌉ parties have voted for one outcome. Two such groups share an honest party, which votes once, so
 * the string never forks. An honest party's update reaches all honest parties in time and is accepted. Where the votes
 * split, its sender is at fault or the network is: the ceremony ends and names it, and another one starts without it. A liar
 * may split the votes for some honest parties only: those end, the others go on and skip them, or end, too, and name one of them.
 * Pure: no clock, no I/O, no arithmetic. The caller verifies updates, and who signed a vote.
 */
import { agreement } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"

export type Outcome =
  /** Digest of the update's message. */
  { readonly kind: "accepted"; readonly digest: Digest } | { readonly kind: "skipped" }

export type TurnsErrorCode =
  /** no outcome of a turn can get enough votes, or too few came in time. */
  | "CRS_UNDECIDED"
  /** t parties or fewer contributed: none of them need be honest. */
  | "CRS_TOO_FEW"

export type Contribution = { readonly party: PartyIndex; readonly digest: Digest }

type Common = {
  readonly n: number
  readonly t: number
  readonly self: PartyIndex
  /** Whose turn comes when. */
  readonly order: readonly PartyIndex[]
  /** In the order of rounds, which count accepted updates from 1. */
  readonly contributions: readonly Contribution[]
  readonly skipped: readonly PartyIndex[]
}

export type Running = Common & {
  readonly status: "running"
  /** Index into the order. */
  readonly turn: number
  readonly voted: boolean
  /** First vote of each party, by turn: others may be ahead. */
  readonly votes: ReadonlyMap<number, ReadonlyMap<PartyIndex, Outcome>>
}

export type TurnsState =
  | Running
  | (Common & { readonly status: "finished" })
  | (Common & {
      readonly status: "failed"
      readonly code: TurnsErrorCode
      readonly culprits: readonly PartyIndex[]
    })

export type TurnsEvent =
  /** The update of this turn's party arrived and holds, for this node. */
  | { readonly kind: "verified"; readonly turn: number; readonly digest: Digest }
  /** It arrived and does not hold. */
  | { readonly kind: "refused"; readonly turn: number }
  /** Time for the turn's update is up; where this node has voted, time for the votes. */
  | { readonly kind: "timeout"; readonly turn: number }
  | {
      readonly kind: "vote"
      readonly turn: number
      readonly party: PartyIndex
      readonly outcome: Outcome
    }

export type TurnsEffect =
  /** It is this node's turn: make the update of this round on the last accepted state. */
  | { readonly kind: "update"; readonly turn: number; readonly round: number }
  | { readonly kind: "set-timer"; readonly turn: number }
  /** Sign and send to all. */
  | { readonly kind: "send-vote"; readonly turn: number; readonly outcome: Outcome }
  /** The message of this digest makes the next state; who voted for it has it. */
  | { readonly kind: "adopt"; readonly contribution: Contribution; readonly round: number }
  | { readonly kind: "end" }

export type TurnsStep = { readonly state: TurnsState; readonly effects: readonly TurnsEffect[] }

export const startTurns = (
  committee: { readonly n: number; readonly t: number },
  self: PartyIndex,
  order: readonly PartyIndex[],
): TurnsStep => {
  const { n, t } = committee
  const common = { n, t, self, order, contributions: [], skipped: [] }
  return enter({ ...common, status: "running", turn: 0, voted: false, votes: new Map() }, [])
}

/** One step. Events of other turns, but for votes of later ones, and of an ended ceremony change nothing. */
export function nextTurn(state: TurnsState, event: TurnsEvent): TurnsStep {
  if (state.status !== "running") return { state, effects: [] }
  switch (event.kind) {
    case "vote":
      return onVote(state, event.turn, event.party, event.outcome)
    case "verified":
    case "refused":
    case "timeout":
      if (event.turn !== state.turn) return { state, effects: [] }
      break
    default:
      assertNever(event)
  }
  if (state.voted) return event.kind === "timeout" ? undecided(state, []) : { state, effects: [] }
  return castVote(
    state,
    event.kind === "verified" ? { kind: "accepted", digest: event.digest } : { kind: "skipped" },
  )
}

function castVote(state: Running, outcome: Outcome): TurnsStep {
  const { turn, self } = state
  const step = onVote({ ...state, voted: true }, turn, self, outcome)
  return {
    ...step,
    effects: [{ kind: "send-vote", turn, outcome }, { kind: "set-timer", turn }, ...step.effects],
  }
}

function onVote(state: Running, turn: number, party: PartyIndex, outcome: Outcome): TurnsStep {
  const cast = state.votes.get(turn)
  if (turn < state.turn || turn >= state.order.length || cast?.has(party) === true)
    return { state, effects: [] }
  const votes = new Map(state.votes).set(turn, new Map(cast).set(party, outcome))
  return decide({ ...state, votes }, [])
}

/** Ends the turn where its votes allow it. */
function decide(state: Running, before: readonly TurnsEffect[]): TurnsStep {
  const cast = [...(state.votes.get(state.turn)?.values() ?? [])]
  const counts = new Map<string, { readonly outcome: Outcome; readonly count: number }>()
  for (const outcome of cast) {
    const name = outcome.kind === "accepted" ? outcome.digest : outcome.kind
    counts.set(name, { outcome, count: (counts.get(name)?.count ?? 0) + 1 })
  }
  const leading = [...counts.values()].sort((a, b) => b.count - a.count)[0]
  if (leading === undefined) return { state, effects: before }
  if (leading.count >= agreement(state)) return close(state, leading.outcome, before)
  const possible = leading.count + state.n - cast.length
  return possible < agreement(state) ? undecided(state, before) : { state, effects: before }
}

function close(state: Running, outcome: Outcome, before: readonly TurnsEffect[]): TurnsStep {
  const party = speakerOf(state)
  const next = { ...state, turn: state.turn + 1, voted: false }
  if (outcome.kind === "skipped") return enter({ ...next, skipped: [...state.skipped, party] }, before)
  const contribution = { party, digest: outcome.digest }
  const contributions = [...state.contributions, contribution]
  const adopt = { kind: "adopt", contribution, round: contributions.length } as const
  return enter({ ...next, contributions }, [...before, adopt])
}

function enter(state: Running, before: readonly TurnsEffect[]): TurnsStep {
  const { turn, order, self, contributions, t } = state
  if (turn < order.length) {
    const timer = { kind: "set-timer", turn } as const
    const update = { kind: "update", turn, round: contributions.length + 1 } as const
    return decide(state, [...before, timer, ...(speakerOf(state) === self ? [update] : [])])
  }
  if (contributions.length <= t) return fail(state, "CRS_TOO_FEW", state.skipped, before)
  return { state: { ...ended(state), status: "finished" }, effects: [...before, { kind: "end" }] }
}

const undecided = (state: Running, before: readonly TurnsEffect[]): TurnsStep =>
  fail(state, "CRS_UNDECIDED", [speakerOf(state)], before)

const fail = (
  state: Running,
  code: TurnsErrorCode,
  culprits: readonly PartyIndex[],
  before: readonly TurnsEffect[],
): TurnsStep => ({
  state: { ...ended(state), status: "failed", code, culprits },
  effects: [...before, { kind: "end" }],
})

const ended = ({ n, t, self, order, contributions, skipped }: Running): Common => ({
  ...{ n, t, self, order, contributions, skipped },
})

function speakerOf({ order, turn }: Running): PartyIndex {
  const party = order[turn]
  if (party === undefined) throw new Error(`no turn ${turn}`)
  return party
}
