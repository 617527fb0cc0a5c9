/**
 * What the protocol sees of the network (protocol §2): peers are named by their registered signer, every byte travels
 * on an attested channel, and payloads are public unless the caller sealed them to their recipient.
 */
import type { Address } from "@twinlock/sdk/protocol/ids"

/** accept: hand on and propagate; ignore: drop silently; reject: drop and hold it against the sender. */
export type Validation = "accept" | "ignore" | "reject"

export type NetworkErrorCode =
  /** no attested channel to the peer, or it broke before the answer. */
  | "PEER_UNREACHABLE"
  /** the peer's handler failed or serves no such protocol; why stays with the peer. */
  | "PEER_REFUSED"
  /** the payload is above the receiver's or the network's maximum. */
  | "PAYLOAD_TOO_LARGE"
  /** a second handler for one protocol or topic: a programming error of this node. */
  | "DUPLICATE_HANDLER"

export type Network = {
  /** Signer address of this node. */
  readonly self: Address
  /** Live, attested peers right now. */
  peers(): readonly Address[]
  /** One-way message on the attested channel; resolves when the peer's handler has finished. @throws NetworkErrorCode */
  send(to: Address, protocol: string, payload: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Request and response on the attested channel. @throws NetworkErrorCode */
  request(to: Address, protocol: string, payload: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>
  /** Longer payloads are refused before they are read. A handler that throws refuses the message. */
  onMessage(
    protocol: string,
    maxBytes: number,
    handler: (from: Address, payload: Uint8Array) => Promise<void>,
  ): void
  onRequest(
    protocol: string,
    maxBytes: number,
    handler: (from: Address, payload: Uint8Array) => Promise<Uint8Array>,
  ): void
  /** To all subscribers of the topic but not to this node itself. */
  publish(topic: string, payload: Uint8Array): Promise<void>
  /**
   * `validate` runs before propagation (an exception means ignore); `handler` after "accept". `from` is the peer that handed
   * the payload on, null where that is not known any more.
   */
  subscribe(
    topic: string,
    maxBytes: number,
    validate: (payload: Uint8Array, from: Address | null) => Validation | Promise<Validation>,
    handler: (payload: Uint8Array) => void,
  ): void
}

/** Hard maximum of one direct payload: a ceremony chunk. */
export const MAX_DIRECT_BYTES: number = 64 * 1024 * 1024

/** Hard maximum of one gossip payload. */
export const MAX_GOSSIP_BYTES: number = 1024 * 1024
