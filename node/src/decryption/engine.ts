/**
 * Runs the subjects of one key: gossip in and out, one state machine per subject, bounded memory. Public and user
 * decryption hand it what they authorised and get told what the committee made possible; what becomes possible in one turn
 * is told together, so that a message from one peer moves many subjects at the price of one.
 */
import { partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Approval, GossipMessage, SessionShare } from "@twinlock/sdk/protocol/messages"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { Authorised } from "./authorisePublic.ts"
import { createBatchQueue } from "./batchQueue.ts"
import { decryptionError } from "./errors.ts"
import { createEvidenceShelf, type Evidence } from "./evidence.ts"
import type { KeyGossip } from "./gossip.ts"
import { createInbox } from "./inbox.ts"
import { approvalIn, type Commitments, createOwnWords, type OwnWord, repeatSoon } from "./ownWord.ts"
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
  sessionsOf,
  shareBytesOf,
  step,
  withoutShares,
} from "./subject.ts"

export type Opened = { readonly authorised: Authorised; readonly plaintexts: readonly bigint[] }

/** What the owner of subjects is asked and told. */
export type SubjectOwner = {
  readonly commitments: Commitments
  /** Quorums approved: the shares of these subjects may leave now. */
  onRelease(released: readonly Authorised[]): void
  /** All plaintexts are known (public decryption only: shares of a user's subject are never gossiped). */
  onOpened(opened: readonly Opened[]): void
}

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
  subject(id: Digest): Subject | null
  /** Counts and logs parties that another part proved at fault. */
  blame(subject: Digest, parties: readonly PartyIndex[]): void
  evidence(): readonly Evidence[]
  /** What is kept in memory. */
  kept(): Kept
  /** Sends own approval once more, now, with fresh commitments where the last ones are used up. */
  renew(subject: Digest): void
  /** One tick: says again what peers may have missed, more and more seldom, and looks again who stands. */
  resend(): void
  /** Called with each approval of a peer. */
  onApproval(listener: (approval: Approval) => void): void
}

