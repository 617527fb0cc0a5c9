/**
 * Typed gossip of one key: encodes what this node says, and hands on only what passed the validators. A message that was
 * accepted is known again by its bytes: peers repeat themselves, and a repeat must reach a node that lost it, but it is not
 * verified a second time, and one that comes at once after the first is not even read. Whoever hands a message to this node
 * pays for the work on it: a seat for its own words, and apart from them for those of others, so that nobody can spend what
 * belongs to somebody else.
 */
import { hash } from "node:crypto"
import { type Address, type Digest, type PartyIndex, parseDigest } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage, partyByte } from "@twinlock/sdk/protocol/messageEncoding"
import { type GossipMessage, MAX_MESSAGE_BYTES, type MessageKind } from "@twinlock/sdk/protocol/messages"
import type { Clock } from "../clock.ts"
import type { Network, Validation } from "../p2p/network.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type KeySeat, topicOf } from "./seat.ts"
import { createTranscript } from "./transcript.ts"
import { type Kernels, validateMessage } from "./validators.ts"
import { createWorkBudget, type WorkLimits } from "./workBudget.ts"

type OfKind<K extends MessageKind> = Extract<GossipMessage, { kind: K }>
type Heard<K extends MessageKind> = { readonly message: OfKind<K>; readonly isRepeat: boolean }

export type KeyGossip = {
  /** @throws NetworkErrorCode */
  publish(message: GossipMessage): Promise<void>
  /** One listener per kind. @param handle is told whether these very bytes were accepted before */
  listen<K extends MessageKind>(kind: K, handle: (message: OfKind<K>, isRepeat: boolean) => void): void
  /** Newest signed messages of a party, oldest first, as it encoded them: evidence. */
  said(party: PartyIndex): readonly Uint8Array[]
  /** Bytes of signed messages kept. */
  readonly keptBytes: number
}

/** Accepted messages that the network has not handed on yet. */
const MAX_ACCEPTED = 64

/**
 * Work that one peer may cause: one for a message, two for each commitment pair in it. Own words of a seat that gives its part
 * of 150 results a second need less than half, in batches or not.
 */
export const OWN_WORK: WorkLimits = { perSecond: 600, atOnce: 3000 }
/** What one peer hands on of others: as much as every liar may make it hand on, and as much again for one that is not. */
const othersWork = (t: number): WorkLimits => ({
  perSecond: (t + 1) * OWN_WORK.perSecond,
  atOnce: (t + 1) * OWN_WORK.atOnce,
})
const PAIR_WORK = 2

export type KeyGossipDeps = {
  readonly seat: KeySeat
  readonly network: Network
  readonly clock: Clock
  readonly metrics: Metrics | null
}

export function createKeyGossip(
  { seat, network, clock, metrics }: KeyGossipDeps,
  kernels: Kernels = {},
): KeyGossip {
  const transcript = createTranscript()
  const own = createWorkBudget(OWN_WORK)
  const others = createWorkBudget(othersWork(seat.committee.t))
  const refused = metrics?.counter({
    name: "gossip_over_budget_total",
    help: "Gossip that was not looked at, by the party that handed on too much; 0 is none of the committee",
    labels: ["party"],
  })

  function listen<K extends MessageKind>(
    kind: K,
    handle: (message: OfKind<K>, isRepeat: boolean) => void,
  ): void {
    const accepted = new Map<Digest, Heard<K>>()

    function judge(payload: Uint8Array, from: Address | null): Validation {
      const digest = digestOf(payload)
      if (accepted.has(digest)) return "accept"
      const now = clock.now()
      const author = partyByte(payload)
      const known = transcript.know(author, digest, now)
      if (known === "idle") return "ignore"
      const giver = from === null ? 0 : seat.committee.parties.indexOf(from) + 1
      const budget = giver === author ? own : others
      if (!budget.spend(from ?? "", now)) {
        refused?.add({ party: String(giver) })
        return "ignore"
      }
      const isRepeat = known === "again"
      const result = isRepeat ? repeated(kind, payload) : validateMessage(kind, payload, seat, kernels)
      if (result.validation !== "accept") return result.validation
      const { message } = result
      transcript.note(message.party, digest, payload, now)
      // Old words are handed on where their author says them again; else honest peers would pay for what others play back.
      if (isRepeat && giver !== author) {
        handle(message, true)
        return "ignore"
      }
      if (!isRepeat) budget.charge(from ?? "", PAIR_WORK * pairsIn(message))
      accepted.set(digest, { message, isRepeat })
      const [oldest] = accepted.keys()
      if (accepted.size > MAX_ACCEPTED && oldest !== undefined) accepted.delete(oldest)
      return "accept"
    }

    network.subscribe(topicOf(kind, seat), MAX_MESSAGE_BYTES[kind], judge, (payload) => {
      const digest = digestOf(payload)
      const found = accepted.get(digest)
      accepted.delete(digest)
      if (found !== undefined) handle(found.message, found.isRepeat)
    })
  }

  return {
    publish: (message) => network.publish(topicOf(message.kind, seat), encodeMessage(message)),
    listen,
    said: transcript.said,
    get keptBytes() {
      return transcript.bytes
    },
  }
}

const digestOf = (payload: Uint8Array): Digest => parseDigest(`0x${hash("sha256", payload, "hex")}`)

/** Pairs that the sender makes in it. */
const pairsIn = (message: GossipMessage): number =>
  "commitments" in message ? message.commitments.length : 0

/** A message whose bytes passed every rule before. */
function repeated<K extends MessageKind>(kind: K, payload: Uint8Array) {
  const message = decodeMessage(payload)
  return message.kind === kind
    ? { validation: "accept" as const, message: message as OfKind<K> }
    : { validation: "reject" as const }
}
