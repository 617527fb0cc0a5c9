/**
 * Ceremony protocols of one node: registered once, handed to the attempt that the bytes name. A message for an attempt
 * that this node does not run yet is refused, so the sender tries again; one for an attempt that is over is dropped.
 */
import type { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, KeyId } from "@twinlock/sdk/protocol/ids"
import type { Network } from "../p2p/network.ts"
import { refuse } from "./attempt.ts"
import { SUM_PROTOCOL } from "./keptSums.ts"
import { attemptOf } from "./messages.ts"

/** Direct protocols between parties, with the hard maximum of one payload. */
export const CEREMONY_PROTOCOLS = {
  message: { id: "/twinlock/ceremony/message/1", maxBytes: 24 * 1024 * 1024 },
  echo: { id: "/twinlock/ceremony/echo/1", maxBytes: 64 * 1024 },
  abort: { id: "/twinlock/ceremony/abort/1", maxBytes: 8 * 1024 },
  chunk: { id: "/twinlock/ceremony/chunk/1", maxBytes: 1024 * 1024 + 1024 },
  verdict: { id: "/twinlock/ceremony/verdict/1", maxBytes: 4 * 1024 },
} as const

/** Requests between parties, likewise. */
export const CEREMONY_REQUESTS = {
  sum: SUM_PROTOCOL,
  contributed: { id: "/twinlock/ceremony/contributed/1", maxBytes: 64 },
} as const

export type CeremonyRequest = keyof typeof CEREMONY_REQUESTS
export type CeremonyProtocol = keyof typeof CEREMONY_PROTOCOLS

/** Receives what peers send for one attempt. A promise that rejects refuses the payload. */
export type AttemptSink = (protocol: CeremonyProtocol, from: Address, payload: Uint8Array) => Promise<void>

/** Answers a peer that asks for a chunk summed here, or whether this party has contributed to one. */
export type AttemptAnswer = (
  request: CeremonyRequest,
  from: Address,
  payload: Uint8Array,
) => Promise<Uint8Array>

export type Router = {
  /** From now on payloads of this attempt go to `sink`, requests to `answer`; the returned function ends that for good. */
  attach(keyId: KeyId, attempt: number, sink: AttemptSink, answer: AttemptAnswer): () => void
}

export function createRouter(network: Network): Router {
  type Attached = { readonly sink: AttemptSink; readonly answer: AttemptAnswer }
  const attempts = new Map<string, Attached | null>()
  const name = (keyId: KeyId, attempt: number): string => `${keyId}/${attempt}`
  const notHere = (payload: Uint8Array): ProtocolError => {
    const { keyId, attempt } = attemptOf(payload)
    return refuse("CEREMONY_FOREIGN", `no attempt ${attempt} at key ${keyId} runs here`)
  }
  const attemptFor = (payload: Uint8Array): Attached | null | undefined => {
    const { keyId, attempt } = attemptOf(payload)
    return attempts.get(name(keyId, attempt))
  }
  for (const [protocol, { id, maxBytes }] of Object.entries(CEREMONY_PROTOCOLS))
    network.onMessage(id, maxBytes, async (from, payload) => {
      const attached = attemptFor(payload)
      if (attached === undefined) throw notHere(payload)
      await attached?.sink(protocol as CeremonyProtocol, from, payload)
    })
  for (const [request, { id, maxBytes }] of Object.entries(CEREMONY_REQUESTS))
    network.onRequest(id, maxBytes, async (from, payload) => {
      const attached = attemptFor(payload)
      if (!attached) throw notHere(payload)
      return attached.answer(request as CeremonyRequest, from, payload)
    })
  return {
    attach(keyId, attempt, sink, answer) {
      attempts.set(name(keyId, attempt), { sink, answer })
      return () => void attempts.set(name(keyId, attempt), null)
    },
  }
}
