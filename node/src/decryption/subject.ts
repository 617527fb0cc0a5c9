/**
 * State machine of one subject (protocol §6): approve, release after a quorum of approvals, open robustly. Pure but for
 * the openings it owns: no clock, no I/O, no secrets. Messages arrive in any order, also before the node has decided
 * itself; what cannot be judged yet is kept, one message per party and session, and judged later.
 */
import { type Committee, quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever, culprits as culpritsOf } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import { type Approval, type DecryptionShare, MAX_SESSIONS } from "@twinlock/sdk/protocol/messages"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening, type Opening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { Authorised } from "./authorisePublic.ts"

/**
 * undecided: this node has not judged the subject yet. refused: it judged against it, or an opened value was out of range.
 * approving: it approves and waits for a quorum. released: its shares may leave. opened: all plaintexts are known.
 */
export type SubjectStatus = "undecided" | "refused" | "approving" | "released" | "opened"

export type Subject = {
  readonly id: Digest
  readonly status: SubjectStatus
  readonly authorised: Authorised | null
  readonly approvals: ReadonlyMap<PartyIndex, Approval>
  readonly shares: readonly DecryptionShare[]
  readonly openings: ReadonlyMap<SessionId, Opening>
  readonly culprits: ReadonlySet<PartyIndex>
}

export type SubjectEvent =
  | { readonly kind: "authorised"; readonly authorised: Authorised }
  | { readonly kind: "refused" }
  /** Verified by the caller: form, committee, signature. */
  | { readonly kind: "approval"; readonly approval: Approval }
  | { readonly kind: "share"; readonly share: DecryptionShare }

export type SubjectEffect =
  /** A quorum approved what this node approved: budget and release log, then the shares leave. */
  | { readonly kind: "release"; readonly authorised: Authorised }
  /** Every session is open; plaintexts in the order of the ciphertexts. */
  | { readonly kind: "opened"; readonly authorised: Authorised; readonly plaintexts: readonly bigint[] }
  /** Parties newly proven at fault. */
  | { readonly kind: "culprits"; readonly parties: readonly PartyIndex[] }
  /** An opened value broke the range rule: never reduced, always alarmed. */
  | { readonly kind: "bad-plaintext"; readonly session: SessionId; readonly error: unknown }

export type SubjectStep = { readonly subject: Subject; readonly effects: readonly SubjectEffect[] }

export const newSubject = (id: Digest): Subject => ({
  id,
  status: "undecided",
  authorised: null,
  approvals: new Map(),
  shares: [],
  openings: new Map(),
  culprits: new Set(),
})

const sameBytes = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((item, i) => item === b[i])
const sessionsOf = ({ ciphertexts }: Authorised) => ciphertexts.map(({ session }) => session)

/** Parties that approved exactly the sessions that this node authorised. */
export function approvers({ authorised, approvals }: Subject): readonly PartyIndex[] {
  if (authorised === null) return []
  const sessions = sessionsOf(authorised)
  return [...approvals.values()]
    .filter((approval) => sameList(approval.sessions, sessions))
    .map(({ party }) => party)
}

/** Applies one event. */
export function step(subject: Subject, event: SubjectEvent, committee: Committee): SubjectStep {
  switch (event.kind) {
    case "authorised":
      return onAuthorised(subject, event.authorised, committee)
    case "refused":
      return {
        subject: subject.status === "undecided" ? { ...subject, status: "refused" } : subject,
        effects: [],
      }
    case "approval":
      return onApproval(subject, event.approval, committee)
    case "share":
      return onShare(subject, event.share, committee)
    default:
      return assertNever(event)
  }
}

function onAuthorised(subject: Subject, authorised: Authorised, committee: Committee): SubjectStep {
  if (subject.authorised !== null) return { subject, effects: [] }
  const { n, t } = committee
  const openings = new Map(
    authorised.ciphertexts.map(({ session, blockCount }) => [
      session,
      createOpening({ n, t, blocks: blockCount }),
    ]),
  )
  const start: SubjectStep = {
    subject: { ...subject, status: "approving", authorised, openings },
    effects: [],
  }
  const fed = subject.shares.reduce((so, share) => then(so, (state) => feed(state, share)), start)
  return then(fed, (state) => settle(state, committee))
}

/** Approvals of one party may differ in block and commitments (a node may have restarted), never in the sessions. */
function onApproval(subject: Subject, approval: Approval, committee: Committee): SubjectStep {
  const known = subject.approvals.get(approval.party)
  if (known !== undefined && !sameList(known.sessions, approval.sessions))
    return blame(subject, [approval.party])
  return settle(
    { ...subject, approvals: new Map(subject.approvals).set(approval.party, approval) },
    committee,
  )
}

function onShare(subject: Subject, share: DecryptionShare, committee: Committee): SubjectStep {
  const known = subject.shares.find(
    ({ party, sessionId }) => party === share.party && sessionId === share.sessionId,
  )
  // Two signed shares of one party for one session: evidence by itself (protocol §3).
  if (known !== undefined)
    return sameBytes(known.share, share.share) ? { subject, effects: [] } : blame(subject, [share.party])
  // A party has one share per session; more than a subject can have sessions is a flood.
  if (subject.shares.filter(({ party }) => party === share.party).length >= MAX_SESSIONS)
    return { subject, effects: [] }
  const kept = { ...subject, shares: [...subject.shares, share] }
  if (subject.authorised === null) return { subject: kept, effects: [] }
  return then(feed(kept, share), (state) => settle(state, committee))
}

/** Gives a share to the opening of its session; one for a session that is not of this subject is dropped. */
function feed(subject: Subject, share: DecryptionShare): SubjectStep {
  const opening = subject.openings.get(share.sessionId)
  if (opening === undefined) return { subject, effects: [] }
  try {
    return blame(subject, opening.add(share.party, share.share).culprits)
  } catch (error) {
    return blame(subject, culpritsOf(error))
  }
}

function blame(subject: Subject, parties: readonly PartyIndex[]): SubjectStep {
  const fresh = parties.filter((party) => !subject.culprits.has(party))
  if (fresh.length === 0) return { subject, effects: [] }
  return {
    subject: { ...subject, culprits: new Set([...subject.culprits, ...fresh]) },
    effects: [{ kind: "culprits", parties: fresh }],
  }
}

/** Whatever became possible by the last event. */
function settle(subject: Subject, committee: Committee): SubjectStep {
  const { authorised } = subject
  if (authorised === null) return { subject, effects: [] }
  let state: SubjectStep = { subject, effects: [] }
  if (subject.status === "approving" && approvers(subject).length >= quorum(committee))
    state = { subject: { ...subject, status: "released" }, effects: [{ kind: "release", authorised }] }
  return then(state, (next) =>
    next.status === "released" ? open(next, authorised) : { subject: next, effects: [] },
  )
}

function open(subject: Subject, authorised: Authorised): SubjectStep {
  const plaintexts: bigint[] = []
  for (const { session, fheType } of authorised.ciphertexts) {
    const state = subject.openings.get(session)?.state
    if (state?.status !== "opened") return { subject, effects: [] }
    try {
      plaintexts.push(decodePlaintext(state.values, fheType))
    } catch (error) {
      return {
        subject: { ...subject, status: "refused" },
        effects: [{ kind: "bad-plaintext", session, error }],
      }
    }
  }
  return { subject: { ...subject, status: "opened" }, effects: [{ kind: "opened", authorised, plaintexts }] }
}

function then(first: SubjectStep, next: (subject: Subject) => SubjectStep): SubjectStep {
  const second = next(first.subject)
  return { subject: second.subject, effects: [...first.effects, ...second.effects] }
}
