/**
 * A CRS ceremony on its own, without a key (crs.md, silence): parties update one after the other, and one that is silent or sends
 * what does not hold is passed over. (Inside a key ceremony it aborts: there everybody is needed anyway.)
 *
 * In turn k, k < n, one party extends the certified updates of the latest turn that it knows. Parties acknowledge a proposal
 * that holds and stands on nothing older than what they knew as certified when the turn began; ⌈(n+t+1)/2⌉ acknowledgements certify
 * it, and certificates go to everybody. A turn without a certificate costs its time and nothing else. From turn n on
 * parties propose what is certified as it is; who sees it certified in the same turn concludes, and ⌈(n+t+1)/2⌉ conclusions are final.
 *
 * Always: no two honest parties finish with different updates. ⚔ An honest party concludes only what it has just seen
 * certified, and acknowledges nothing older in later turns; two groups of that size share an honest party.
 * Within the times of {@link TurnsTimes}: every honest party's update is in, and the t+1st closing turn ends it.
 * Pure. The caller signs, sends, fetches and checks.
 */
import { agreement } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { type Act, certifiedDigest, isWellFormed, type SignedStatement, statementsOf } from "./certificate.ts"
import { isClosing, partyOfTurn, type Updates, updatesDigest } from "./crsCommittee.ts"
import type {
  CrsFault,
  Known,
  Proposal,
  TurnsEffect,
  TurnsErrorCode,
  TurnsEvent,
  TurnsMessage,
  TurnsRules,
  TurnsState,
  TurnsStep,
} from "./turnsState.ts"

export const startTurns = (rules: TurnsRules): TurnsStep =>
  enter(
    {
      state: {
        ...{ status: "running", rules, turn: 0, floor: -1, highest: null, speech: "none", parent: null },
        ...{ considered: false, acknowledged: null, hasConcluded: false, conclusion: null, code: null },
        ...{ proposals: new Map(), said: new Map(), sound: new Set(), faults: new Map() },
      },
      effects: [],
    },
    0,
  )

/** One step. What an honest party cannot have sent, what comes too late, and all after the end changes nothing. */
export function nextTurns(state: TurnsState, event: TurnsEvent): TurnsStep {
  const step = { state, effects: [] }
  if (state.status === "concluded" && event.kind === "checked") return onChecked(step, event)
  if (state.status !== "running") return step
  switch (event.kind) {
    case "message":
      return onMessage(step, event.message)
    case "timeout":
      if (event.turn !== state.turn) return step
      if (event.timer === "turn") return enter(step, state.turn + 1)
      return state.speech === "gathering" ? speak(step) : step
    case "made": {
      if (state.speech !== "making") return step
      const { turn, parent } = state
      const { message, link } = event
      return propose(step, [...updatesOf(parent), { turn, message, link }], parent)
    }
    case "checked":
      return onChecked(step, event)
    default:
      return assertNever(event)
  }
}

function onMessage(step: TurnsStep, message: TurnsMessage): TurnsStep {
  const { highest, rules } = step.state
  switch (message.kind) {
    case "proposal":
      return onProposal(step, message.proposal, message.signature)
    case "statement":
      return onStatement(step, message.statement)
    case "certificate": {
      if (message.certificate.turn <= turnOf(highest)) return step
      const digest = certifiedDigest("acknowledge", message.certificate, rules.committee, rules.check)
      return digest === null ? step : learn(step, { ...message.certificate, digest })
    }
    case "conclusion": {
      const digest = certifiedDigest("conclude", message.conclusion, rules.committee, rules.check)
      return digest === null ? step : finish(step, { ...message.conclusion, digest })
    }
    default:
      return assertNever(message)
  }
}

function onProposal(step: TurnsStep, proposal: Proposal, signature: Uint8Array): TurnsStep {
  const { turn, updates, parent } = proposal
  const { rules, turn: now } = step.state
  const { committee, check } = rules
  const n = committee.parties.length
  if (turn < now || turn > now + n || !isWellFormed(proposal, n)) return step
  const digest = updatesDigest(committee.ceremony, updates)
  const statement = { act: "propose", turn, digest, party: partyOfTurn(turn, n), signature } as const
  if (!check(statement)) return step
  const noted = note(step, statement)
  if (noted.state.proposals.has(turn) || turnOf(parent) >= turn) return noted
  const base = parent === null ? null : certifiedDigest("acknowledge", parent, committee, check)
  const stood = updatesDigest(committee.ceremony, isClosing(turn, n) ? updates : updates.slice(0, -1))
  if (stood !== (parent === null ? updatesDigest(committee.ceremony, []) : base)) return noted
  const proposals = new Map(noted.state.proposals).set(turn, { ...proposal, digest, signature })
  const stored = set(noted, { proposals })
  const learnt = parent === null || base === null ? stored : learn(stored, { ...parent, digest: base })
  return consider(certify(learnt, turn))
}

