/**
 * State machine of one subject (protocol §6): approve, release after a quorum of approvals, open robustly. Pure but for
 * the openings it owns: no clock, no I/O, no secrets. Messages arrive in any order, also before the node has decided
 * itself; what cannot be judged yet is kept, one message per party, and judged later.
 */
import { type Committee, quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import type { Approval, DecryptionShare } from "@twinlock/sdk/protocol/messages"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening, type Opening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { Authorised } from "./authorisePublic.ts"
import type { OpenableCiphertext } from "./ciphertexts.ts"

export type SubjectStatus = "undecided" | "approving" | "released" | "opened" | "refused"

/** Signed by two different messages of one party for one purpose: evidence by itself (protocol §3). */
export type Equivocation = {
  readonly party: PartyIndex
  readonly first: Approval | DecryptionShare
  readonly second: Approval | DecryptionShare
}

export type Subject = {
  readonly id: Digest
  readonly status: SubjectStatus
  readonly authorised: Authorised | null
  readonly approvals: ReadonlyMap<PartyIndex, Approval>
  readonly shares: ReadonlyMap<string, DecryptionShare>
  readonly openings: ReadonlyMap<SessionId, Opening>
  readonly plaintexts: ReadonlyMap<SessionId, bigint>
  readonly culprits: ReadonlySet<PartyIndex>
}

export type SubjectEvent =
  | { readonly kind: "authorised"; readonly authorised: Authorised }
  | { readonly kind: "refused" }
  | { readonly kind: "approval"; readonly approval: Approval }
  | { readonly kind: "share"; readonly share: DecryptionShare }

export type SubjectEffect =
  /** A quorum approved what this node approved: budget, release log, shares. */
  | { readonly kind: "release"; readonly authorised: Authorised }
  /** Every session is open; plaintexts in the order of the ciphertexts. */
  | { readonly kind: "opened"; readonly authorised: Authorised; readonly plaintexts: readonly bigint[] }
  | { readonly kind: "culprits"; readonly parties: readonly PartyIndex[] }
  | { readonly kind: "equivocation"; readonly evidence: Equivocation }
  /** An opened value broke the range rule: never reduced, always alarmed. */
  | { readonly kind: "bad-plaintext"; readonly session: SessionId; readonly error: unknown }

export type SubjectStep = { readonly subject: Subject; readonly effects: readonly SubjectEffect[] }

export const newSubject = (id: Digest): Subject => ({
  id,
  status: "undecided",
  authorised: null,
  approvals: new Map(),
  shares: new Map(),
  openings: new Map(),
  plaintexts: new Map(),
  culprits: new Set(),
})

const shareName = (share: DecryptionShare) => `${share.sessionId}/${share.party}`
const sameBytes = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
const sameSessions = (approval: Approval, { ciphertexts }: Authorised) =>
  approval.sessions.length === ciphertexts.length &&
  ciphertexts.every(({ session }, i) => approval.sessions[i] === session)

/** Parties that approved exactly the sessions that this node authorised. */
export const approvers = (subject: Subject): readonly PartyIndex[] => {
  const { authorised } = subject
  if (authorised === null) return []
  return [...subject.approvals.values()]
    .filter((approval) => sameSessions(approval, authorised))
    .map(({ party }) => party)
}

/** Applies one event; approvals and shares were verified by the caller (signature, committee, form). */
export function step(subject: Subject, event: SubjectEvent, committee: Committee): SubjectStep {
  switch (event.kind) {
    case "authorised":
      return subject.authorised === null
        ? settle({ ...subject, status: "approving", authorised: event.authorised }, committee)
        : unchanged(subject)
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

const unchanged = (subject: Subject): SubjectStep => ({ subject, effects: [] })

function onApproval(subject: Subject, approval: Approval, committee: Committee): SubjectStep {
  const known = subject.approvals.get(approval.party)
  if (known === undefined || sameApproval(known, approval))
    return settle(
      { ...subject, approvals: new Map(subject.approvals).set(approval.party, approval) },
      committee,
    )
  // Approvals of one subject may differ in block and commitments (a node may have restarted), never in the sessions.
  const evidence: Equivocation = { party: approval.party, first: known, second: approval }
  return {
    subject: { ...subject, culprits: new Set(subject.culprits).add(approval.party) },
    effects: [{ kind: "equivocation", evidence }],
  }
}

const sameApproval = (a: Approval, b: Approval) =>
  a.sessions.length === b.sessions.length && a.sessions.every((session, i) => session === b.sessions[i])

function onShare(subject: Subject, share: DecryptionShare, committee: Committee): SubjectStep {
  const known = subject.shares.get(shareName(share))
  if (known === undefined)
    return settle({ ...subject, shares: new Map(subject.shares).set(shareName(share), share) }, committee)
  if (sameBytes(known.share, share.share)) return unchanged(subject)
  const evidence: Equivocation = { party: share.party, first: known, second: share }
  return {
    subject: { ...subject, culprits: new Set(subject.culprits).add(share.party) },
    effects: [{ kind: "equivocation", evidence }],
  }
}

/** Whatever became possible by the last event. */
function settle(subject: Subject, committee: Committee): SubjectStep {
  const { authorised } = subject
  if (authorised === null) return unchanged(subject)
  const effects: SubjectEffect[] = []
  let next = subject
  if (next.status === "approving" && approvers(next).length >= quorum(committee)) {
    next = { ...next, status: "released" }
    effects.push({ kind: "release", authorised })
  }
  if (next.status === "released") {
    const opened = openAll(next, authorised, committee)
    next = opened.subject
    effects.push(...opened.effects)
    if (authorised.ciphertexts.every(({ session }) => next.plaintexts.has(session))) {
      next = { ...next, status: "opened" }
      effects.push({ kind: "opened", authorised, plaintexts: plaintextsOf(next, authorised) })
    }
  }
  return { subject: next, effects }
}

const plaintextsOf = (subject: Subject, { ciphertexts }: Authorised) =>
  ciphertexts.map(({ session }) => subject.plaintexts.get(session) ?? 0n)

function openAll(subject: Subject, authorised: Authorised, committee: Committee): SubjectStep {
  const effects: SubjectEffect[] = []
  let next = subject
  for (const ciphertext of authorised.ciphertexts) {
    if (next.plaintexts.has(ciphertext.session)) continue
    const result = openOne(next, ciphertext, committee)
    next = result.subject
    effects.push(...result.effects)
  }
  return { subject: next, effects }
}

function openOne(
  subject: Subject,
  { session, blockCount, fheType }: OpenableCiphertext,
  { n, t }: Committee,
): SubjectStep {
  const opening = subject.openings.get(session) ?? createOpening({ n, t, blocks: blockCount })
  const openings = new Map(subject.openings).set(session, opening)
  const effects: SubjectEffect[] = []
  let culprits = subject.culprits
  for (const share of subject.shares.values()) {
    if (share.sessionId !== session || opening.has(share.party)) continue
    const state = opening.add(share.party, share.share)
    if (state.status === "waiting") continue
    if (state.culprits.length > 0) {
      culprits = new Set([...culprits, ...state.culprits])
      effects.push({ kind: "culprits", parties: state.culprits })
    }
    try {
      const plaintexts = new Map(subject.plaintexts).set(session, decodePlaintext(state.values, fheType))
      return { subject: { ...subject, openings, culprits, plaintexts }, effects }
    } catch (error) {
      return {
        subject: { ...subject, openings, culprits, status: "refused" },
        effects: [...effects, { kind: "bad-plaintext", session, error }],
      }
    }
  }
  return { subject: { ...subject, openings, culprits }, effects }
}
