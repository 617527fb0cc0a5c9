/**
 * Runs the subjects of one key: gossip in and out, one state machine per subject, bounded memory. Public and user
 * decryption hand it what they authorised and get told what the committee made possible; what becomes possible in one turn
 * is told together, so that a message from one peer moves many subjects at the price of one.
 */
import { partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval, GossipMessage, SessionShare } from "@twinlock/sdk/protocol/messages"
import type { Clock } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { Authorised } from "./authorisePublic.ts"
import { createBatchQueue } from "./batchQueue.ts"
import { decryptionError } from "./errors.ts"
import type { EvidenceShelf } from "./evidence.ts"
import { createFollowedSubjects, type Followed } from "./followedSubjects.ts"
import type { KeyGossip } from "./gossip.ts"
import { createInbox } from "./inbox.ts"
import { approvalIn, createOwnWords } from "./ownWord.ts"
import type { KeySeat } from "./seat.ts"
import type { Standing } from "./standing.ts"
import { approvalsIn, type Statement, sharesIn } from "./statement.ts"
import {
  approvers,
  newSubject,
  type OpeningOf,
  type Subject,
  type SubjectEffect,
  type SubjectEvent,
  type SubjectStatus,
  sessionsOf,
  step,
} from "./subject.ts"
import { listOf, newTurn, type SubjectOwner, type Turn, tellOwners } from "./turn.ts"

export type Engine = {
  start(): void
  stop(): void
  /** Approves and follows subjects that passed every rule. Of those released already, the owner is told at once. */
  approve(authorised: readonly Authorised[], owner: SubjectOwner): void
  /** Gossips own shares of released subjects and takes them into account; those of subjects forgotten since are dropped. */
  publishShares(shares: readonly SessionShare[]): void
  forget(subject: Digest): void
  /** Follows a subject no longer for now: what others said about it is kept as of any subject not yet judged. */
  park(subject: Digest): void
  /** Null for what is not followed, and where a stub is left. */
  subject(id: Digest): Subject | null
  status(id: Digest): SubjectStatus | null
  /** The subject's result has a certificate: nothing is said about it any more unless a peer needs it. */
  certified(subject: Digest): void
  /** The certificate fell. */
  uncertified(subject: Digest): void
  /** Counts and logs a party that another part proved at fault. @param proof what it signed, and what that answers */
  blame(subject: Digest, party: PartyIndex, proof: readonly GossipMessage[]): void
  /** What is kept in memory. */
  kept(): Kept
  /** Sends own approval once more, now, with fresh commitments where the last ones are used up. */
  renew(subject: Digest): void
  /** One tick: says again what peers may have missed, more and more seldom, and looks again who stands. */
  resend(): void
  /** Called with each approval of a peer that was not heard before. */
  onApproval(listener: (approval: Approval) => void): void
}

export type Kept = {
  /** Subjects in full. */
  readonly subjects: number
  /** Opened subjects of which a stub is left. */
  readonly stubs: number
  /** Statements about subjects that were not judged yet, of all parties. */
  readonly inboxBytes: number
  /** Signed messages of all parties. */
  readonly transcriptBytes: number
  /** Shares of opened subjects, at most. */
  readonly openedShareBytes: number
}

export type EngineDeps = {
  readonly seat: KeySeat
  readonly gossip: KeyGossip
  readonly standing: Standing
  readonly evidence: Pick<EvidenceShelf, "note">
  readonly openingOf: OpeningOf
  /** Opened subjects that are kept in full; of older ones a stub is left. */
  readonly openedInFull: number
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics | null
}

type Entry = Followed<SubjectOwner>

