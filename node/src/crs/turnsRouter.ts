/** Protocols of CRS ceremonies at one node: registered once, handed to the ceremony that the bytes name. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import type { Network } from "../p2p/network.ts"
import { ceremonyOf, MAX_TURNS_MESSAGE_BYTES } from "./turnsMessages.ts"

export const TURNS_PROTOCOL = "/twinlock/crs/turns/1"
export const UPDATE_PROTOCOL = "/twinlock/crs/update/1"

export type TurnsRouterErrorCode =
  /** no such ceremony runs here, or not for this peer. */
  | "CRS_FOREIGN"
  /** the bytes of an update that is not here. */
  | "CRS_UNKNOWN_UPDATE"

export type TurnsSink = {
  receive(from: Address, payload: Uint8Array): void
  /** Bytes of an update. */
  serve(from: Address, query: Uint8Array): Uint8Array
}

export type TurnsRouter = {
  /** From now on what names this ceremony goes to `sink`, until the returned function is called. */
  attach(ceremony: Digest, sink: TurnsSink): () => void
}

export function createTurnsRouter(network: Network): TurnsRouter {
  const sinks = new Map<Digest, TurnsSink>()
  const sinkOf = (payload: Uint8Array): TurnsSink => {
    const sink = sinks.get(ceremonyOf(payload))
    if (sink === undefined)
      throw new ProtocolError({ code: "CRS_FOREIGN", message: "no such ceremony runs here" })
    return sink
  }
  network.onMessage(TURNS_PROTOCOL, MAX_TURNS_MESSAGE_BYTES, async (from, payload) =>
    sinkOf(payload).receive(from, payload),
  )
  network.onRequest(UPDATE_PROTOCOL, 64, async (from, query) => sinkOf(query).serve(from, query))
  return {
    attach(ceremony, sink) {
      sinks.set(ceremony, sink)
      return () => void sinks.delete(ceremony)
    },
  }
}
