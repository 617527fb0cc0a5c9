/**
 * Public decryption (protocol §6): follows the gateway's requests at agreed blocks, judges each, approves, releases,
 * hands opened results to signing. A request that cannot be judged yet is judged again at the next block; nothing is
 * dropped as stale while the chain says that it is open.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import type { BlockRef, ChainView } from "../chain/chainView.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type Authorised, authorisePublic } from "./authorisePublic.ts"
import type { Engine } from "./engine.ts"
import { type DecryptionErrorCode, isTemporary } from "./errors.ts"
import { prepareRelease, type ReleaseDeps, sharesOf } from "./release.ts"
import type { KeySeat } from "./seat.ts"
import type { Signing } from "./signing/signing.ts"

export type PublicDecryption = {
  /** Judges what is open at the newest agreed block. Errors of the chain are thrown; those of a request are its own. */
  poll(): Promise<void>
  /** First block whose requests are not all settled: where to start after a restart. */
  readonly cursor: bigint
}

export type PublicDecryptionDeps = {
  readonly seat: KeySeat
  readonly view: ChainView
  readonly engine: Engine
  readonly signing: Signing
  readonly release: ReleaseDeps
  readonly gateway: Address
  readonly logger: Logger
  readonly metrics: Metrics | null
  readonly startBlock: bigint
}

/** waiting: judged again at the next block. following: approved. refused: for good. */
type Pending = { state: "waiting" | "following" | "refused"; readonly seenAt: bigint; reason: string | null }

export function createPublicDecryption(deps: PublicDecryptionDeps): PublicDecryption {
  const { seat, view, engine, signing, release, gateway, logger, metrics } = deps
  const pending = new Map<RequestId, Pending>()
  let next = deps.startBlock
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
    try {
      const authorised = await authorisePublic(view, seat.key, requestId, at)
      const prepared = await prepareRelease(authorised, release)
      entry.state = "following"
      entry.reason = null
      await engine.approve(authorised, signing.freshCommitments(), {
        onRelease: () => {
          sharesOf(prepared, release.holder)
            .then((shares) => engine.publishShares(authorised.subject, shares))
            .catch((err: unknown) => logger.error({ requestId, err }, "shares could not leave"))
        },
        onOpened: (_, plaintexts) => signing.opened(resultOf(requestId, authorised, plaintexts)),
      })
    } catch (error) {
      if (!isProtocolError(error)) throw error
      const code = error.detail.code as DecryptionErrorCode
      if (entry.reason !== code)
        logger.info({ requestId, code, reason: error.detail.message }, "not approved")
      if (entry.reason !== code) refusals?.add({ code })
      entry.reason = code
      // A code of the chain or the storage is not the request's fault: judged again.
      entry.state = isTemporary(code) || isForeign(code) ? "waiting" : "refused"
      if (entry.state === "refused") engine.refuse(requestSubject(requestId))
    }
  }

  async function retire(requestId: RequestId, at: BlockRef): Promise<void> {
    const request = await view.request(requestId, at)
    if (request?.status === "open" && at.timestamp <= request.deadline) return
    pending.delete(requestId)
    engine.forget(requestSubject(requestId))
    signing.forget(requestId)
  }

  return {
    get cursor() {
      let lowest = next
      for (const { seenAt } of pending.values()) if (seenAt < lowest) lowest = seenAt
      return lowest
    },
    async poll() {
      const at = await view.head()
      if (at.number >= next) {
        for (const requestId of await view.requestsSince(next, at))
          if (!pending.has(requestId))
            pending.set(requestId, { state: "waiting", seenAt: next, reason: null })
        next = at.number + 1n
      }
      for (const [requestId, entry] of pending) {
        if (entry.state === "waiting") await judge(requestId, entry, at)
        else await retire(requestId, at)
      }
    },
  }
}

/** Codes that are not DecryptionErrorCode: a disagreeing chain, a failing store. */
const isForeign = (code: string): boolean => code.startsWith("CHAIN_") || code.startsWith("STORE_")
