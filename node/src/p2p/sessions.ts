/**
 * Which connections are attested, to whom, and what may be done on them (protocol §2).
 *
 * The state belongs to the connection, not to the peer id: a second connection under a stolen peer key has to attest
 * itself. `served` means that the peer's requests are answered, `ready` that this node may also send; a lapsed (not
 * revoked) standing suspends both until the registration is renewed. It lapses at the registry's word, which is read
 * every few seconds, or when the time has passed that the last reading left it: an unreadable chain does not prolong it.
 */
import type { Connection, PeerId } from "@libp2p/interface"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { NodeRecord } from "../chain/chainView.ts"
import type { Clock } from "../clock.ts"

export type Session = {
  readonly connection: Connection
  readonly record: NodeRecord
  /** Milliseconds since 1970. */
  readonly attestedUntil: number
  readonly ready: boolean
  /** How long the registration holds, by this node's clock. Milliseconds since 1970; 0 if it lapsed. */
  readonly standsUntil: number
}

/** Told whenever the connection on which a peer is reached changes; null when there is none left. */
export type UsableListener = (peerId: PeerId, connection: Connection | null, record: NodeRecord) => void

export type Sessions = {
  /** Starts or renews a session. */
  serve(connection: Connection, record: NodeRecord, attestedUntil: number, standsUntil: number): void
  ready(connection: Connection): void
  /** A fresh reading of the registry: same signer and peer. */
  setStanding(connection: Connection, record: NodeRecord, standsUntil: number): void
  drop(connection: Connection): void
  /** The peer whose requests this connection may carry now. */
  served(connection: Connection): NodeRecord | null
  /** A connection to send on. */
  usable(signer: Address): Connection | null
  peers(): readonly Address[]
  all(): readonly Session[]
}

export function createSessions(clock: Clock, onUsable: UsableListener): Sessions {
  const sessions = new Map<string, Session>()
  /** By peer id: the connection last announced as usable. */
  const announced = new Map<string, Session>()

  const isServed = ({ attestedUntil, standsUntil }: Session): boolean =>
    clock.now() < Math.min(attestedUntil, standsUntil)

  const isUsable = (session: Session): boolean => session.ready && isServed(session)

  const announce = (peerId: PeerId): void => {
    const id = peerId.toString()
    const before = announced.get(id)
    const usable = [...sessions.values()].filter(
      (s) => s.connection.remotePeer.toString() === id && isUsable(s),
    )
    const next = usable.find((s) => s.connection.id === before?.connection.id) ?? usable[0]
    if (before !== undefined && before.connection.id !== next?.connection.id) {
      announced.delete(id)
      onUsable(peerId, null, before.record)
    }
    if (next === undefined) return
    announced.set(id, next)
    if (before?.connection.id !== next.connection.id) onUsable(peerId, next.connection, next.record)
  }

  const change = (connection: Connection, update: (session: Session) => Session): void => {
    const session = sessions.get(connection.id)
    if (session === undefined) return
    sessions.set(connection.id, update(session))
    announce(connection.remotePeer)
  }

  return {
    serve(connection, record, attestedUntil, standsUntil) {
      const ready = sessions.get(connection.id)?.ready ?? false
      sessions.set(connection.id, { connection, record, attestedUntil, standsUntil, ready })
      announce(connection.remotePeer)
    },
    ready: (connection) => change(connection, (session) => ({ ...session, ready: true })),
    setStanding: (connection, record, standsUntil) =>
      change(connection, (session) => ({ ...session, record, standsUntil })),
    drop(connection) {
      sessions.delete(connection.id)
      announce(connection.remotePeer)
    },
    served(connection) {
      const session = sessions.get(connection.id)
      return session !== undefined && isServed(session) ? session.record : null
    },
    usable: (signer) =>
      [...sessions.values()].find((s) => s.record.signer === signer && isUsable(s))?.connection ?? null,
    peers: () => [...new Set([...sessions.values()].filter(isUsable).map((s) => s.record.signer))],
    all: () => [...sessions.values()],
  }
}
