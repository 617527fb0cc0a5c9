/**
 * The Network on libp2p 3: TCP, noise, yamux, attested channels, direct exchanges and gossipsub (protocol §2).
 *
 * No identify, no ping, no discovery: before a connection is attested it serves `/twinlock/attest/1` and nothing else,
 * and peers come from configuration and registry only.
 */
import { noise } from "@chainsafe/libp2p-noise"
import { yamux } from "@chainsafe/libp2p-yamux"
import type { GossipSub, GossipSubComponents } from "@libp2p/gossipsub"
import { type Connection, type Libp2p, type Stream, serviceDependencies } from "@libp2p/interface"
import { tcp } from "@libp2p/tcp"
import { multiaddr } from "@multiformats/multiaddr"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { createLibp2p } from "libp2p"
import type { Cancel } from "../clock.ts"
import { type Admission, createAdmission, PENDING_LIMITS } from "./admission.ts"
import { ATTEST_PROTOCOL } from "./attestMessages.ts"
import { type Attestor, type AttestorDeps, createAttestor } from "./attestor.ts"
import { answer, ask, networkError } from "./directExchange.ts"
import { createGatedRegistrar, type GatedRegistrar } from "./gatedRegistrar.ts"
import { createGossip, createGossipService } from "./gossip.ts"
import { silentLibp2pLogger } from "./libp2pLogger.ts"
import { MAX_DIRECT_BYTES, type Network } from "./network.ts"
import type { PeerIdentity } from "./peerIdentity.ts"
import { createPeerKeeper, type PeerAddress } from "./peerKeeper.ts"
import { createSessions } from "./sessions.ts"

export type P2pOptions = {
  /** Multiaddrs such as /ip4/0.0.0.0/tcp/4001. */
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly peers: readonly PeerAddress[]
  readonly attestTimeoutMs: number
  readonly attestationLifetimeMs: number
  /** How often the registry is read for the standing of connected peers. */
  readonly standingCheckMs: number
  /** Limit of one exchange without a signal of its caller. */
  readonly exchangeTimeoutMs: number
}

export const P2P_DEFAULTS: Omit<P2pOptions, "listen" | "announce" | "peers"> = {
  attestTimeoutMs: 15_000,
  attestationLifetimeMs: 24 * 3_600_000,
  standingCheckMs: 10_000,
  exchangeTimeoutMs: 180_000,
}

export type P2pDeps = Omit<AttestorDeps, "sessions" | "admission" | "self"> & {
  readonly identity: PeerIdentity
  readonly self: Omit<AttestorDeps["self"], "peerIdHash">
}

