/**
 * Ceremony protocols of one node: registered once, handed to the attempt that the bytes name. A message for an attempt
 * that this node does not run yet is refused, so the sender tries again; one for an attempt that is over is dropped.
 */
import type { Address, KeyId } from "@twinlock/sdk/protocol/ids"
import type { Network } from "../p2p/network.ts"
import { refuse } from "./attempt.ts"
import { attemptOf } from "./messages.ts"

/** Direct protocols between parties, with the hard maximum of one payload. */
export const CEREMONY_PROTOCOLS = {
  message: { id: "/twinlock/ceremony/message/1", maxBytes: 24 * 1024 * 1024 },
  echo: { id: "/twinlock/ceremony/echo/1", maxBytes: 64 * 1024 },
  abort: { id: "/twinlock/ceremony/abort/1", maxBytes: 8 * 1024 },
  chunk: { id: "/twinlock/ceremony/chunk/1", maxBytes: 2 * 1024 * 1024 + 1024 },
  verdict: { id: "/twinlock/ceremony/verdict/1", maxBytes: 4 * 1024 },
} as const

export type CeremonyProtocol = keyof typeof CEREMONY_PROTOCOLS

/** Receives what peers send for one attempt. A promise that rejects refuses the payload. */
export type AttemptSink = (protocol: CeremonyProtocol, from: Address, payload: Uint8Array) => Promise<void>

export type Router = {
  /** From now on payloads of this attempt go to `sink`; the returned function ends that for good. */
  attach(keyId: KeyId, attempt: number, sink: AttemptSink): () => void
}

export function createRouter(network: Network): Router {
  const sinks = new Map<string, AttemptSink | null>()
  const name = (keyId: KeyId, attempt: number): string => `${keyId}/${attempt}`
  for (const [protocol, { id, maxBytes }] of Object.entries(CEREMONY_PROTOCOLS))
    network.onMessage(id, maxBytes, async (from, payload) => {
      const { keyId, attempt } = attemptOf(payload)
      const sink = sinks.get(name(keyId, attempt))
      if (sink === undefined)
        throw refuse("CEREMONY_FOREIGN", `no attempt ${attempt} at key ${keyId} runs here`)
      if (sink !== null) await sink(protocol as CeremonyProtocol, from, payload)
    })
  return {
    attach(keyId, attempt, sink) {
      sinks.set(name(keyId, attempt), sink)
      return () => void sinks.set(name(keyId, attempt), null)
    },
  }
}
