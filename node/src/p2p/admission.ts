/**
 * How many connections may stand open without an attestation (protocol §2). Anybody can dial a node, so outsiders share
 * few places, far below the maximum, and lose them to whoever comes later. A peer counts as registered as soon as the
 * registry binds the id that noise proved to the signer that its hello names, or from the start if it is configured;
 * outsiders cannot take its places, nor those of attested peers, which are not counted here at all.
 */
import type { Connection, MultiaddrConnection, PeerId } from "@libp2p/interface"
import type { Metrics } from "../telemetry/metrics.ts"
import { createSlots } from "./slots.ts"

export type AdmissionDeps = {
  /** Text forms of the peer ids of configured peers. */
  readonly configured: ReadonlySet<string>
  readonly metrics: Metrics | null
}

export type Admission = {
  /** For libp2p: never denies, but makes room. */
  readonly gater: {
    denyInboundConnection(connection: MultiaddrConnection): boolean
    denyInboundUpgradedConnection(peerId: PeerId, connection: MultiaddrConnection): boolean
  }
  /** Call for every opened inbound connection. */
  opened(connection: Connection): void
  /** The registry knows the peer; its quote is not appraised yet. */
  registered(connection: Connection): void
  attested(connection: Connection): void
  closed(connection: Connection): void
}

/** Before noise is done. */
export const PENDING_LIMITS = { total: 64, perGroup: 16 } as const
/** Of nobody that is known; a group is an address. */
export const STRANGER_LIMITS = { total: 32, perGroup: 8 } as const
/** Of registered peers before their attestation; a group is a peer id. */
export const REGISTERED_LIMITS = { total: 64, perGroup: 3 } as const

type Abortable = { abort(error: Error): void }

/** Network address without port and peer id. */
const hostOf = ({ remoteAddr }: Pick<Connection, "remoteAddr">): string =>
  remoteAddr.toString().split("/").slice(1, 3).join("/")

export function createAdmission({ configured, metrics }: AdmissionDeps): Admission {
  const pending = createSlots<MultiaddrConnection>(PENDING_LIMITS)
  const strangers = createSlots<Connection>(STRANGER_LIMITS)
  const registered = createSlots<Connection>(REGISTERED_LIMITS)
  const displaced = metrics?.counter({
    name: "inbound_displaced_total",
    help: "Inbound connections without attestation that gave way to later ones",
  })

  const close = (leaving: readonly Abortable[]): void => {
    for (const each of leaving) {
      displaced?.add()
      each.abort(new Error("gave way to a later connection"))
    }
  }

  return {
    gater: {
      denyInboundConnection(connection) {
        connection.addEventListener("close", () => pending.remove(connection), { once: true })
        close(pending.add(connection, hostOf(connection)))
        return false
      },
      denyInboundUpgradedConnection(_peerId, connection) {
        pending.remove(connection)
        return false
      },
    },
    opened(connection) {
      const peer = connection.remotePeer.toString()
      close(
        configured.has(peer)
          ? registered.add(connection, peer)
          : strangers.add(connection, hostOf(connection)),
      )
    },
    registered(connection) {
      if (strangers.remove(connection)) close(registered.add(connection, connection.remotePeer.toString()))
    },
    attested(connection) {
      strangers.remove(connection)
      registered.remove(connection)
    },
    closed(connection) {
      strangers.remove(connection)
      registered.remove(connection)
    },
  }
}
