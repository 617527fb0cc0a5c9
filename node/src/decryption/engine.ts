/**
 * Runs the subjects of one key: gossip in and out, one state machine per subject, bounded memory. Public and user
 * decryption hand it what they authorised and get told what the committee made possible.
 */

import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type {
  Approval,
  CommitmentPair,
  DecryptionShare,
  GossipMessage,
} from "@twinlock/sdk/protocol/messages"
import { MAX_MESSAGE_BYTES } from "@twinlock/sdk/protocol/messages"
import type { Network } from "../p2p/network.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { Authorised } from "./authorisePublic.ts"
import { type KeySeat, signAs, topicOf } from "./seat.ts"
import { newSubject, type Subject, type SubjectEffect, type SubjectEvent, step } from "./subject.ts"
import { validateMessage } from "./validators.ts"

/** What the owner of a subject is told. */
export type SubjectOwner = {
  /** A quorum approved: shares may leave now. */
  onRelease(authorised: Authorised): void
  /** All plaintexts are known (public decryption only: shares of a user's subject are never gossiped). */
  onOpened(authorised: Authorised, plaintexts: readonly bigint[]): void
}

export type Engine = {
  start(): void
  /** Approves and follows a subject that passed every rule. `commitments` ride on the approval. */
  approve(authorised: Authorised, commitments: readonly CommitmentPair[], owner: SubjectOwner): Promise<void>
  /** Gossips own shares and takes them into account. */
  publishShares(
    subject: Digest,
    shares: readonly { readonly session: DecryptionShare["sessionId"]; readonly share: Uint8Array }[],
  ): Promise<void>
  refuse(subject: Digest): void
  forget(subject: Digest): void
  subject(id: Digest): Subject | null
  /** Sends own approval and shares of everything unfinished once more: gossip may lose a message. */
  resend(): Promise<void>
  /** Called with each new approval, own ones included. */
  onApproval(listener: (approval: Approval) => void): void
}

export type EngineDeps = {
  readonly seat: KeySeat
  readonly network: Network
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** Subjects that this node has not judged are only kept until so many are known; the oldest goes first. */
const MAX_UNDECIDED = 1024

type Entry = { state: Subject; owner: SubjectOwner | null; sent: GossipMessage[] }

export function createEngine({ seat, network, logger, metrics }: EngineDeps): Engine {
  const entries = new Map<Digest, Entry>()
  const listeners: ((approval: Approval) => void)[] = []
  const culpritMetric = metrics?.counter({
    name: "culprits_total",
    help: "parties proven at fault in decryptions",
    labels: ["party"],
  })

  const released = metrics?.counter({
    name: "shares_released_total",
    help: "Decryption shares that left this node in gossip",
  })

  function entryOf(id: Digest): Entry {
    const known = entries.get(id)
    if (known !== undefined) return known
    const undecided = [...entries].filter(([, entry]) => entry.owner === null)
    const [oldest] = undecided
    if (undecided.length >= MAX_UNDECIDED && oldest !== undefined) entries.delete(oldest[0])
    const entry: Entry = { state: newSubject(id), owner: null, sent: [] }
    entries.set(id, entry)
    return entry
  }

  function apply(entry: Entry, event: SubjectEvent): void {
    const { subject, effects } = step(entry.state, event, seat.committee)
    entry.state = subject
    for (const effect of effects) run(entry, effect)
  }

  function run(entry: Entry, effect: SubjectEffect): void {
    const subject = entry.state.id
    switch (effect.kind) {
      case "release":
        return entry.owner?.onRelease(effect.authorised)
      case "opened":
        return entry.owner?.onOpened(effect.authorised, effect.plaintexts)
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

  function blame(subject: Digest, parties: readonly PartyIndex[]): void {
    for (const party of parties) culpritMetric?.add({ party: String(party) })
    logger.warn({ subject, culprits: parties }, "parties proven at fault")
  }

  const publish = (message: GossipMessage) =>
    network.publish(topicOf(message.kind, seat), encodeMessage(message))
  async function send(entry: Entry, message: Approval | DecryptionShare): Promise<void> {
    entry.sent.push(message)
    apply(
      entry,
      message.kind === "approval"
        ? { kind: "approval", approval: message }
        : { kind: "share", share: message },
    )
    if (message.kind === "approval") for (const listener of listeners) listener(message)
    await publish(message)
  }

  function listen<K extends "approval" | "decryption-share">(
    kind: K,
    take: (message: Extract<GossipMessage, { kind: K }>) => void,
  ): void {
    // Validation decodes and verifies; what it accepted is handed over by identity, not decoded twice.
    const accepted = new WeakMap<Uint8Array, Extract<GossipMessage, { kind: K }>>()
    network.subscribe(
      topicOf(kind, seat),
      MAX_MESSAGE_BYTES[kind],
      (payload) => {
        const result = validateMessage(kind, payload, seat)
        if (result.validation === "accept") accepted.set(payload, result.message)
        return result.validation
      },
      (payload) => {
        const known = accepted.get(payload)
        if (known !== undefined) return take(known)
        const result = validateMessage(kind, payload, seat)
        if (result.validation === "accept") take(result.message)
      },
    )
  }

  return {
    start() {
      listen("approval", (approval) => {
        apply(entryOf(approval.subject), { kind: "approval", approval })
        for (const listener of listeners) listener(approval)
      })
      listen("decryption-share", (share) => apply(entryOf(share.subject), { kind: "share", share }))
    },
    async approve(authorised, commitments, owner) {
      const entry = entryOf(authorised.subject)
      entry.owner = owner
      const { number, hash } = authorised.at
      const sessions = authorised.ciphertexts.map(({ session }) => session)
      const approval = signAs<Approval>(seat, {
        kind: "approval",
        subject: authorised.subject,
        sessions,
        blockNumber: number,
        blockHash: hash,
        verdict: 1,
        commitments,
      })
      apply(entry, { kind: "authorised", authorised })
      await send(entry, approval)
    },
    async publishShares(subject, shares) {
      const entry = entryOf(subject)
      released?.add({}, shares.length)
      for (const { session, share } of shares)
        await send(
          entry,
          signAs<DecryptionShare>(seat, { kind: "decryption-share", subject, sessionId: session, share }),
        )
    },
    refuse: (subject) => apply(entryOf(subject), { kind: "refused" }),
    forget: (subject) => void entries.delete(subject),
    subject: (id) => entries.get(id)?.state ?? null,
    async resend() {
      for (const { sent } of entries.values()) for (const message of sent) await publish(message)
    },
    onApproval: (listener) => void listeners.push(listener),
  }
}
