/** What is true but comes at a bad time: at the last moment, once more, too often, or just before its party falls (protocol §6.3). */
import { signAs, topicOf } from "@twinlock/node/decryption/seat"
import { taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, quorum } from "@twinlock/sdk/protocol/committee"
import { parseRequestId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type {
  CertificateAnnouncement,
  GossipMessage,
  MessageKind,
  SigningRequest,
} from "@twinlock/sdk/protocol/messages"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { seededRng } from "../../../support/seededRng.ts"
import {
  type Arena,
  deliveredIn,
  endStanding,
  nextBlock,
  resigned,
  STEP_MS,
  type Strategy,
} from "../arena.ts"
import { answeredTraitors, batchIn, changing, offered } from "./means.ts"

/** Messages that were kept back already: peers are asked about one by one. */
const kept = new WeakMap<Arena, Set<string>>()
const isNew = (arena: Arena, { signature }: GossipMessage): boolean => {
  const known = kept.get(arena) ?? new Set()
  kept.set(arena, known)
  const name = toHex(signature)
  const fresh = !known.has(name)
  known.add(name)
  return fresh
}

/** Arenas whose traitors fell. */
const fallen = new WeakSet<Arena>()

/** Says messages of these kinds so many milliseconds late. */
const late =
  (
    wait: (round: number, message: GossipMessage) => number,
    ...kinds: readonly MessageKind[]
  ): NonNullable<Strategy["says"]> =>
  (message, _to, arena, { seat, publishRaw }) => {
    if (!kinds.includes(message.kind)) return [message]
    if (isNew(arena, message))
      arena.committee.clock.after(wait(arena.round, message), () => {
        void publishRaw(topicOf(message.kind, seat), encodeMessage(message))
      })
    return []
  }

/** Just below three times the one before: where hedges come if late answers lengthen them. */
const JUST_BEFORE_A_HEDGE = [200, 500, 1400, 4100] as const
/** Just below twice the one before and half a second: when the next rank takes over if a slow first rank is believed. */
const JUST_BEFORE_TAKEOVER = [400, 1200, 2800, 6000] as const

const everyRoundWithin =
  (ms: number): NonNullable<Strategy["bites"]> =>
  ({ took }) =>
    took.every((passed) => passed <= ms)

/** All that honest parties said of these kinds more than a second ago, the newest first, so that the oldest is heard last. */
const oldWords = ({ spoken }: Arena, step: number, ...kinds: readonly MessageKind[]) =>
  spoken
    .filter(({ message, step: at }) => kinds.includes(message.kind) && step - at > 1000 / STEP_MS)
    .map(({ message }) => message)
    .reverse()

export const timing: readonly Strategy[] = [
  {
    name: "answers-before-the-hedge",
    tries: "answers each list at the last moment, so that the next ones are waited for longer",
    blamed: "nowhere",
    wants: "listed",
    rounds: 4,
    within: 5000,
    says: late((round) => JUST_BEFORE_A_HEDGE[round] ?? 0, "signature-share"),
    bites: everyRoundWithin(1000),
  },
  {
    name: "first-rank-tarries",
    tries:
      "keeps each certificate until the next rank would take over, so that it takes over later and later",
    blamed: "nowhere",
    rounds: 4,
    within: 8000,
    says: late((round) => JUST_BEFORE_TAKEOVER[round] ?? 0, "certificate-announcement"),
    bites: everyRoundWithin(6000),
  },
  {
    name: "lists-before-the-takeover",
    tries: "sends its lists when the next rank is about to",
    blamed: "nowhere",
    rounds: 3,
    within: 8000,
    says: late(() => 400, "signing-request"),
  },
  {
    name: "shares-at-the-last-moment",
    tries: "approves at once and shares two seconds later",
    blamed: "nowhere",
    says: late(() => 2000, "decryption-shares"),
  },
  {
    name: "everything-late",
    tries: "each message up to two seconds late, in whatever order that makes",
    blamed: "nowhere",
    rounds: 2,
    says: late(
      (_, { signature }) => ((signature[0] ?? 0) * 2000) >> 8,
      ...(["approval", "decryption-shares", "signing-request", "signature-share"] as const),
      "certificate-announcement",
    ),
  },
  {
    name: "old-approvals-again",
    tries: "plays old approvals back, whose commitments are used: the oldest is heard last",
    blamed: "nowhere",
    rounds: 3,
    within: 8000,
    async acts({ seat, publishRaw }, arena, step) {
      for (const message of oldWords(arena, step, "approval", "signature-share").slice(-200))
        await publishRaw(topicOf(message.kind, seat), encodeMessage(message))
    },
    bites: ({ round }) => round === 2,
  },
  {
    name: "old-signing-again",
    tries: "plays old lists, certificates and shares of earlier requests back",
    blamed: "nowhere",
    rounds: 3,
    within: 8000,
    async acts({ seat, publishRaw }, arena, step) {
      const kinds = ["signing-request", "certificate-announcement", "decryption-shares"] as const
      for (const message of oldWords(arena, step, ...kinds).slice(-100))
        await publishRaw(topicOf(message.kind, seat), encodeMessage(message))
    },
    bites: ({ round }) => round === 2,
  },
  {
    name: "list-flood",
    tries: "two lists over the same commitments in every step, and one for a request that nobody knows",
    blamed: "nowhere",
    says: changing("signing-request", () => []),
    async acts({ seat, gossip, frostShare }, arena, step) {
      const others = [...offered(arena)].slice(0, quorum(arena.size) - 1)
      if (others.length < quorum(arena.size) - 1 || step > 25) return
      const own = createNonces(frostShare, seededRng(`list flood/${seat.self}/${step}`)).commitment
      const signers = [...others, [seat.self, own] as const]
        .map(([party, commitment]) => ({ party, commitment }))
        .sort((a, b) => a.party - b.party)
      const { root } = batchIn(arena)
      const subjects = [arena.requestId]
      const list = { kind: "signing-request", subjects, root, signers } as const
      for (let i = 0; i < 2; i++)
        await gossip.publish(signAs<SigningRequest>(seat, { ...list, attempt: 2 * step + i }))
      const unknown = [parseRequestId(taggedHash("nobody's request", step))]
      await gossip.publish(signAs<SigningRequest>(seat, { ...list, subjects: unknown, attempt: step }))
    },
    bites: answeredTraitors,
  },
  {
    name: "falls-behind-its-certificate",
    tries: "signs, announces, and loses its seats before anybody brings the certificate to the chain",
    blamed: "nowhere",
    says: changing("certificate-announcement", (message, { seat }, arena) => {
      if (!fallen.has(arena)) {
        fallen.add(arena)
        endStanding(arena, arena.traitors, "revoked")
        nextBlock(arena.chain)
      }
      return [resigned<CertificateAnnouncement>(seat, message, {})]
    }),
    bites: (arena) =>
      fallen.has(arena) &&
      deliveredIn(arena).every(({ certificate }) =>
        partiesOfBitmap(certificate.signers, arena.size.n).every((party) => arena.honest.includes(party)),
      ),
  },
]
