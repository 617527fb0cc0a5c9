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
import type { Admission } from "./admission.ts"
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

export type AttestorDeps = Omit<AttestContext, "remotePeerIdHash" | "onRegistered"> & {
  readonly sessions: Sessions
  readonly admission: Omit<Admission, "gater">
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
  /**
   * Attests all connections again, as at an epoch change: starts it on the outbound ones and closes the inbound ones
   * whose peer does not.
   */
  renewAll(): Promise<void>
  /** Reads the registry again: closes what is revoked or rebound, suspends or resumes what lapsed or was renewed. */
  refreshStanding(): Promise<void>
  stop(): void
}

type Watch = {
  cancel: Cancel
  readonly attested: PromiseWithResolvers<NodeRecord>
  /** The handshake in flight; never rejects. */
  running: Promise<void> | null
  /** When the handshake began that attested the connection last, milliseconds since 1970. */
  attestedAt: number
  /** The peer has to attest the connection again, and a deadline runs. */
  renewalDue: boolean
}

/** Part of the lifetime after which the dialling side attests again. */
const RENEW_AT = 0.9

/** How far apart two nodes may learn of the same epoch: a handshake that began so long before counts as one for it. */
export const EPOCH_APART_MS = 60_000

const attestorError = (code: AttestorErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export function createAttestor({ timeoutMs, lifetimeMs }: AttestorOptions, deps: AttestorDeps): Attestor {
  const { sessions, admission, clock, scheduler, logger, metrics, chain } = deps
  const refusals = metrics?.counter({
    name: "attest_refusals_total",
    help: "Failed attestations",
    labels: ["code"],
  })
  const watches = new Map<string, Watch>()

  const contextOf = (connection: Connection): AttestContext => ({
    ...deps,
    remotePeerIdHash: peerIdHash(connection.remotePeer),
    onRegistered: () => admission.registered(connection),
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

  /** What chain time leaves a registration, by this node's clock: the two need not agree. */
  const standsUntil = async (record: NodeRecord): Promise<number> => {
    const head = await chain.head()
    return isLive(record, head) ? clock.now() + Number(record.liveUntil - head.timestamp) * 1_000 : 0
  }

  const serve = async (connection: Connection, record: NodeRecord): Promise<void> => {
    const until = await standsUntil(record)
    if (!watches.has(connection.id)) throw attestorError("ATTEST_CLOSED", "the connection closed")
    sessions.serve(connection, record, clock.now() + lifetimeMs, until)
  }

  const complete = (connection: Connection, record: NodeRecord, begun: number): void => {
    const watch = watches.get(connection.id)
    if (watch === undefined) throw attestorError("ATTEST_CLOSED", "the connection closed")
    Object.assign(watch, { attestedAt: begun, renewalDue: false })
    sessions.ready(connection)
    admission.attested(connection)
    watch.attested.resolve(record)
    if (connection.direction === "outbound")
      rearm(connection, lifetimeMs * RENEW_AT, () => void initiate(connection))
    else expireAfter(connection, lifetimeMs, "renewal of the attestation")
  }

  /** One handshake under its deadline; a failure closes the connection. */
  const attest = async (
    connection: Connection,
    shake: () => Promise<{ readonly record: NodeRecord; readonly stream: Stream }>,
  ): Promise<void> => {
    const begun = clock.now()
    expireAfter(connection, timeoutMs, "attestation")
    try {
      const { record, stream } = await shake()
      complete(connection, record, begun)
      stream.close().catch((error: Error) => stream.abort(error))
    } catch (error) {
      fail(connection, error)
    }
  }

  /** One handshake at a time: who comes while one runs shares its end. */
  const initiate = async (connection: Connection): Promise<void> => {
    const watch = watches.get(connection.id)
    if (watch === undefined) return
    watch.running ??= attest(connection, async () => {
      const stream = await connection.newStream(ATTEST_PROTOCOL)
      const record = await attestAsInitiator(frameChannel(stream), contextOf(connection), (peer) =>
        serve(connection, peer),
      )
      return { record, stream }
    }).finally(() => {
      watch.running = null
    })
    await watch.running
  }

  /** The next handshake may reach this side before the last frame of the one before: it waits. */
  const follow = async (stream: Stream, connection: Connection): Promise<void> => {
    const channel = frameChannel(stream)
    const watch = watches.get(connection.id)
    const before = watch?.running ?? Promise.resolve()
    if (watch === undefined) return stream.abort(attestorError("ATTEST_CLOSED", "the connection closed"))
    const own = before.then(async () => {
      if (watches.get(connection.id) !== watch) return
      await attest(connection, async () => ({
        record: await attestAsResponder(channel, contextOf(connection), (peer) => serve(connection, peer)),
        stream,
      }))
    })
    watch.running = own
    await own
    if (watch.running === own) watch.running = null
  }

  /** Gives the dialling side time to notice the epoch and to attest the connection again. */
  const expectRenewal = (connection: Connection): void => {
    const watch = watches.get(connection.id)
    if (watch === undefined || watch.running !== null || watch.renewalDue) return
    if (clock.now() - watch.attestedAt < EPOCH_APART_MS) return
    watch.renewalDue = true
    expireAfter(connection, EPOCH_APART_MS + timeoutMs, "attestation for a new epoch")
  }

  const recheck = async (connection: Connection, signer: NodeRecord["signer"]): Promise<void> => {
    try {
      const record = await readRegistration(chain, signer, peerIdHash(connection.remotePeer))
      sessions.setStanding(connection, record, await standsUntil(record))
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
      watches.set(connection.id, {
        ...{ cancel: () => {}, attested, running: null },
        ...{ attestedAt: Number.NEGATIVE_INFINITY, renewalDue: false },
      })
      if (connection.direction === "outbound") return void initiate(connection)
      expireAfter(connection, timeoutMs, "attestation")
      admission.opened(connection)
    },
    closed(connection) {
      const watch = watches.get(connection.id)
      watches.delete(connection.id)
      watch?.cancel()
      watch?.attested.reject(attestorError("ATTEST_CLOSED", "the connection closed"))
      sessions.drop(connection)
      admission.closed(connection)
    },
    async respond(stream, connection) {
      if (connection.direction === "inbound") return follow(stream, connection)
      fail(
        connection,
        attestorError("ATTEST_WRONG_SIDE", "the side that was dialled started the attestation"),
      )
    },
    attested(connection) {
      const watch = watches.get(connection.id)
      return (
        watch?.attested.promise ??
        Promise.reject(attestorError("ATTEST_CLOSED", "the connection is not open"))
      )
    },
    async renewAll() {
      const open = sessions.all().map(({ connection }) => connection)
      const [outbound, inbound] = [
        open.filter(({ direction }) => direction === "outbound"),
        open.filter(({ direction }) => direction === "inbound"),
      ]
      inbound.forEach(expectRenewal)
      await Promise.all(outbound.map(initiate))
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