export type P2pNode = {
  readonly network: Network
  readonly peerId: string
  /** Addresses with peer id, once started. */
  addresses(): readonly string[]
  /** Attested peers that are known to listen to a topic: a message published now reaches them. */
  listeners(topic: string): readonly Address[]
  /** Called after peers or their topics changed. */
  onChange(listener: () => void): Cancel
  /** Attests all connections again, as at an epoch change; resolves when the dialled ones are. */
  renewAttestations(): Promise<void>
  refreshStanding(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** A peer that hands on this many rejected messages on one connection loses it. */
const MAX_REJECTS = 16
/** Of which connections without an attestation get far less: see `admission.ts`. */
const MAX_CONNECTIONS = 256
const STREAMS_PER_PROTOCOL = 256

/** Made but not started: handlers and subscriptions may be added before `start`. */
export async function createP2pNode(options: P2pOptions, deps: P2pDeps): Promise<P2pNode> {
  const { identity, chainId, registry, clock, scheduler, random, logger, metrics } = deps
  const self = { ...deps.self, peerIdHash: identity.peerIdHash }
  const peersGauge = metrics?.gauge({ name: "peers", help: "Attested peers" })
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  let gate: GatedRegistrar | null = null

  const sessions = createSessions(clock, (peerId, connection, record) => {
    gate?.changed(peerId, connection)
    peersGauge?.set(sessions.peers().length)
    logger.info(
      { peer: record.signer, role: record.role },
      connection === null ? "peer lost" : "peer attested",
    )
    if (connection === null) keeper.lost(record.signer)
    changed()
  })
  const admission = createAdmission({ configured: peerIdsOf(options.peers), metrics })
  const attestor = createAttestor(
    { timeoutMs: options.attestTimeoutMs, lifetimeMs: options.attestationLifetimeMs },
    { ...deps, self, sessions, admission },
  )
  const libp2p = await startableLibp2p(options, identity, admission, (components) => {
    gate = createGatedRegistrar(components.registrar, sessions)
    return createGossipService({ ...components, registrar: gate.registrar })
  })
  const keeper = createPeerKeeper(self.signer, options.peers, {
    dial: async ({ signer, multiaddr: address }) => dialAttested(libp2p, attestor, signer, address),
    isConnected: (signer) => sessions.usable(signer) !== null,
    scheduler,
    jitter: () => (random(1)[0] ?? 0) / 256,
    logger,
    metrics,
  })
  const rejects = new Map<string, number>()
  const service = libp2p.services["gossip"] as GossipSub
  service.addEventListener("subscription-change", changed)
  const gossip = createGossip(
    { chainId, registry },
    {
      service,
      random,
      logger,
      metrics,
      signerOf: (peer) => {
        const id = peer.toString()
        const session = sessions.all().find(({ connection }) => connection.remotePeer.toString() === id)
        return session?.record.signer ?? null
      },
      onReject: (peer) => {
        const count = (rejects.get(peer.toString()) ?? 0) + 1
        rejects.set(peer.toString(), count)
        if (count < MAX_REJECTS) return
        logger.warn({ peer: peer.toString() }, "peer hands on invalid gossip, closed")
        for (const connection of libp2p.getConnections(peer)) connection.abort(new Error("invalid gossip"))
      },
    },
  )
  await libp2p.handle(ATTEST_PROTOCOL, (stream, connection) => attestor.respond(stream, connection), {
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
  })
  libp2p.addEventListener("connection:open", ({ detail }) => attestor.opened(detail))
  libp2p.addEventListener("connection:close", ({ detail }) => {
    const { id, remotePeer } = detail
    if (libp2p.getConnections(remotePeer).every((other) => other.id === id))
      rejects.delete(remotePeer.toString())
    attestor.closed(detail)
  })

  const exchange = async (
    to: Address,
    protocol: string,
    payload: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Uint8Array> => {
    signal?.throwIfAborted()
    if (payload.length > MAX_DIRECT_BYTES)
      throw networkError("PAYLOAD_TOO_LARGE", `${payload.length} bytes for ${protocol}`)
    const connection = sessions.usable(to)
    if (connection === null) throw networkError("PEER_UNREACHABLE", `no channel to ${to}`)
    const stream = await openStream(connection, protocol, to, signal)
    const abort = (): void => stream.abort(new Error("aborted"))
    const cancel = scheduler.after(options.exchangeTimeoutMs, abort)
    signal?.addEventListener("abort", abort, { once: true })
    try {
      return await ask(stream, payload, to)
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      cancel()
      signal?.removeEventListener("abort", abort)
    }
  }

  const served = new Set<string>()
  const serve = (
    protocol: string,
    maxBytes: number,
    handler: (from: Address, payload: Uint8Array) => Promise<Uint8Array>,
  ): void => {
    if (served.has(protocol)) throw networkError("DUPLICATE_HANDLER", `${protocol} is served already`)
    served.add(protocol)
    const onStream = async (stream: Stream, connection: Connection): Promise<void> => {
      const peer = sessions.served(connection)
      if (peer === null) return stream.abort(new Error("not attested"))
      const cancel = scheduler.after(options.exchangeTimeoutMs, () => stream.abort(new Error("too slow")))
      try {
        await answer(stream, maxBytes, (payload) => handler(peer.signer, payload))
      } catch (error) {
        logger.warn({ err: error, protocol, peer: peer.signer }, "request refused")
      } finally {
        cancel()
      }
    }
    void libp2p.handle(protocol, onStream, {
      maxInboundStreams: STREAMS_PER_PROTOCOL,
      maxOutboundStreams: STREAMS_PER_PROTOCOL,
    })
  }

  let cancelCheck: Cancel = () => {}
  const checkStanding = (): void => {
    cancelCheck = scheduler.after(options.standingCheckMs, () => {
      void attestor.refreshStanding().finally(checkStanding)
    })
  }

  return {
    network: {
      self: self.signer,
      peers: sessions.peers,
      send: async (to, protocol, payload, signal) => {
        await exchange(to, protocol, payload, signal)
      },
      request: exchange,
      onMessage: (protocol, maxBytes, handler) =>
        serve(protocol, maxBytes, async (from, payload) => {
          await handler(from, payload)
          return new Uint8Array()
        }),
      onRequest: serve,
      publish: gossip.publish,
      subscribe: gossip.subscribe,
    },
    peerId: identity.peerId.toString(),
    addresses: () => libp2p.getMultiaddrs().map(String),
    listeners(topic) {
      const subscribed = new Set(gossip.listeners(topic))
      return sessions.peers().filter((signer) => {
        const peer = sessions.usable(signer)?.remotePeer.toString()
        return peer !== undefined && subscribed.has(peer)
      })
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    renewAttestations: () => attestor.renewAll(),
    refreshStanding: () => attestor.refreshStanding(),
    async start() {
      await libp2p.start()
      gossip.start()
      keeper.start()
      checkStanding()
    },
    async stop() {
      cancelCheck()
      keeper.stop()
      attestor.stop()
      await libp2p.stop()
    },
  }
}

const startableLibp2p = (
  { listen, announce }: P2pOptions,
  { privateKey }: PeerIdentity,
  { gater }: Pick<Admission, "gater">,
  gossip: (components: GossipSubComponents) => GossipSub,
): Promise<Libp2p> =>
  createLibp2p({
    start: false,
    privateKey,
    logger: silentLibp2pLogger,
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: gater,
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      inboundConnectionThreshold: 32,
      // Above what admission leaves pending, so that its rule decides who goes.
      maxIncomingPendingConnections: PENDING_LIMITS.total * 2,
    },
    services: {
      gossip: ({ privateKey: key, peerId, peerStore, registrar, connectionManager, logger }) =>
        withoutDependencies(
          gossip({ privateKey: key, peerId, peerStore, registrar, connectionManager, logger }),
        ),
    },
  } as Parameters<typeof createLibp2p>[0])

const peerIdsOf = (peers: readonly PeerAddress[]): ReadonlySet<string> =>
  new Set(peers.flatMap(({ multiaddr: address }) => /\/p2p\/([^/]+)/.exec(address)?.[1] ?? []))

/** Gossipsub asks for identify only to learn who speaks its protocol; the gate tells it. */
const withoutDependencies = (service: GossipSub): GossipSub =>
  Object.defineProperty(service, serviceDependencies, { value: [] })

async function dialAttested(
  libp2p: Libp2p,
  attestor: Attestor,
  signer: Address,
  address: string,
): Promise<void> {
  const connection = await libp2p.dial(multiaddr(address))
  const record = await attestor.attested(connection)
  if (record.signer !== signer)
    throw networkError("PEER_UNREACHABLE", `${address} is ${record.signer}, not ${signer}`)
}

async function openStream(
  connection: Connection,
  protocol: string,
  to: Address,
  signal: AbortSignal | undefined,
): Promise<Stream> {
  try {
    return await connection.newStream(protocol, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    if (isProtocolError(error)) throw error
    if (error instanceof Error && error.name === "UnsupportedProtocolError")
      throw networkError("PEER_REFUSED", `${to} does not serve ${protocol}`, error)
    throw networkError("PEER_UNREACHABLE", `the channel to ${to} broke on ${protocol}`, error)
  }
}