function onStatement(step: TurnsStep, statement: SignedStatement): TurnsStep {
  const { turn, act, digest } = statement
  const { state } = step
  const n = sizeOf(state)
  if (act === "propose" || turn > state.turn + n || (act === "conclude" && !isClosing(turn, n))) return step
  if (state.said.get(turn)?.get(nameOf(statement))?.digest === digest) return step
  if (!state.rules.check(statement)) return step
  const noted = note(step, statement)
  return act === "acknowledge" ? certify(noted, turn) : decide(noted, turn)
}

function onChecked(step: TurnsStep, event: Extract<TurnsEvent, { readonly kind: "checked" }>): TurnsStep {
  const { turn, digest, refusal } = event
  const { state } = step
  const closing = isClosing(turn, sizeOf(state))
  const proposal = state.proposals.get(turn)
  const proposed = proposal?.digest === digest ? proposal : undefined
  if (refusal !== null) {
    if (closing) return state.conclusion?.digest === digest ? fail(step, "CRS_UNSOUND") : step
    if (proposed === undefined) return step
    const { updates, signature } = proposed
    const party = partyOfTurn(turn, sizeOf(state))
    return blame(step, party, { kind: "refused-update", updates, signature, refusal })
  }
  const known = closing ? set(step, { sound: new Set(state.sound).add(digest) }) : step
  if (state.status === "concluded") return closing && state.conclusion?.digest === digest ? end(known) : known
  const awaited = turn === state.turn && proposed !== undefined && state.acknowledged === null
  return awaited ? acknowledge(known, digest) : known
}

/** Begins a turn: what is certified by now is the least that its proposal must stand on. */
function enter(step: TurnsStep, turn: number): TurnsStep {
  const { highest, rules } = step.state
  const n = sizeOf(step.state)
  const floor = turnOf(highest)
  const { turnMs, deliveryMs } = rules.times
  const milliseconds = isClosing(turn, n) ? turnMs * Math.floor(turn / n) : turnMs
  const fresh = { considered: false, acknowledged: null, hasConcluded: false, parent: null } as const
  const speech = partyOfTurn(turn, n) === rules.self ? "gathering" : "none"
  const entered = emit(set(step, { ...fresh, turn, floor, speech }), {
    ...{ kind: "set-timer", timer: "turn", turn, milliseconds },
  })
  if (speech === "none") return consider(entered)
  // Nothing can be certified that is later than the turn before.
  if (floor === turn - 1) return speak(entered)
  return emit(entered, { kind: "set-timer", timer: "gather", turn, milliseconds: 2 * deliveryMs })
}

function speak(step: TurnsStep): TurnsStep {
  const { turn, highest } = step.state
  const updates = updatesOf(highest)
  if (isClosing(turn, sizeOf(step.state))) return propose(step, updates, highest)
  const making = set(step, { speech: "making", parent: highest })
  return emit(making, { kind: "make", turn, updates, sources: signersOf(highest) })
}

function propose(step: TurnsStep, updates: Updates, known: Known | null): TurnsStep {
  const { turn, rules } = step.state
  const parent = known && { turn: known.turn, updates: known.updates, signatures: known.signatures }
  const statement = {
    act: "propose",
    turn,
    digest: updatesDigest(rules.committee.ceremony, updates),
  } as const
  const proposal = { turn, updates, parent }
  return emit(set(step, { speech: "proposed" }), { kind: "propose", statement, proposal })
}

/** Looks at this turn's proposal, once. */
function consider(step: TurnsStep): TurnsStep {
  const { turn, floor, considered, proposals, status, sound, rules } = step.state
  const proposal = proposals.get(turn)
  if (status !== "running" || considered || proposal === undefined) return step
  const looked = set(step, { considered: true })
  const { parent, updates, digest } = proposal
  if (turnOf(parent) < floor) return looked
  const n = sizeOf(step.state)
  // What is too short to be used is agreed on without a check: it fails for everybody.
  const unused = updates.length <= rules.committee.t
  if (isClosing(turn, n) && (unused || sound.has(digest))) return acknowledge(looked, digest)
  const sources = [...new Set([partyOfTurn(turn, n), ...signersOf(parent)])]
  return emit(looked, { kind: "check", turn, updates, digest, sources })
}

function acknowledge(step: TurnsStep, digest: Digest): TurnsStep {
  const statement = { act: "acknowledge", turn: step.state.turn, digest } as const
  return conclude(emit(set(step, { acknowledged: digest }), { kind: "state", statement }))
}

/** Concludes what this party acknowledged and sees certified, both in this closing turn. */
function conclude(step: TurnsStep): TurnsStep {
  const { turn, highest, acknowledged, hasConcluded } = step.state
  if (!isClosing(turn, sizeOf(step.state)) || hasConcluded || highest?.turn !== turn) return step
  if (acknowledged !== highest.digest) return step
  const statement = { act: "conclude", turn, digest: highest.digest } as const
  return emit(set(step, { hasConcluded: true }), { kind: "state", statement })
}

