/**
 * The part of libp2p's registrar that gossipsub needs, behind attestation: its streams are taken only from attested
 * connections, and it hears of peers only once they may be used. So gossip neither reaches nor comes from others.
 */
import type { GossipSubComponents } from "@libp2p/gossipsub"
import type { Connection, PeerId, Topology } from "@libp2p/interface"
import type { Sessions } from "./sessions.ts"

type Registrar = GossipSubComponents["registrar"]

export type GatedRegistrar = {
  readonly registrar: Registrar
  /** Tells the registered topologies about a peer; null when it is gone. */
  changed(peerId: PeerId, connection: Connection | null): void
}

export function createGatedRegistrar(inner: Registrar, sessions: Pick<Sessions, "served">): GatedRegistrar {
  const topologies = new Map<string, Topology>()
  let registered = 0
  const registrar: Registrar = {
    getProtocols: () => inner.getProtocols(),
    handle: (protocol, handler, options) =>
      inner.handle(
        protocol,
        (stream, connection) => {
          if (sessions.served(connection) === null) {
            stream.abort(new Error("not attested"))
            return
          }
          return handler(stream, connection)
        },
        options,
      ),
    unhandle: (protocol, options) => inner.unhandle(protocol, options),
    getHandler: (protocol) => inner.getHandler(protocol),
    use: (protocol, middleware) => inner.use(protocol, middleware),
    unuse: (protocol) => inner.unuse(protocol),
    getMiddleware: (protocol) => inner.getMiddleware(protocol),
    async register(_protocol, topology) {
      const id = `gated-${registered++}`
      topologies.set(id, topology)
      return id
    },
    unregister(id) {
      topologies.delete(id)
    },
    getTopologies: () => [...topologies.values()],
  }
  return {
    registrar,
    changed(peerId, connection) {
      // One topology is registered under several protocol versions.
      for (const topology of new Set(topologies.values())) {
        if (connection === null) void topology.onDisconnect?.(peerId)
        else void topology.onConnect?.(peerId, connection)
      }
    },
  }
}
