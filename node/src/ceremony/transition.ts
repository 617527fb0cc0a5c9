/**
 * Rules of one ceremony attempt (protocol §4): signed echo broadcast, round after round.
 *
 * A round is over for a party when it holds the message of every speaker and the echo of all n parties, and all echoes
 * name the same headers. Only then is its content handed to the engine, and only after that does the party make its
 * next message, which names the round's digest. So before anything that depends on a secret of round r leaves a
 * party, all n parties have signed that they hold the same dealings of rounds up to r.
 * Pure: no clock, no I/O, no randomness. The caller has verified signatures, senders and maxima.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Attempt } from "./attempt.ts"
import {
  cause,
  abort as end,
  equivocation,
  fail,
  lastWord,
  peerAborted,
  reportedEquivocation,
  silence,
  specOf,
  unchanged,
  waitsBefore,
} from "./ending.ts"
import { answer, excuses, unexcused, withAbort } from "./excuse.ts"
import { roundDigest, type SignedHeader } from "./header.ts"
import { type Abort, type Echo, equivocator, type RoundMessage } from "./messages.ts"
import type {
  CeremonyEffect,
  CeremonyEvent,
  CeremonyState,
  Incoming,
  RoundRecord,
  RoundSpec,
  RoundView,
  Running,
  Stall,
  TimedStage,
  Transition,
} from "./state.ts"

type Event<K extends CeremonyEvent["kind"]> = Extract<CeremonyEvent, { readonly kind: K }>

const EMPTY: RoundView = { headers: new Map(), messages: new Map(), echoes: new Map() }

/** The first round of an attempt. */
export function startAttempt(attempt: Attempt, specs: readonly RoundSpec[]): Transition {
  const state: Running = {
    status: "running",
    attempt,
    specs,
    round: 0,
    stage: "collecting",
    previous: attempt.proposalDigest,
    views: new Map(),
    records: [],
    committed: false,
    heardAborts: new Map(),
    excusedTo: new Set(),
    stall: null,
  }
  return enterRound(state, [])
}

/** One step. An ended attempt stays as it is; events that no longer matter change nothing. */
export function transition(state: CeremonyState, event: CeremonyEvent): Transition {
  if (state.status === "finished" || state.status === "aborted") return unchanged(state)
  switch (event.kind) {
    case "activated":
    case "discarded":
    case "expired":
      return onChain(state, event)
    case "stopped":
      return fail(state, cause(state, "CEREMONY_STOPPED", "this node stopped while the attempt ran"))
    case "produced":
    case "message":
    case "echo-signed":
    case "echo":
    case "consumed":
    case "failed":
    case "refused":
    case "abort":
    case "timeout":
      return state.status === "running" ? running(state, event) : unchanged(state)
    default:
      return assertNever(event)
  }
}

function running(
  state: Running,
  event: Exclude<CeremonyEvent, Event<"activated" | "discarded" | "expired" | "stopped">>,
): Transition {
  switch (event.kind) {
    case "produced":
      return onProduced(state, event)
    case "message":
      return onMessage(state, event.message)
    case "echo-signed":
      return onEchoSigned(state, event.echo)
    case "echo":
      return onEcho(state, event.echo)
    case "consumed":
      return onConsumed(state, event)
    case "failed":
      return fail(state, {
        ...cause(state, "CEREMONY_CHECK_FAILED", event.message, event.culprits),
        check: event.check,
        suspects: event.suspects,
      })
    case "refused":
      return fail(state, cause(state, event.code, event.message, [event.from]))
    case "abort":
      return onAbort(state, event.abort)
    case "timeout":
      return onTimeout(state, event)
    default:
      return assertNever(event)
  }
}

function onProduced(state: Running, { round, message }: Event<"produced">): Transition {
  if (round !== state.round || state.stage !== "producing") return unchanged(state)
  const self = state.attempt.self
  const own: RoundMessage = { header: message.header, broadcast: message.broadcast, sealed: null }
  const next: Running = {
    ...withView(state, round, (view) => ({
      ...view,
      headers: new Map(view.headers).set(self, message.header),
      messages: new Map(view.messages).set(self, own),
    })),
    stage: "collecting",
    committed: state.committed || specOf(state).binding,
  }
  return settle(next, [{ kind: "send-message", message }])
}

function onMessage(state: Running, message: RoundMessage): Transition {
  const { party, round } = message.header.header
  const misplaced = place(state, party, round)
  if (misplaced !== null) return misplaced
  const heard = hear(state, message.header)
  if (heard.status === "conflict") return heard.transition
  if (round < state.round) return unchanged(state)
  const known = viewOf(heard.state, round).messages
  if (known.has(party)) return unchanged(state)
  return settle(
    withView(heard.state, round, (view) => ({
      ...view,
      messages: new Map(view.messages).set(party, message),
    })),
    [],
  )
}

function onEchoSigned(state: Running, echo: Echo): Transition {
  if (echo.round !== state.round || state.stage !== "signing-echo") return unchanged(state)
  const next: Running = { ...withEcho(state, echo), stage: "echoing" }
  return settle(next, [{ kind: "send-echo", echo }, timer(next, "echoing")])
}

