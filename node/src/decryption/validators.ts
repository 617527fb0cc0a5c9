/**
 * Gossip validation (protocol §6): a numbered list, cheap first, signature last. Reject holds a fault against the sender;
 * ignore drops what may be honest but is of no use here. An unknown exception is an ignore.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { verifyMessage } from "@twinlock/sdk/protocol/messageSignature"
import type { GossipMessage, MessageKind } from "@twinlock/sdk/protocol/messages"
import type { Validation } from "../p2p/network.ts"
import type { KeySeat } from "./seat.ts"

export type Validated<M> =
  | { readonly validation: "accept"; readonly message: M }
  | { readonly validation: Exclude<Validation, "accept"> }

/**
 * 1. [REJECT] the bytes are the one encoding of a message of the topic's kind, within its maximum
 * 2. [IGNORE] it is not this node's own message coming back
 * 3. [REJECT] key and epoch are the topic's, the party is of the committee, and its seat signer signed it
 */
export function validateMessage<K extends MessageKind>(
  kind: K,
  bytes: Uint8Array,
  seat: KeySeat,
): Validated<Extract<GossipMessage, { kind: K }>> {
  try {
    const message = decodeMessage(bytes)
    if (message.kind !== kind) return { validation: "reject" }
    if (message.party === seat.self) return { validation: "ignore" }
    verifyMessage(message, seat.signing, seat.committee)
    return { validation: "accept", message: message as Extract<GossipMessage, { kind: K }> }
  } catch (error) {
    return { validation: isProtocolError(error) ? "reject" : "ignore" }
  }
}
