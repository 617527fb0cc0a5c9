/**
 * Topics over gossipsub (protocol §2): one per message kind, named by protocol version, chain and registry.
 *
 * A frame is 8 random bytes and the payload. Deduplication by the hash of the frame thus lets a payload be published
 * again (to a node that came back), and protocols keep their own record of what they have seen.
 */
import { hash } from "node:crypto"
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  type Message,
  StrictNoSign,
  TopicValidatorResult,
} from "@libp2p/gossipsub"
import type { PeerId } from "@libp2p/interface"
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { networkError } from "./directExchange.ts"
import { MAX_GOSSIP_BYTES, type Network, type Validation } from "./network.ts"

const SALT_BYTES = 8
/** One gossipsub frame may carry several messages, as answers to its control messages do. */
const MAX_RPC_BYTES = 4 * MAX_GOSSIP_BYTES

/**
 * Members know and reach each other, and a sender sends to all of them itself: forwarding is for links that are cut. There
 * a message comes a heartbeat later, by the lists of what others heard. A mesh would make everybody hear everything once
 * more for each neighbour, all the time.
 */
const MESH = {
  ...{ D: 0, Dlo: 0, Dhi: 0, Dscore: 0, Dout: 0 },
  // Below this a copy costs less than telling the neighbours not to send one.
  idontwantMinDataSize: 8192,
} as const

/** @param kind message kind such as "approval". */
export const topicName = (chainId: number, registry: Address, kind: string): string =>
  `/twinlock/1/${chainId}/${registry}/${kind}`

/** The gossipsub service; components must hold a gated registrar. */
export const createGossipService = (components: GossipSubComponents): GossipSub =>
  gossipsub({
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: (message: Message) => hash("sha256", message.data, "buffer"),
    allowPublishToZeroTopicPeers: true,
    fallbackToFloodsub: false,
    floodPublish: true,
    doPX: false,
    tagMeshPeers: false,
    ...MESH,
    maxInboundDataLength: MAX_RPC_BYTES,
    maxInboundStreams: 4,
    maxOutboundStreams: 4,
    // Several nodes of one site, or of a test network, share an address without harm: they are attested.
    scoreParams: { IPColocationFactorWeight: 0 },
  })(components)

export type GossipOptions = { readonly chainId: number; readonly registry: Address }

export type GossipDeps = {
  readonly service: GossipSub
  readonly random: (length: number) => Uint8Array
  readonly logger: Logger
  readonly metrics: Metrics | null
  /** A peer handed on what the topic's rules reject. */
  readonly onReject: (peer: PeerId) => void
  /** Registered signer of an attested peer. */
  readonly signerOf: (peer: PeerId) => Address | null
}

export type Gossip = Pick<Network, "publish" | "subscribe"> & {
  /** Joins the topics subscribed so far; call after the service has started. */
  start(): void
  /** Peer ids known to have subscribed to a kind. */
  listeners(kind: string): readonly string[]
}

type Topic = {
  readonly kind: string
  readonly maxBytes: number
  readonly validate: Parameters<Network["subscribe"]>[2]
  readonly handler: Parameters<Network["subscribe"]>[3]
}

export function createGossip({ chainId, registry }: GossipOptions, deps: GossipDeps): Gossip {
  const { service, random, logger, metrics, onReject, signerOf } = deps
  const counted = metrics?.counter({
    name: "gossip_messages_total",
    help: "Received gossip",
    labels: ["kind", "verdict"],
  })
  const topics = new Map<string, Topic>()
  let started = false

  /** A plain copy: the library hands out views of its receive buffers. */
  const payloadOf = (data: Uint8Array): Uint8Array => new Uint8Array(data.subarray(SALT_BYTES))

  const judge = async (topic: Topic, peer: PeerId, data: Uint8Array): Promise<Validation> => {
    if (data.length < SALT_BYTES || data.length - SALT_BYTES > topic.maxBytes) return "reject"
    try {
      return await topic.validate(payloadOf(data), signerOf(peer))
    } catch (error) {
      logger.debug({ err: error, kind: topic.kind }, "validator failed, message ignored")
      return "ignore"
    }
  }

  service.addEventListener("message", ({ detail }: CustomEvent<Message>) => {
    const topic = topics.get(detail.topic)
    if (topic === undefined) return
    try {
      topic.handler(payloadOf(detail.data))
    } catch (error) {
      logger.error({ err: error, kind: topic.kind }, "gossip handler failed")
    }
  })

  return {
    start() {
      started = true
      for (const name of topics.keys()) service.subscribe(name)
    },
    listeners: (kind) => service.getSubscribers(topicName(chainId, registry, kind)).map(String),
    async publish(kind, payload) {
      if (payload.length > MAX_GOSSIP_BYTES)
        throw networkError("PAYLOAD_TOO_LARGE", `${payload.length} bytes on ${kind}`)
      await service.publish(topicName(chainId, registry, kind), concatBytes(random(SALT_BYTES), payload))
    },
    subscribe(kind, maxBytes, validate, handler) {
      const name = topicName(chainId, registry, kind)
      if (topics.has(name)) throw networkError("DUPLICATE_HANDLER", `${kind} is subscribed already`)
      const topic: Topic = { kind, maxBytes, validate, handler }
      topics.set(name, topic)
      service.topicValidators.set(name, async (peer, message) => {
        const verdict = await judge(topic, peer, message.data)
        counted?.add({ kind: kind.split("/", 1)[0] ?? "", verdict })
        if (verdict === "reject") onReject(peer)
        return resultOf(verdict)
      })
      if (started) service.subscribe(name)
    },
  }
}

function resultOf(verdict: Validation): TopicValidatorResult {
  switch (verdict) {
    case "accept":
      return TopicValidatorResult.Accept
    case "ignore":
      return TopicValidatorResult.Ignore
    case "reject":
      return TopicValidatorResult.Reject
    default:
      return assertNever(verdict)
  }
}
