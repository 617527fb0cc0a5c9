/**
 * Runs the subjects of one key: gossip in and out, one state machine per subject, bounded memory. Public and user
 * decryption hand it what they authorised and get told what the committee made possible.
 */
import { quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import type {
  Approval,
  CommitmentPair,
  DecryptionShares,
  GossipMessage,
} from "@twinlock/sdk/protocol/messages"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { Authorised } from "./authorisePublic.ts"
import { decryptionError } from "./errors.ts"
import type { KeyGossip } from "./gossip.ts"
import { createInbox } from "./inbox.ts"
import { type KeySeat, signAs } from "./seat.ts"
import { shareMessages } from "./shareMessages.ts"
import type { Standing } from "./standing.ts"
import { approvalsIn, type Statement, sharesIn } from "./statement.ts"
import {
  approvers,
  newSubject,
  type Subject,
  type SubjectEffect,
  type SubjectEvent,
  sessionsOf,
  step,
} from "./subject.ts"

/** What the owner of a subject is asked and told. */
export type SubjectOwner = {
  /** Commitments to ride on the approval; `previous` are those of the approval so far, kept while they are unused. */
  commitments(previous: readonly CommitmentPair[]): readonly CommitmentPair[]
  /** A quorum approved: shares may leave now. */
  onRelease(authorised: Authorised): void
  /** All plaintexts are known (public decryption only: shares of a user's subject are never gossiped). */
  onOpened(authorised: Authorised, plaintexts: readonly bigint[]): void
}

export type Engine = {
  start(): void
  stop(): void
  /** Approves and follows a subject that passed every rule. Where it is released already, its owner is told at once. */
  approve(authorised: Authorised, owner: SubjectOwner): void
  /** Gossips own shares of a released subject and takes them into account; nothing for a subject forgotten since. */
  publishShares(
    subject: Digest,
    shares: readonly { readonly session: SessionId; readonly share: Uint8Array }[],
  ): void
  forget(subject: Digest): void
  subject(id: Digest): Subject | null
  /** Counts and logs parties that another part proved at fault. */
  blame(subject: Digest, parties: readonly PartyIndex[]): void
  /** Sends own approval once more, now, with fresh commitments where the last ones are used up. */
  renew(subject: Digest): void
  /** One tick: says again what peers may have missed, more and more seldom, and looks again who stands. */
  resend(): void
  /** Called with each approval of a peer. */
  onApproval(listener: (approval: Approval) => void): void
}

export type EngineDeps = {
  readonly seat: KeySeat
  readonly gossip: KeyGossip
  readonly standing: Standing
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** Longest pause between two repeats, in ticks. */
const MAX_TICKS = 16

type Entry = {
  state: Subject
  owner: SubjectOwner
  approval: Approval
  shares: readonly DecryptionShares[]
  /** Ticks until the next repeat, and the pause after it. */
  due: number
  pause: number
  looking: boolean
}

export function createEngine({ seat, gossip, standing, logger, metrics }: EngineDeps): Engine {
  const entries = new Map<Digest, Entry>()
  const inbox = createInbox()
  const listeners: ((approval: Approval) => void)[] = []
  let stopped = false
  const culpritMetric = metrics?.counter({
    name: "culprits_total",
    help: "parties proven at fault in decryptions",
    labels: ["party"],
  })
  const released = metrics?.counter({
    name: "shares_released_total",
    help: "Decryption shares that left this node in gossip",
  })

  function apply(entry: Entry, event: SubjectEvent): void {
    const { subject, effects } = step(entry.state, event, seat.committee)
    entry.state = subject
    for (const effect of effects) run(entry, effect)
  }

  function run(entry: Entry, effect: SubjectEffect): void {
    const subject = entry.state.id
    switch (effect.kind) {
      case "quorum":
        return look(entry, effect.parties)
      case "release":
        return entry.owner.onRelease(effect.authorised)
      case "opened":
        return entry.owner.onOpened(effect.authorised, effect.plaintexts)
      case "culprits":
        return blame(subject, effect.parties)
      case "bad-plaintext":
        return logger.error(
          { subject, session: effect.session, err: effect.error },
          "an opened value is out of range",
        )
      default:
        return assertNever(effect)
    }
  }

  /** Approvals count while their signers stand: an expired or revoked seat helps to release nothing. */
  function look(entry: Entry, parties: readonly PartyIndex[]): void {
    if (entry.looking || parties.length < quorum(seat.committee)) return
    entry.looking = true
    standing(parties)
      .then(
        (live) => {
          entry.looking = false
          if (entries.get(entry.state.id) !== entry || stopped) return
          apply(entry, { kind: "standing", live })
          const now = approvers(entry.state)
          if (entry.state.status === "approving" && now.some((party) => !parties.includes(party)))
            look(entry, now)
        },
        (err: unknown) => {
          entry.looking = false
          logger.warn({ subject: entry.state.id, err }, "standing of the approvers could not be read")
        },
      )
      .catch((err: unknown) => logger.error({ subject: entry.state.id, err }, "release failed"))
  }

  function blame(subject: Digest, parties: readonly PartyIndex[]): void {
    for (const party of parties) culpritMetric?.add({ party: String(party) })
    if (parties.length > 0) logger.warn({ subject, culprits: parties }, "parties proven at fault")
  }

  function publish(message: GossipMessage): void {
    // What a lost connection swallows is said again by resend.
    gossip.publish(message).catch((err: unknown) => logger.warn({ err, kind: message.kind }, "not published"))
  }

  function take(entry: Entry, statement: Statement): void {
    if (statement.kind === "approval") {
      const known = entry.state.approvals.get(statement.party)
      // Whoever approves anew may have missed what was said before.
      if (known === undefined || known.commitments.join() !== statement.commitments.join()) {
        entry.due = 1
        entry.pause = 1
      }
    }
    apply(entry, statement)
  }

  function receive(statements: readonly Statement[]): void {
    if (stopped) return
    for (const statement of statements) {
      const entry = entries.get(statement.subject)
      if (entry === undefined) inbox.keep(statement)
      else take(entry, statement)
    }
  }

  const approvalOf = (
    { subject, at, ciphertexts }: Authorised,
    commitments: readonly CommitmentPair[],
  ): Approval =>
    signAs<Approval>(seat, {
      kind: "approval",
      approved: [{ subject, sessions: ciphertexts.map(({ session }) => session) }],
      blockNumber: at.number,
      blockHash: at.hash,
      verdict: 1,
      commitments,
    })

  /** Own approval as it should be sent now. */
  function freshApproval(entry: Entry): Approval {
    const { commitments } = entry.approval
    const wanted = entry.owner.commitments(commitments)
    if (wanted !== commitments) entry.approval = approvalOf(entry.state.authorised, wanted)
    return entry.approval
  }

  function repeat(entry: Entry): void {
    publish(freshApproval(entry))
    for (const share of entry.shares) publish(share)
  }

  return {
    start() {
      gossip.listen("approval", (approval) => {
        receive(approvalsIn(approval))
        if (!stopped) for (const listener of listeners) listener(approval)
      })
      gossip.listen("decryption-shares", (shares) => receive(sharesIn(shares)))
    },
    stop() {
      stopped = true
      entries.clear()
    },
    approve(authorised, owner) {
      const known = entries.get(authorised.subject)
      if (known !== undefined) {
        if (sessionsOf(known.state.authorised).join() !== sessionsOf(authorised).join())
          throw decryptionError(
            "CONFLICTING_RELEASE",
            `subject ${authorised.subject} was approved with other sessions`,
          )
        known.owner = owner
        if (known.state.status === "released" || known.state.status === "opened") owner.onRelease(authorised)
        return
      }
      const approval = approvalOf(authorised, owner.commitments([]))
      const state = newSubject(authorised, seat.committee)
      const entry: Entry = { state, owner, approval, shares: [], due: 1, pause: 1, looking: false }
      entries.set(authorised.subject, entry)
      publish(approval)
      for (const statement of [...inbox.take(authorised.subject), ...approvalsIn(approval)])
        take(entry, statement)
    },
    publishShares(subject, shares) {
      const entry = entries.get(subject)
      if (entry === undefined || entry.shares.length > 0) return
      if (entry.state.status === "approving")
        throw new Error(`shares of ${subject} must not leave before a quorum approved`)
      const items = shares.map(({ session, share }) => ({ subject, sessionId: session, share }))
      entry.shares = shareMessages(items).map((batch) =>
        signAs<DecryptionShares>(seat, { kind: "decryption-shares", shares: batch }),
      )
      released?.add({}, shares.length)
      for (const message of entry.shares) {
        publish(message)
        for (const statement of sharesIn(message)) apply(entry, statement)
      }
    },
    forget: (subject) => void entries.delete(subject),
    subject: (id) => entries.get(id)?.state ?? null,
    blame,
    renew(subject) {
      const entry = entries.get(subject)
      if (entry !== undefined) publish(freshApproval(entry))
    },
    resend() {
      for (const entry of entries.values()) {
        if (entry.state.status === "approving") look(entry, approvers(entry.state))
        entry.due -= 1
        if (entry.due > 0) continue
        entry.pause = Math.min(2 * entry.pause, MAX_TICKS)
        entry.due = entry.pause
        repeat(entry)
      }
    },
    onApproval: (listener) => void listeners.push(listener),
  }
}
