/** `GET /v1/status`: public facts about the node, for its operator and for `twinlock-node status`. */
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import type { Route } from "./httpServer.ts"

export type NodeStatus = {
  readonly name: string
  readonly role: string
  readonly signer: Address
  readonly peerId: string
  readonly peerIdHash: Digest
  readonly configHash: Digest
  readonly addresses: readonly string[]
  /** Attested peers. */
  readonly peers: readonly Address[]
  readonly services: readonly string[]
}

export const statusRoute =
  (read: () => NodeStatus): Route =>
  (app) => {
    app.get("/v1/status", (context) => context.json(read()))
  }