export type Kept = {
  readonly subjects: number
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
  readonly openingOf: OpeningOf
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** Share bytes that opened subjects keep, to judge late shares by; the oldest subjects give theirs up first. */
const OPENED_SHARE_BYTES = 16 * 1024 * 1024

type Entry = { state: Subject; owner: SubjectOwner; readonly word: OwnWord }

/** What one turn made possible. */
type Turn = {
  readonly quorums: Entry[]
  readonly released: Map<SubjectOwner, Authorised[]>
  readonly opened: Map<SubjectOwner, Opened[]>
}

const listOf = <K, V>(map: Map<K, V[]>, key: K): V[] => {
  const list = map.get(key) ?? []
  map.set(key, list)
  return list
}

export function createEngine(deps: EngineDeps): Engine {
  const { seat, gossip, standing, openingOf, logger, metrics } = deps
  const entries = new Map<Digest, Entry>()
  const inbox = createInbox()
  const shelf = createEvidenceShelf(gossip.said)
  const listeners: ((approval: Approval) => void)[] = []
  /** Opened subjects that still keep shares, oldest first. */
  const withShares = new Map<Digest, number>()
  let openedBytes = 0
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
  const words = createOwnWords(seat, publish, (subject) => entries.get(subject)?.word)

  function inOneTurn(run: (turn: Turn) => void): void {
    const turn: Turn = { quorums: [], released: new Map(), opened: new Map() }
    run(turn)
    standings.add(turn.quorums)
    for (const [owner, list] of turn.released) told(() => owner.onRelease(list))
    for (const [owner, list] of turn.opened) told(() => owner.onOpened(list))
  }

  function told(tell: () => void): void {
    try {
      tell()
    } catch (err) {
      logger.error({ err }, "the owner of subjects failed")
    }
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
        return limitOpened(entry)
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

  function limitOpened({ state }: Entry): void {
    withShares.set(state.id, shareBytesOf(state, seat.committee))
    openedBytes += withShares.get(state.id) ?? 0
    for (const oldest of withShares.keys()) {
      if (openedBytes <= OPENED_SHARE_BYTES || oldest === state.id) break
      const entry = entries.get(oldest)
      if (entry !== undefined) entry.state = withoutShares(entry.state)
      dropOpened(oldest)
    }
  }

  function dropOpened(subject: Digest): void {
    openedBytes -= withShares.get(subject) ?? 0
    withShares.delete(subject)
  }

  /** Approvals count while their signers stand: an expired or revoked seat helps to release nothing. */
  const standings = createBatchQueue<Entry>(
    async (batch) => {
      const live = await standing(partyIndexes(seat.committee))
      if (stopped) return
      inOneTurn((turn) => {
        for (const entry of new Set(batch))
          if (entries.get(entry.state.id) === entry) apply(entry, { kind: "standing", live }, turn)
      })
    },
    {
      maxItems: Number.POSITIVE_INFINITY,
      onError: (err) => logger.warn({ err }, "standing of the approvers could not be read"),
    },
  )

  function blame(subject: Digest, parties: readonly PartyIndex[]): void {
    for (const party of parties) {
      culpritMetric?.add({ party: String(party) })
      shelf.note(party, subject)
    }
    if (parties.length > 0) logger.warn({ subject, culprits: parties }, "parties proven at fault")
  }

  function take(entry: Entry, statement: Statement, turn: Turn): void {
    if (statement.kind === "approval" && statement.party !== seat.self) {
      const known = entry.state.approvals.get(statement.party)
      // Whoever approves anew may have missed what was said before.
      if (known === undefined || known.commitments.join() !== statement.commitments.join())
        repeatSoon(entry.word)
    }
    apply(entry, statement, turn)
  }

  function receive(statements: readonly Statement[]): void {
    if (stopped) return
    inOneTurn((turn) => {
      for (const statement of statements) {
        const entry = entries.get(statement.subject)
        if (entry === undefined) inbox.keep(statement)
        else take(entry, statement, turn)
      }
    })
  }

  function follow(authorised: readonly Authorised[], owner: SubjectOwner, turn: Turn): void {
    for (const word of words.approve(authorised, owner.commitments)) {
      const entry: Entry = { state: newSubject(word.authorised, openingOf), owner, word }
      const { subject } = word.authorised
      entries.set(subject, entry)
      for (const statement of [approvalIn(word), ...inbox.take(subject)]) take(entry, statement, turn)
    }
  }

  /** @throws CONFLICTING_RELEASE where one is followed with other sessions */
  function unknown(authorised: readonly Authorised[]): readonly Authorised[] {
    return authorised.filter((item) => {
      const known = entries.get(item.subject)
      if (known !== undefined && sessionsOf(known.state.authorised).join() !== sessionsOf(item).join())
        throw decryptionError(
          "CONFLICTING_RELEASE",
          `subject ${item.subject} was approved with other sessions`,
        )
      return known === undefined
    })
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
      standings.stop()
      entries.clear()
    },
    approve(authorised, owner) {
      if (stopped) return
      const fresh = unknown(authorised)
      inOneTurn((turn) => {
        for (const item of authorised) {
          const entry = entries.get(item.subject)
          if (entry === undefined) continue
          entry.owner = owner
          if (entry.state.status === "released" || entry.state.status === "opened")
            listOf(turn.released, owner).push(item)
        }
        follow(fresh, owner, turn)
      })
    },
    publishShares(shares) {
      const wanted = shares.filter(({ subject }) => {
        const entry = entries.get(subject)
        if (entry?.state.status === "approving")
          throw new Error(`shares of ${subject} must not leave before a quorum approved`)
        return entry !== undefined && entry.word.shares.length === 0
      })
      const messages = words.share(wanted)
      inOneTurn((turn) => {
        for (const statement of messages.flatMap(sharesIn)) {
          released?.add()
          const entry = entries.get(statement.subject)
          if (entry !== undefined) apply(entry, statement, turn)
        }
      })
    },
    forget(subject) {
      dropOpened(subject)
      entries.delete(subject)
    },
    park(subject) {
      const entry = entries.get(subject)
      entries.delete(subject)
      for (const approval of entry?.state.approvals.values() ?? [])
        if (approval.party !== seat.self) inbox.keep(approval)
    },
    subject: (id) => entries.get(id)?.state ?? null,
    blame,
    evidence: shelf.all,
    kept: () => ({
      subjects: entries.size,
      inboxBytes: inbox.bytes,
      transcriptBytes: gossip.keptBytes,
      openedShareBytes: openedBytes,
    }),
    renew(subject) {
      const entry = entries.get(subject)
      if (entry !== undefined) words.renew([entry.word])
    },
    resend() {
      const waiting = [...entries.values()].filter(
        ({ state }) => state.status === "approving" && approvers(state).length >= quorum(seat.committee),
      )
      standings.add(waiting)
      words.tick([...entries.values()].map(({ word }) => word))
    },
    onApproval: (listener) => void listeners.push(listener),
  }
}
