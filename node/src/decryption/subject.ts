/**
 * State machine of one subject that this node authorised (protocol §6): approve, release after a quorum of approvals by
 * parties that stand, open robustly. Pure but for the openings and shares it owns: no clock, no I/O, no secrets. Messages arrive in
 * any order; each party can say one thing: what contradicts it is a fault of that party, whatever is of no use is dropped.
 */
import { type Committee, quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever, culprits as culpritsOf, isProtocolError } from "@twinlock/sdk/protocol/errors"
import { SHARE_BYTES_PER_BLOCK } from "@twinlock/sdk/protocol/fheType"
import type { Digest, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import type { Opening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { Authorised } from "./authorisePublic.ts"
import { type ApprovalStatement, isOlder, type ShareStatement, type Statement } from "./statement.ts"

/**
 * approving: this node approves and waits for a quorum. released: its shares may leave. opened: all plaintexts are known.
 * spoilt: an opened value was out of range, so nothing is said about the subject any more.
 */
export type SubjectStatus = "approving" | "released" | "opened" | "spoilt"

export type Subject = {
  readonly id: Digest
  readonly status: SubjectStatus
  readonly authorised: Authorised
  /** The newest of each party; all of one party name the same sessions. */
  readonly approvals: ReadonlyMap<PartyIndex, ApprovalStatement>
  /** Of the sessions that a share came for. */
  readonly openings: Map<SessionId, Opening>
  readonly openingOf: OpeningOf
  /** The first share of each party and session that came before it was opened, for who begins anew. */
  readonly heardShares: Map<string, ShareStatement>
  readonly culprits: ReadonlySet<PartyIndex>
}

export type SubjectEvent =
  /** Verified by the caller: form, committee, signature. */
  | Statement
  /** Parties that stand on chain now. */
  | { readonly kind: "standing"; readonly live: ReadonlySet<PartyIndex> }

export type SubjectEffect =
  /** A quorum approved what this node approved: who of them stands has to be looked up. */
  | { readonly kind: "quorum"; readonly parties: readonly PartyIndex[] }
  /** A quorum that stands approved: the shares may leave. */
  | { readonly kind: "release"; readonly authorised: Authorised }
  /** Every session is open; plaintexts in the order of the ciphertexts. */
  | { readonly kind: "opened"; readonly authorised: Authorised; readonly plaintexts: readonly bigint[] }
  /** Parties newly proven at fault. */
  | { readonly kind: "culprits"; readonly parties: readonly PartyIndex[] }
  /** An opened value broke the range rule: never reduced, always alarmed. */
  | { readonly kind: "bad-plaintext"; readonly session: SessionId; readonly error: unknown }

export type SubjectStep = { readonly subject: Subject; readonly effects: readonly SubjectEffect[] }

/** Opens one session of so many blocks. */
export type OpeningOf = (blocks: number) => Opening

export const newSubject = (authorised: Authorised, openingOf: OpeningOf): Subject => ({
  id: authorised.subject,
  status: "approving",
  authorised,
  approvals: new Map(),
  openings: new Map(),
  openingOf,
  heardShares: new Map(),
  culprits: new Set(),
})

/** Bytes of shares that a subject's openings keep once every party was heard. */
export const shareBytesOf = ({ authorised: { ciphertexts } }: Subject, { n }: Committee): number =>
  ciphertexts.reduce((sum, { blockCount }) => sum + n * blockCount * SHARE_BYTES_PER_BLOCK, 0)

const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((item, i) => item === b[i])

export const sessionsOf = ({ ciphertexts }: Authorised): readonly SessionId[] =>
  ciphertexts.map(({ session }) => session)

/** Parties that approved exactly the sessions that this node authorised. */
export function approvers({ authorised, approvals }: Subject): readonly PartyIndex[] {
  const sessions = sessionsOf(authorised)
  return [...approvals.values()]
    .filter((approval) => sameList(approval.sessions, sessions))
    .map(({ party }) => party)
}

/** Applies one event. */
export function step(subject: Subject, event: SubjectEvent, committee: Committee): SubjectStep {
  switch (event.kind) {
    case "approval":
      return onApproval(subject, event, committee)
    case "share":
      return then(feed(subject, event), open)
    case "standing":
      return onStanding(subject, event.live, committee)
    default:
      return assertNever(event)
  }
}

/** Approvals of one party may differ in block and commitments (nonces are used up, a node restarts), never in sessions. */
function onApproval(subject: Subject, approval: ApprovalStatement, committee: Committee): SubjectStep {
  const known = subject.approvals.get(approval.party)
  if (known !== undefined && !sameList(known.sessions, approval.sessions))
    return blame(subject, [approval.party])
  if (known !== undefined && isOlder(approval, known)) return { subject, effects: [] }
  const approvals = new Map(subject.approvals).set(approval.party, approval)
  return askForQuorum({ ...subject, approvals }, committee)
}

function askForQuorum(subject: Subject, committee: Committee): SubjectStep {
  const parties = approvers(subject)
  const effects: readonly SubjectEffect[] =
    subject.status === "approving" && parties.length >= quorum(committee) ? [{ kind: "quorum", parties }] : []
  return { subject, effects }
}

function onStanding(subject: Subject, live: ReadonlySet<PartyIndex>, committee: Committee): SubjectStep {
  const standing = approvers(subject).filter((party) => live.has(party))
  if (subject.status !== "approving" || standing.length < quorum(committee)) return { subject, effects: [] }
  const { authorised } = subject
  const released: SubjectStep = {
    subject: { ...subject, status: "released" },
    effects: [{ kind: "release", authorised }],
  }
  return then(released, open)
}

/** Gives a share to the opening of its session; one for a session that is not of this subject is dropped. */
function feed(subject: Subject, statement: ShareStatement): SubjectStep {
  const { party, sessionId, share } = statement
  const opening = openingFor(subject, sessionId)
  if (opening === null) return { subject, effects: [] }
  if (subject.status !== "opened") noteShare(subject, statement)
  try {
    return blame(subject, opening.add(party, share).culprits)
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return blame(subject, culpritsOf(error))
  }
}

function noteShare({ heardShares }: Subject, statement: ShareStatement): void {
  const name = `${statement.party}/${statement.sessionId}`
  if (!heardShares.has(name)) heardShares.set(name, statement)
}

/** Null where the session is not of the subject, or what its shares were judged by is gone. */
function openingFor(
  { status, authorised, openings, openingOf }: Subject,
  session: SessionId,
): Opening | null {
  const known = openings.get(session)
  const ciphertext = authorised.ciphertexts.find((item) => item.session === session)
  if (known !== undefined || ciphertext === undefined || status === "opened") return known ?? null
  const opening = openingOf(ciphertext.blockCount)
  openings.set(session, opening)
  return opening
}

function blame(subject: Subject, parties: readonly PartyIndex[]): SubjectStep {
  const fresh = parties.filter((party) => !subject.culprits.has(party))
  if (fresh.length === 0) return { subject, effects: [] }
  return {
    subject: { ...subject, culprits: new Set([...subject.culprits, ...fresh]) },
    effects: [{ kind: "culprits", parties: fresh }],
  }
}

/** Reads the plaintexts once the shares may leave: before, nobody is entitled to them. */
function open(subject: Subject): SubjectStep {
  if (subject.status !== "released") return { subject, effects: [] }
  const { authorised } = subject
  const plaintexts: bigint[] = []
  for (const { session, fheType } of authorised.ciphertexts) {
    const state = subject.openings.get(session)?.state
    if (state?.status !== "opened") return { subject, effects: [] }
    try {
      plaintexts.push(decodePlaintext(state.values, fheType))
    } catch (error) {
      return {
        subject: { ...subject, status: "spoilt" },
        effects: [{ kind: "bad-plaintext", session, error }],
      }
    }
  }
  return {
    subject: { ...subject, status: "opened", heardShares: new Map() },
    effects: [{ kind: "opened", authorised, plaintexts }],
  }
}

function then(first: SubjectStep, next: (subject: Subject) => SubjectStep): SubjectStep {
  const second = next(first.subject)
  return { subject: second.subject, effects: [...first.effects, ...second.effects] }
}