function onEcho(state: Running, echo: Echo): Transition {
  const misplaced = place(state, echo.party, echo.round)
  if (misplaced !== null) return misplaced
  let current = state
  for (const header of echo.headers) {
    const heard = hear(current, header)
    if (heard.status === "conflict") return heard.transition
    current = heard.state
  }
  if (echo.round < state.round || viewOf(current, echo.round).echoes.has(echo.party)) return unchanged(state)
  return settle(withEcho(current, echo), [])
}

/** Moves on as far as what is held allows. */
function settle(state: Running, effects: readonly CeremonyEffect[]): Transition {
  const { messages, echoes, headers } = viewOf(state, state.round)
  const { speakers } = specOf(state)
  for (const [party, { header }] of headers)
    if (header.previous !== state.previous)
      return fail(
        state,
        cause(
          state,
          "CEREMONY_WRONG_ECHO",
          `party ${party} stands on ${header.previous}, agreed is ${state.previous}`,
          [party],
        ),
        effects,
      )
  if (state.stage === "collecting" && speakers.every((party) => messages.has(party)))
    return {
      state: { ...state, stage: "signing-echo" },
      effects: [...effects, { kind: "sign-echo", round: state.round, headers: speakerHeaders(state) }],
    }
  if (state.stage !== "echoing") return { state, effects }
  const digest = digestOf(state)
  const others = [...echoes.values()].filter((echo) => echo.digest !== digest).map(({ party }) => party)
  if (others.length > 0)
    return fail(state, cause(state, "CEREMONY_WRONG_ECHO", `want the echo of ${digest}`, others), effects)
  if (echoes.size < state.attempt.committee.n) return { state, effects }
  return {
    state: { ...state, stage: "consuming" },
    effects: [...effects, { kind: "clear-timer" }, { kind: "consume", incoming: incomingOf(state) }],
  }
}

function nextRound(state: Running): Transition {
  const records = [...state.records, recordOf(state)]
  const views = new Map(state.views)
  views.delete(state.round)
  const done: Running = { ...state, records, views, previous: digestOf(state), round: state.round + 1 }
  if (done.round < done.specs.length) return enterRound(done, [])
  const { attempt } = state
  return { state: { status: "awaiting-chain", attempt, records, cause: null }, effects: [{ kind: "submit" }] }
}

function enterRound(state: Running, effects: readonly CeremonyEffect[]): Transition {
  const { name, speakers } = specOf(state)
  const speaks = speakers.includes(state.attempt.self)
  const next: Running = { ...state, stage: speaks ? "producing" : "collecting" }
  return settle(next, [
    ...effects,
    { kind: "progress", round: next.round, name, rounds: next.specs.length },
    timer(next, "collecting"),
    ...(speaks ? [{ kind: "produce", round: next.round, previous: next.previous } as const] : []),
  ])
}

function onConsumed(state: Running, { round }: Event<"consumed">): Transition {
  if (round !== state.round || state.stage !== "consuming") return unchanged(state)
  const [abort] = state.heardAborts.values()
  return abort === undefined ? nextRound(state) : fail(state, peerAborted(state, abort))
}

function onTimeout(state: Running, { round, stage }: Event<"timeout">): Transition {
  if (round !== state.round) return unchanged(state)
  if (stage === "collecting" && state.stage === "producing")
    return fail(state, cause(state, "CEREMONY_SLOW", "the own message of the round was not ready in time"))
  if (stage !== state.stage) return unchanged(state)
  const { messages, echoes } = viewOf(state, round)
  switch (stage) {
    case "collecting":
      return stall(state, {
        code: "CEREMONY_NO_MESSAGE",
        missing: specOf(state).speakers.filter((party) => !messages.has(party)),
      })
    case "echoing":
      return stall(state, {
        code: "CEREMONY_NO_ECHO",
        missing: partyIndexes(state.attempt.committee).filter((party) => !echoes.has(party)),
      })
    case "stalled":
      return state.stall === null
        ? unchanged(state)
        : fail(state, silence(state, stillMissing(state, state.stall)))
    default:
      return assertNever(stage)
  }
}

/**
 * Time is up. A party that waits for another one falls silent itself, so nobody is named yet: whoever says within the
 * grace time why it is silent, or has said so before, is excused.
 */
function stall(state: Running, found: Stall): Transition {
  const missing = unexcused(state, found)
  const [first] = found.missing
  const abort = first === undefined ? undefined : state.heardAborts.get(first)
  if (missing.length === 0 && abort !== undefined) return fail(state, peerAborted(state, abort))
  const next: Running = { ...state, stage: "stalled", stall: { ...found, missing } }
  return {
    state: next,
    effects: [lastWord(state, silence(state, { ...found, missing })), timer(next, "stalled")],
  }
}

/** Without those from whom it came in the grace time. */
function stillMissing(state: Running, { code, missing }: Stall): Stall {
  const { messages, echoes } = viewOf(state, state.round)
  const came: ReadonlyMap<PartyIndex, unknown> = code === "CEREMONY_NO_MESSAGE" ? messages : echoes
  return { code, missing: missing.filter((party) => !came.has(party)) }
}

