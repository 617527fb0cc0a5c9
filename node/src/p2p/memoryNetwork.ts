/** A Network inside one process, for tests: same refusals as the real one, deliveries are asynchronous copies. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Network, NetworkErrorCode } from "./network.ts"
import { MAX_DIRECT_BYTES, MAX_GOSSIP_BYTES } from "./network.ts"

export type MemoryNetworkOptions = {
  /** False cuts the link for this direction; asked at every delivery, gossip included. */
  readonly connected?: (from: Address, to: Address) => boolean
  /** What reaches `to` of a gossip payload of `from`, one by one: tests of liars change, drop and add. */
  readonly gossip?: (from: Address, to: Address, topic: string, payload: Uint8Array) => readonly Uint8Array[]
}

type Served = {
  readonly maxBytes: number
  readonly handle: (from: Address, payload: Uint8Array) => Promise<Uint8Array>
}
type Subscription = {
  readonly maxBytes: number
  readonly validate: Parameters<Network["subscribe"]>[2]
  readonly handler: Parameters<Network["subscribe"]>[3]
}
type Endpoint = { readonly served: Map<string, Served>; readonly topics: Map<string, Subscription> }

const refuse = (code: NetworkErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

/** Fully connected networks, one for each address. */
export function createMemoryNetworks(
  addresses: readonly Address[],
  { connected = () => true, gossip = (_from, _to, _topic, payload) => [payload] }: MemoryNetworkOptions = {},
): Map<Address, Network> {
  const endpoints = new Map<Address, Endpoint>(
    addresses.map((address) => [address, { served: new Map(), topics: new Map() }]),
  )
  return new Map(
    [...endpoints].map(([self, own]) => [self, memoryNetwork(self, own, endpoints, { connected, gossip })]),
  )
}

function memoryNetwork(
  self: Address,
  own: Endpoint,
  endpoints: ReadonlyMap<Address, Endpoint>,
  { connected, gossip }: Required<MemoryNetworkOptions>,
): Network {
  const exchange = async (
    to: Address,
    protocol: string,
    payload: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> => {
    signal?.throwIfAborted()
    const peer = endpoints.get(to)
    if (to === self || peer === undefined || !connected(self, to))
      throw refuse("PEER_UNREACHABLE", `no channel to ${to}`)
    if (payload.length > MAX_DIRECT_BYTES)
      throw refuse("PAYLOAD_TOO_LARGE", `${payload.length} bytes for ${protocol}`)
    const served = peer.served.get(protocol)
    if (served === undefined) throw refuse("PEER_REFUSED", `${to} does not serve ${protocol}`)
    if (payload.length > served.maxBytes)
      throw refuse("PAYLOAD_TOO_LARGE", `${payload.length} bytes for ${protocol}, maximum ${served.maxBytes}`)
    const copy = payload.slice()
    await Promise.resolve()
    const answer = await served.handle(self, copy).catch((error: unknown) => {
      throw refuse("PEER_REFUSED", `${to} refused ${protocol}`, error)
    })
    if (!connected(to, self)) throw refuse("PEER_UNREACHABLE", `no answer from ${to}`)
    return answer.slice()
  }

  const serve = (protocol: string, served: Served): void => {
    if (own.served.has(protocol)) throw refuse("DUPLICATE_HANDLER", `${protocol} is served already`)
    own.served.set(protocol, served)
  }

  return {
    self,
    peers: () => [...endpoints.keys()].filter((other) => other !== self && connected(self, other)),
    send: async (to, protocol, payload, signal) => {
      await exchange(to, protocol, payload, signal)
    },
    request: exchange,
    onMessage: (protocol, maxBytes, handler) =>
      serve(protocol, {
        maxBytes,
        handle: async (from, payload) => {
          await handler(from, payload)
          return new Uint8Array()
        },
      }),
    onRequest: (protocol, maxBytes, handler) => serve(protocol, { maxBytes, handle: handler }),
    publish: async (topic, payload) => {
      if (payload.length > MAX_GOSSIP_BYTES)
        throw refuse("PAYLOAD_TOO_LARGE", `${payload.length} bytes on ${topic}`)
      await Promise.resolve()
      for (const [other, peer] of endpoints)
        if (other !== self && connected(self, other))
          for (const said of gossip(self, other, topic, payload))
            void deliver(peer.topics.get(topic), self, said.slice())
    },
    subscribe: (topic, maxBytes, validate, handler) => {
      if (own.topics.has(topic)) throw refuse("DUPLICATE_HANDLER", `${topic} is subscribed already`)
      own.topics.set(topic, { maxBytes, validate, handler })
    },
  }
}

async function deliver(
  subscription: Subscription | undefined,
  from: Address,
  payload: Uint8Array,
): Promise<void> {
  if (subscription === undefined || payload.length > subscription.maxBytes) return
  let verdict: string
  try {
    verdict = await subscription.validate(payload, from)
  } catch {
    verdict = "ignore"
  }
  if (verdict === "accept") subscription.handler(payload)
}