export function createEngine(deps: EngineDeps): Engine {
  const { seat, gossip, standing, evidence, openingOf, clock, logger, metrics } = deps
  const followed = createFollowedSubjects<SubjectOwner>(seat.committee, deps.openedInFull)
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

  function publish(message: GossipMessage): void {
    // What a lost connection swallows is said again.
    gossip.publish(message).catch((err: unknown) => logger.warn({ err, kind: message.kind }, "not published"))
  }
  const words = createOwnWords(seat, publish, (subject) => followed.get(subject)?.word)

  function inOneTurn(run: (turn: Turn) => void): void {
    const turn = newTurn()
    run(turn)
    standings.add(turn.quorums)
    tellOwners(turn, (err) => logger.error({ err }, "the owner of subjects failed"))
  }

  function apply(entry: Entry, event: SubjectEvent, turn: Turn): void {
    const { subject, effects } = step(entry.state, event, seat.committee)
    entry.state = subject
    for (const effect of effects) run(entry, effect, turn)
  }

  function run(entry: Entry, effect: SubjectEffect, turn: Turn): void {
    const subject = entry.state.id
    switch (effect.kind) {
      case "quorum":
        turn.quorums.push(entry)
        return
      case "release":
        listOf(turn.released, entry.owner).push(effect.authorised)
        return
      case "opened":
        listOf(turn.opened, entry.owner).push(effect)
        return followed.opened(entry)
      case "culprits":
        for (const party of effect.parties) blame(subject, party)
        return
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
  const standings = createBatchQueue<Entry>(
    async (batch) => {
      const live = await standing(partyIndexes(seat.committee))
      if (stopped) return
      inOneTurn((turn) => {
        for (const entry of new Set(batch))
          if (followed.get(entry.state.id) === entry) apply(entry, { kind: "standing", live }, turn)
      })
    },
    {
      maxItems: Number.POSITIVE_INFINITY,
      onError: (err) => logger.warn({ err }, "standing of the approvers could not be read"),
    },
  )

  function blame(subject: Digest, party: PartyIndex, proof?: readonly GossipMessage[]): void {
    culpritMetric?.add({ party: String(party) })
    evidence.note(party, subject, proof?.map(encodeMessage))
    logger.warn({ subject, culprit: party }, "a party is proven at fault")
  }

  function receive(statements: readonly Statement[], isRepeat: boolean): void {
    if (stopped) return
    inOneTurn((turn) => {
      for (const statement of statements) {
        const { subject, kind, party } = statement
        if (followed.status(subject) === null) {
          inbox.keep(statement, isRepeat)
          continue
        }
        const entry = followed.get(subject)
        // Perhaps by the party itself, perhaps by somebody who plays it back: a newer word stands.
        const isKnown = isRepeat && kind === "approval" && entry?.state.approvals.has(party) === true
        if (kind === "approval") followed.approvedBy(statement, isKnown, clock.now())
        if (entry !== undefined && !isKnown) apply(entry, statement, turn)
      }
    })
  }

  function follow(authorised: readonly Authorised[], owner: SubjectOwner, turn: Turn): void {
    for (const word of words.approve(authorised, owner.commitments)) {
      const entry: Entry = {
        state: newSubject(word.authorised, openingOf),
        owner,
        word,
        heard: null,
        anew: new Map(),
      }
      followed.add(entry)
      for (const statement of [approvalIn(word), ...inbox.take(entry.state.id)]) apply(entry, statement, turn)
    }
  }

  /** @throws where they must not leave */
  function wantsShares(subject: Digest): boolean {
    const entry = followed.get(subject)
    if (entry?.state.status === "approving")
      throw new Error(`shares of ${subject} must not leave before a quorum approved`)
    return entry === undefined ? followed.stubs.answers(subject) : entry.word.shares.length === 0
  }

  /** Own word on subjects of which a stub is left, to peers that need it. */
  function answer(): void {
    inOneTurn((turn) => {
      for (const { authorised, owner } of followed.stubs.due()) listOf(turn.released, owner).push(authorised)
      for (const [owner, authorised] of turn.released) words.approve(authorised, owner.commitments)
    })
  }

  /** @throws CONFLICTING_RELEASE where one is followed with other sessions */
  function unknown(authorised: readonly Authorised[]): readonly Authorised[] {
    return authorised.filter((item) => {
      const known = followed.authorised(item.subject)
      if (known !== null && sessionsOf(known).join() !== sessionsOf(item).join())
        throw decryptionError(
          "CONFLICTING_RELEASE",
          `subject ${item.subject} was approved with other sessions`,
        )
      return known === null
    })
  }

  return {
    start() {
      gossip.listen("approval", (approval, isRepeat) => {
        receive(approvalsIn(approval), isRepeat)
        if (!stopped && !isRepeat) for (const listener of listeners) listener(approval)
      })
      gossip.listen("decryption-shares", (shares, isRepeat) => receive(sharesIn(shares), isRepeat))
    },
    stop() {
      stopped = true
      standings.stop()
      followed.clear()
    },
    approve(authorised, owner) {
      if (stopped) return
      const fresh = unknown(authorised)
      inOneTurn((turn) => {
        for (const item of authorised) {
          const entry = followed.get(item.subject)
          if (entry === undefined) continue
          entry.owner = owner
          if (entry.state.status === "released" || entry.state.status === "opened")
            listOf(turn.released, owner).push(item)
        }
        follow(fresh, owner, turn)
      })
    },
    publishShares(shares) {
      const subjects = [...new Set(shares.map(({ subject }) => subject))].filter(wantsShares)
      const messages = words.share(shares.filter(({ subject }) => subjects.includes(subject)))
      inOneTurn((turn) => {
        for (const statement of messages.flatMap(sharesIn)) {
          released?.add()
          const entry = followed.get(statement.subject)
          if (entry !== undefined) apply(entry, statement, turn)
        }
      })
    },
    forget: followed.delete,
    park(subject) {
      const state = followed.get(subject)?.state
      if (state === undefined) return
      followed.delete(subject)
      for (const statement of [...state.approvals.values(), ...state.heardShares.values()])
        if (statement.party !== seat.self) inbox.keep(statement)
    },
    subject: (id) => followed.get(id)?.state ?? null,
    status: followed.status,
    certified: followed.certified,
    uncertified: followed.uncertified,
    blame,
    kept: () => ({
      ...followed.kept(),
      inboxBytes: inbox.bytes,
      transcriptBytes: gossip.keptBytes,
    }),
    renew(subject) {
      const entry = followed.get(subject)
      if (entry === undefined) followed.stubs.ask(subject)
      else words.renew([entry.word])
    },
    resend() {
      const all = followed.all()
      const waiting = all.filter(
        ({ state }) => state.status === "approving" && approvers(state).length >= quorum(seat.committee),
      )
      standings.add(waiting)
      words.tick(all.map(({ word }) => word))
      answer()
    },
    onApproval: (listener) => void listeners.push(listener),
  }
}