function onAbort(state: Running, abort: Abort): Transition {
  const proven = equivocator(abort.evidence)
  if (proven !== null) return fail(state, reportedEquivocation(state, abort, proven))
  if (state.stage === "consuming" || waitsBefore(state, abort)) return answer(withAbort(state, abort), abort)
  if (state.stall === null) return fail(state, peerAborted(state, abort))
  if (!excuses(abort, state.round, state.stall)) return unchanged(state)
  const missing = state.stall.missing.filter((party) => party !== abort.party)
  if (missing.length === 0) return fail(state, peerAborted(state, abort))
  return { state: { ...state, stall: { ...state.stall, missing } }, effects: [] }
}

function onChain(
  state: Exclude<CeremonyState, { readonly status: "finished" | "aborted" }>,
  event: Event<"activated" | "discarded" | "expired">,
): Transition {
  const { attempt, records } = state
  const signed = state.status === "awaiting-chain" || state.committed
  switch (event.kind) {
    case "activated":
      if (event.ours && signed)
        return {
          state: { status: "finished", attempt, records },
          effects: [{ kind: "clear-timer" }, { kind: "end" }],
        }
      return end(
        state,
        cause(state, "CEREMONY_OTHER_ACTIVATION", "the chain activated what was not signed here"),
      )
    case "discarded":
      return end(state, cause(state, "CEREMONY_DISCARDED", "the proposal was discarded on chain"))
    case "expired":
      return end(state, cause(state, "CEREMONY_EXPIRED", "the proposal's deadline passed"))
    default:
      return assertNever(event)
  }
}

/** Refuses what no honest party can send: it is at most one round ahead. */
function place(state: Running, party: PartyIndex, round: number): Transition | null {
  if (round <= state.round + 1) return null
  const text = `party ${party} is in round ${round}, this node in ${state.round}`
  return fail(state, cause(state, "CEREMONY_OUT_OF_ORDER", text, [party]))
}

type Heard =
  | { readonly status: "consistent"; readonly state: Running }
  | { readonly status: "conflict"; readonly transition: Transition }

/** Compares a verified header with what is known of its party and round, and remembers it. */
function hear(state: Running, signed: SignedHeader): Heard {
  const { party, round } = signed.header
  const record = state.records[round]
  const known =
    record === undefined
      ? viewOf(state, round).headers.get(party)
      : record.headers.find(({ header }) => header.party === party)
  if (known !== undefined && known.hash !== signed.hash)
    return {
      status: "conflict",
      transition: fail(state, equivocation(state, known, signed)),
    }
  if (known !== undefined || record !== undefined) return { status: "consistent", state }
  return {
    status: "consistent",
    state: withView(state, round, (view) => ({
      ...view,
      headers: new Map(view.headers).set(party, signed),
    })),
  }
}

/** How long a stalled party listens for the reasons of others. */
const GRACE_MS = 10_000

const timer = (state: Running, stage: TimedStage): CeremonyEffect => ({
  kind: "set-timer",
  round: state.round,
  stage,
  milliseconds: stage === "stalled" ? GRACE_MS : specOf(state).timeoutMs,
})

const viewOf = (state: Running, round: number): RoundView => state.views.get(round) ?? EMPTY

const withView = (state: Running, round: number, change: (view: RoundView) => RoundView): Running => ({
  ...state,
  views: new Map(state.views).set(round, change(viewOf(state, round))),
})

const withEcho = (state: Running, echo: Echo): Running =>
  withView(state, echo.round, (view) => ({ ...view, echoes: new Map(view.echoes).set(echo.party, echo) }))

function speakerHeaders(state: Running): readonly SignedHeader[] {
  const { headers } = viewOf(state, state.round)
  return specOf(state).speakers.flatMap((party) => headers.get(party) ?? [])
}

const digestOf = (state: Running): SignedHeader["hash"] =>
  roundDigest(state.attempt.committee.keyId, state.attempt.attempt, state.round, speakerHeaders(state))

function incomingOf(state: Running): Incoming {
  const { messages } = viewOf(state, state.round)
  const present = specOf(state).speakers.flatMap((party) => messages.get(party) ?? [])
  const entries = present.map((message) => [message.header.header.party, message] as const)
  return {
    round: state.round,
    digest: digestOf(state),
    broadcasts: new Map(entries.map(([party, { broadcast }]) => [party, broadcast])),
    sealed: new Map(
      entries.flatMap(([party, { sealed }]) => (sealed === null ? [] : [[party, sealed] as const])),
    ),
  }
}

function recordOf(state: Running): RoundRecord {
  const { messages, echoes } = viewOf(state, state.round)
  const { name, kept, speakers } = specOf(state)
  return {
    round: state.round,
    name,
    digest: digestOf(state),
    headers: speakerHeaders(state),
    echoSignatures: partyIndexes(state.attempt.committee).flatMap(
      (party) => echoes.get(party)?.signature ?? [],
    ),
    broadcasts: kept ? speakers.flatMap((party) => messages.get(party)?.broadcast ?? []) : null,
  }
}