/** Takes a certificate that holds. */
function learn(step: TurnsStep, known: Known): TurnsStep {
  const { turn: now } = step.state
  const { digest, ...certificate } = known
  if (known.turn <= turnOf(step.state.highest)) return step
  const sent = emit(set(step, { highest: known }), {
    ...{ kind: "send", message: { kind: "certificate", certificate } },
  })
  const learnt = decide(statementsOf("acknowledge", known, digest).reduce(note, sent), known.turn)
  if (learnt.state.status !== "running") return learnt
  const next = isClosing(known.turn, sizeOf(step.state)) ? known.turn : known.turn + 1
  if (next > now) return enter(learnt, next)
  const ready = learnt.state.speech === "gathering" && known.turn === now - 1
  return conclude(ready ? speak(learnt) : learnt)
}

/** Makes the certificate of a turn where there are enough acknowledgements of its proposal. */
function certify(step: TurnsStep, turn: number): TurnsStep {
  const proposal = step.state.proposals.get(turn)
  if (proposal === undefined || turn <= turnOf(step.state.highest)) return step
  const { updates, digest } = proposal
  const signatures = tally(step.state, "acknowledge", turn, digest)
  if (signatures.size < agreement(sizes(step.state))) return step
  return learn(step, { turn, updates, digest, signatures })
}

/** Ends the ceremony where there are enough conclusions of a turn. */
function decide(step: TurnsStep, turn: number): TurnsStep {
  const { highest, proposals } = step.state
  for (const known of [highest, proposals.get(turn)]) {
    if (!known || !isClosing(turn, sizeOf(step.state))) continue
    const { digest, updates } = known
    const signatures = tally(step.state, "conclude", turn, digest)
    if (signatures.size >= agreement(sizes(step.state)))
      return finish(step, { turn, updates, digest, signatures })
  }
  return step
}

function finish(step: TurnsStep, conclusion: Known): TurnsStep {
  const { turn, updates, digest, signatures } = conclusion
  const message = { kind: "conclusion", conclusion: { turn, updates, signatures } } as const
  const concluded = emit(set(step, { status: "concluded", conclusion }), { kind: "send", message })
  if (updates.length <= step.state.rules.committee.t) return fail(concluded, "CRS_TOO_FEW")
  if (step.state.sound.has(digest)) return end(concluded)
  return emit(concluded, { kind: "check", turn, updates, digest, sources: signersOf(conclusion) })
}

const end = (step: TurnsStep): TurnsStep => emit(set(step, { status: "finished" }), { kind: "end" })

const fail = (step: TurnsStep, code: TurnsErrorCode): TurnsStep =>
  emit(set(step, { status: "failed", code }), { kind: "end" })

/** Keeps the first statement of a party; another one of the same act and turn proves its fault. */
function note(step: TurnsStep, statement: SignedStatement): TurnsStep {
  const { said } = step.state
  const { turn, party } = statement
  const name = nameOf(statement)
  const first = said.get(turn)?.get(name)
  if (first === undefined)
    return set(step, { said: new Map(said).set(turn, new Map(said.get(turn)).set(name, statement)) })
  if (first.digest === statement.digest) return step
  return blame(step, party, { kind: "contradiction", first, second: statement })
}

function blame(step: TurnsStep, party: PartyIndex, fault: CrsFault): TurnsStep {
  const { faults } = step.state
  return faults.has(party) ? step : set(step, { faults: new Map(faults).set(party, fault) })
}

function tally(state: TurnsState, act: Act, turn: number, digest: Digest): Map<PartyIndex, Uint8Array> {
  const statements = [...(state.said.get(turn)?.values() ?? [])]
  const same = statements.filter((statement) => statement.act === act && statement.digest === digest)
  return new Map(same.map(({ party, signature }) => [party, signature]))
}

const nameOf = ({ act, party }: SignedStatement): string => `${act}/${party}`
const turnOf = (certificate: { readonly turn: number } | null): number => certificate?.turn ?? -1
const updatesOf = (known: Known | null): Updates => known?.updates ?? []
const signersOf = (certificate: Pick<Known, "signatures"> | null): readonly PartyIndex[] => [
  ...(certificate?.signatures.keys() ?? []),
]
const sizeOf = ({ rules }: TurnsState): number => rules.committee.parties.length
const sizes = (state: TurnsState) => ({ n: sizeOf(state), t: state.rules.committee.t })

const set = ({ state, effects }: TurnsStep, change: Partial<TurnsState>): TurnsStep => ({
  state: { ...state, ...change },
  effects,
})
const emit = ({ state, effects }: TurnsStep, ...more: readonly TurnsEffect[]): TurnsStep => ({
  state,
  effects: [...effects, ...more],
})
