/**
 * Typed gossip of one key: encodes what this node says, and hands on only what passed the validators. A message that was
 * accepted once is known again by its bytes: peers repeat themselves, and a repeat must reach a node that came back, but
 * it need not be verified a second time.
 */
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { type GossipMessage, MAX_MESSAGE_BYTES, type MessageKind } from "@twinlock/sdk/protocol/messages"
import type { Network } from "../p2p/network.ts"
import { type KeySeat, topicOf } from "./seat.ts"
import { type Validated, validateMessage } from "./validators.ts"

type OfKind<K extends MessageKind> = Extract<GossipMessage, { kind: K }>

export type KeyGossip = {
  /** @throws NetworkErrorCode */
  publish(message: GossipMessage): Promise<void>
  /** One listener per kind. */
  listen<K extends MessageKind>(kind: K, handle: (message: OfKind<K>) => void): void
}

/** Accepted messages of one kind that are known again by their bytes; the oldest go first. */
const REMEMBERED = 1024

export function createKeyGossip(seat: KeySeat, network: Network): KeyGossip {
  return {
    publish: (message) => network.publish(topicOf(message.kind, seat), encodeMessage(message)),
    listen<K extends MessageKind>(kind: K, handle: (message: OfKind<K>) => void) {
      const known = new Map<Digest, OfKind<K>>()
      const judge = (payload: Uint8Array): Validated<OfKind<K>> => {
        const digest = sha256Digest(payload)
        const message = known.get(digest)
        if (message !== undefined) return { validation: "accept", message }
        const result = validateMessage(kind, payload, seat)
        if (result.validation !== "accept") return result
        known.set(digest, result.message)
        const [oldest] = known.keys()
        if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest)
        return result
      }
      network.subscribe(
        topicOf(kind, seat),
        MAX_MESSAGE_BYTES[kind],
        (payload) => judge(payload).validation,
        (payload) => {
          const result = judge(payload)
          if (result.validation === "accept") handle(result.message)
        },
      )
    },
  }
}
