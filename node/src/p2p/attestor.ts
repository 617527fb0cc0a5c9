/**
 * Runs the attestation of every connection: at opening, again before it expires, and against the registry's standing
 * (protocol §2). Whatever fails closes the connection; the side that dialled starts.
 */
import type { Connection, Stream } from "@libp2p/interface"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { isLive, type NodeRecord } from "../chain/chainView.ts"
import type { Cancel, Clock, Scheduler } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import {
  type AttestContext,
  attestAsInitiator,
  attestAsResponder,
  readRegistration,
} from "./attestedChannel.ts"
import { ATTEST_PROTOCOL } from "./attestMessages.ts"
import { peerIdHash } from "./peerIdentity.ts"
import type { Sessions } from "./sessions.ts"
import { frameChannel } from "./streamFrames.ts"

export type AttestorErrorCode = "ATTEST_TIMEOUT" | "ATTEST_CLOSED" | "ATTEST_WRONG_SIDE"

export type AttestorOptions = {
  /** How long a handshake may take; an inbound connection also has to start it in that time. */
  readonly timeoutMs: number
  /** How long an attestation holds. */
  readonly lifetimeMs: number
}

export type AttestorDeps = Omit<AttestContext, "remotePeerIdHash"> & {
  readonly sessions: Sessions
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
}

export type Attestor = {
  /** Call for every opened connection. */
  opened(connection: Connection): void
  closed(connection: Connection): void
  /** Handler of ATTEST_PROTOCOL. */
  respond(stream: Stream, connection: Connection): Promise<void>
  /** Resolves when the connection is attested both ways; rejects when it failed or closed. */
  attested(connection: Connection): Promise<NodeRecord>
  /** Attests all outbound connections again, as at an epoch change. */
  renewAll(): Promise<void>
  /** Reads the registry again: closes what is revoked or rebound, suspends or resumes what lapsed or was renewed. */
  refreshStanding(): Promise<void>
  stop(): void
}

type Watch = {
  cancel: Cancel
  readonly attested: PromiseWithResolvers<NodeRecord>
}

/** Part of the lifetime after which the dialling side attests again. */
const RENEW_AT = 0.9

const attestorError = (code: AttestorErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export function createAttestor({ timeoutMs, lifetimeMs }: AttestorOptions, deps: AttestorDeps): Attestor {
  const { sessions, clock, scheduler, logger, metrics, chain } = deps
  const refusals = metrics?.counter({
    name: "attest_refusals_total",
    help: "Failed attestations",
    labels: ["code"],
  })
  const watches = new Map<string, Watch>()

  const contextOf = (connection: Connection): AttestContext => ({
    ...deps,
    remotePeerIdHash: peerIdHash(connection.remotePeer),
  })

  const fail = (connection: Connection, error: unknown): void => {
    const code = isProtocolError(error) ? error.detail.code : "ATTEST_BROKEN"
    refusals?.add({ code })
    logger.warn({ err: error, peer: connection.remotePeer.toString() }, "connection not attested")
    watches.get(connection.id)?.attested.reject(error)
    sessions.drop(connection)
    connection.abort(error instanceof Error ? error : new Error(code))
  }

  /** Replaces the deadline of a connection. */
  const rearm = (connection: Connection, afterMs: number, task: () => void): void => {
    const watch = watches.get(connection.id)
    if (watch === undefined) return
    watch.cancel()
    watch.cancel = scheduler.after(afterMs, task)
  }

  const expireAfter = (connection: Connection, afterMs: number, what: string): void =>
    rearm(connection, afterMs, () =>
      fail(connection, attestorError("ATTEST_TIMEOUT", `${what} took too long`)),
    )

  const serve = async (connection: Connection, record: NodeRecord): Promise<void> =>
    sessions.serve(connection, record, clock.now() + lifetimeMs, isLive(record, await chain.head()))

  const complete = (connection: Connection, record: NodeRecord): void => {
    sessions.ready(connection)
    watches.get(connection.id)?.attested.resolve(record)
    if (connection.direction === "outbound")
      rearm(connection, lifetimeMs * RENEW_AT, () => void initiate(connection))
    else expireAfter(connection, lifetimeMs, "renewal of the attestation")
  }

  const initiate = async (connection: Connection): Promise<void> => {
    expireAfter(connection, timeoutMs, "attestation")
    try {
      const stream = await connection.newStream(ATTEST_PROTOCOL)
      const record = await attestAsInitiator(frameChannel(stream), contextOf(connection), (peer) =>
        serve(connection, peer),
      )
      complete(connection, record)
      await stream.close()
    } catch (error) {
      fail(connection, error)
    }
  }

  const recheck = async (connection: Connection, signer: NodeRecord["signer"]): Promise<void> => {
    try {
      const record = await readRegistration(chain, signer, peerIdHash(connection.remotePeer))
      sessions.setStanding(connection, record, isLive(record, await chain.head()))
    } catch (error) {
      if (isProtocolError(error, "ATTEST_UNREGISTERED", "ATTEST_REVOKED", "ATTEST_WRONG_PEER"))
        fail(connection, error)
      else logger.warn({ err: error, signer }, "standing not read, last reading kept")
    }
  }

  return {
    opened(connection) {
      const attested = Promise.withResolvers<NodeRecord>()
      attested.promise.catch(() => {})
      watches.set(connection.id, { cancel: () => {}, attested })
      if (connection.direction === "outbound") void initiate(connection)
      else expireAfter(connection, timeoutMs, "attestation")
    },
    closed(connection) {
      const watch = watches.get(connection.id)
      watches.delete(connection.id)
      watch?.cancel()
      watch?.attested.reject(attestorError("ATTEST_CLOSED", "the connection closed"))
      sessions.drop(connection)
    },
    async respond(stream, connection) {
      try {
        if (connection.direction !== "inbound")
          throw attestorError("ATTEST_WRONG_SIDE", "the side that was dialled started the attestation")
        expireAfter(connection, timeoutMs, "attestation")
        const record = await attestAsResponder(frameChannel(stream), contextOf(connection), (peer) =>
          serve(connection, peer),
        )
        complete(connection, record)
        await stream.close()
      } catch (error) {
        fail(connection, error)
      }
    },
    attested(connection) {
      const watch = watches.get(connection.id)
      return (
        watch?.attested.promise ??
        Promise.reject(attestorError("ATTEST_CLOSED", "the connection is not open"))
      )
    },
    async renewAll() {
      const outbound = sessions.all().filter(({ connection }) => connection.direction === "outbound")
      await Promise.all(outbound.map(({ connection }) => initiate(connection)))
    },
    async refreshStanding() {
      await Promise.all(sessions.all().map(({ connection, record }) => recheck(connection, record.signer)))
    },
    stop() {
      for (const { cancel } of watches.values()) cancel()
      watches.clear()
    },
  }
}
