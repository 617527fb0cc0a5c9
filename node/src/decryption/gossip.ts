/**
 * Typed gossip of one key: encodes what this node says, and hands on only what passed the validators. A message that was
 * accepted is known again by its bytes: peers repeat themselves, and a repeat must reach a node that lost it, but it is not
 * verified a second time, and one that comes at once after the first is not even read.
 */
import { hash } from "node:crypto"
import { type Digest, type PartyIndex, parseDigest } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage, partyByte } from "@twinlock/sdk/protocol/messageEncoding"
import { type GossipMessage, MAX_MESSAGE_BYTES, type MessageKind } from "@twinlock/sdk/protocol/messages"
import type { Clock } from "../clock.ts"
import type { Network, Validation } from "../p2p/network.ts"
import { type KeySeat, topicOf } from "./seat.ts"
import { createTranscript } from "./transcript.ts"
import { type Kernels, validateMessage } from "./validators.ts"

type OfKind<K extends MessageKind> = Extract<GossipMessage, { kind: K }>

export type KeyGossip = {
  /** @throws NetworkErrorCode */
  publish(message: GossipMessage): Promise<void>
  /** One listener per kind. */
  listen<K extends MessageKind>(kind: K, handle: (message: OfKind<K>) => void): void
  /** Newest signed messages of a party, oldest first, as it encoded them: evidence. */
  said(party: PartyIndex): readonly Uint8Array[]
  /** Bytes of signed messages kept. */
  readonly keptBytes: number
}

/** Accepted messages that the network has not handed on yet. */
const MAX_ACCEPTED = 64

export function createKeyGossip(
  seat: KeySeat,
  network: Network,
  clock: Clock,
  kernels: Kernels = {},
): KeyGossip {
  const transcript = createTranscript()

  function listen<K extends MessageKind>(kind: K, handle: (message: OfKind<K>) => void): void {
    const accepted = new Map<Digest, OfKind<K>>()

    function judge(payload: Uint8Array): Validation {
      const digest = digestOf(payload)
      if (accepted.has(digest)) return "accept"
      const now = clock.now()
      const known = transcript.know(partyByte(payload), digest, now)
      if (known === "idle") return "ignore"
      const result =
        known === "again" ? repeated(kind, payload) : validateMessage(kind, payload, seat, kernels)
      if (result.validation !== "accept") return result.validation
      const { message } = result
      transcript.note(message.party, digest, payload, now)
      accepted.set(digest, message)
      const [oldest] = accepted.keys()
      if (accepted.size > MAX_ACCEPTED && oldest !== undefined) accepted.delete(oldest)
      return "accept"
    }

    network.subscribe(topicOf(kind, seat), MAX_MESSAGE_BYTES[kind], judge, (payload) => {
      const digest = digestOf(payload)
      const message = accepted.get(digest)
      accepted.delete(digest)
      if (message !== undefined) handle(message)
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

/** A message whose bytes passed every rule before. */
function repeated<K extends MessageKind>(kind: K, payload: Uint8Array) {
  const message = decodeMessage(payload)
  return message.kind === kind
    ? { validation: "accept" as const, message: message as OfKind<K> }
    : { validation: "reject" as const }
}
