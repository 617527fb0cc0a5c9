/**
 * Public decryption (protocol §6): follows the gateway's requests at agreed blocks, judges each, approves, releases,
 * hands opened results to signing. A request that cannot be judged yet is judged again; nothing is dropped as stale while
 * the chain says that it is open, and no request waits for another one's blob, chain call or fault.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import type { BlockRef, ChainView } from "../chain/chainView.ts"
import type { Clock } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type Authorised, authorisePublic } from "./authorisePublic.ts"
import type { Engine } from "./engine.ts"
import { isAlarm, type Remedy, remedyOf } from "./errors.ts"
import { type Prepared, prepareRelease, type ReleaseDeps, sharesOf } from "./release.ts"
import type { RequestCursor } from "./requestCursor.ts"
import type { KeySeat } from "./seat.ts"
import type { Signing } from "./signing/signing.ts"

export type PublicDecryption = {
  /** Looks at the newest agreed block and starts what is due. @throws ChainErrorCode, StorageErrorCode */
  poll(): Promise<void>
}

export type PublicDecryptionDeps = {
  readonly seat: KeySeat
  readonly view: ChainView
  readonly engine: Engine
  readonly signing: Signing
  readonly release: ReleaseDeps
  readonly gateway: Address
  readonly cursor: RequestCursor
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** waiting: to be judged again. following: approved. refused: for good. Each until the chain has settled the request. */
type Pending = {
  state: "waiting" | "following" | "refused"
  /** First block of the range in which it was found. */
  readonly seenAt: bigint
  reason: string | null
  failures: number
  /** Not before this time (milliseconds) and not again at this block. */
  notBefore: number
  lookedAt: bigint
  busy: boolean
}

/** Requests judged at once: each may hold the canonical words of its handles. */
const AT_ONCE = 8
const LONGEST_PAUSE_MS = 10_000

export function createPublicDecryption(deps: PublicDecryptionDeps): PublicDecryption {
  const { seat, view, engine, signing, release, gateway, cursor, clock, logger, metrics } = deps
  const pending = new Map<RequestId, Pending>()
  let next: bigint | null = null
  let running = 0
  const refusals = metrics?.counter({
    name: "refusals_total",
    help: "decryptions refused by reason",
    labels: ["code"],
  })

  const resultOf = (
    requestId: RequestId,
    authorised: Authorised,
    plaintexts: readonly bigint[],
  ): DecryptionResult => ({
    chainId: seat.key.domain.chainId,
    gateway,
    requestId,
    handles: authorised.ciphertexts.map(({ handle }) => handle),
    sessions: authorised.ciphertexts.map(({ session }) => session),
    plaintexts: concatBytes(...plaintexts.map(encodePlaintextWord)),
  })

  async function judge(requestId: RequestId, entry: Pending, at: BlockRef): Promise<void> {
    const authorised = await authorisePublic(view, seat.key, requestId, at)
    const prepared = await prepareRelease(authorised, release)
    engine.approve(authorised, {
      commitments: signing.commitments,
      onRelease: () => void send(requestId, entry, prepared),
      onOpened: (_, plaintexts) => signing.opened(resultOf(requestId, authorised, plaintexts), authorised),
    })
    entry.state = "following"
    entry.reason = null
    entry.failures = 0
  }

  async function send(requestId: RequestId, entry: Pending, prepared: Prepared): Promise<void> {
    try {
      const shares = await sharesOf(prepared, release.holder)
      engine.publishShares(prepared.authorised.subject, shares)
    } catch (err) {
      // Judged once more after a pause: the subject is released already, so that its owner is told again.
      logger.error({ requestId, err }, "shares could not leave")
      entry.state = "waiting"
      postpone(entry, "later")
    }
  }

  function postpone(entry: Pending, remedy: Remedy): void {
    entry.failures += 1
    entry.notBefore =
      remedy === "later" ? clock.now() + Math.min(100 * 2 ** entry.failures, LONGEST_PAUSE_MS) : 0
  }

  function refuse(requestId: RequestId, entry: Pending, error: unknown): void {
    const code = isProtocolError(error) ? error.detail.code : "INTERNAL"
    // What is not a typed refusal is a fault of this node, not of the request.
    const remedy = code === "INTERNAL" ? "later" : remedyOf(code)
    if (entry.reason !== code) {
      refusals?.add({ code })
      const reason = isProtocolError(error) ? error.detail.message : error
      if (isAlarm(code) || code === "INTERNAL") logger.error({ requestId, code, reason }, "not approved")
      else logger.info({ requestId, code, reason }, "not approved")
    }
    entry.reason = code
    entry.state = remedy === "never" ? "refused" : "waiting"
    postpone(entry, remedy)
  }

  async function retire(requestId: RequestId, at: BlockRef): Promise<void> {
    const request = await view.request(requestId, at)
    if (request?.status === "open" && at.timestamp <= request.deadline) return
    pending.delete(requestId)
    engine.forget(requestSubject(requestId))
    signing.forget(requestId)
  }

  async function work(requestId: RequestId, entry: Pending, at: BlockRef): Promise<void> {
    entry.busy = true
    entry.lookedAt = at.number
    running += 1
    try {
      if (entry.state === "waiting") await judge(requestId, entry, at)
      else await retire(requestId, at)
    } catch (error) {
      if (entry.state === "waiting") refuse(requestId, entry, error)
      else postpone(entry, "later")
    } finally {
      entry.busy = false
      running -= 1
    }
  }

  const isDue = (entry: Pending, at: BlockRef): boolean =>
    !entry.busy &&
    clock.now() >= entry.notBefore &&
    // A failure beside the chain may pass at the same block; everything else is a function of the block.
    (entry.lookedAt < at.number || (entry.state === "waiting" && entry.notBefore > 0))

  /** First block whose requests are not all settled. */
  const settledBefore = (from: bigint): bigint =>
    [...pending.values()].reduce((lowest, { seenAt }) => (seenAt < lowest ? seenAt : lowest), from)

  return {
    async poll() {
      const at = await view.head()
      const from: bigint = next ?? (await cursor.load())
      if (at.number >= from) {
        for (const requestId of await view.requestsSince(from, at))
          if (!pending.has(requestId))
            pending.set(requestId, {
              ...{ state: "waiting", seenAt: from, reason: null, failures: 0, notBefore: 0 },
              ...{ lookedAt: -1n, busy: false },
            })
        next = at.number + 1n
        await cursor.save(settledBefore(next))
      }
      // Who waited longest comes first: many requests that lead nowhere do not starve the others.
      const due = [...pending]
        .filter(([, entry]) => isDue(entry, at))
        .sort(([, a], [, b]) => Number(a.lookedAt - b.lookedAt))
      for (const [requestId, entry] of due.slice(0, AT_ONCE - running)) void work(requestId, entry, at)
    },
  }
}
