/**
 * Decryption of one active key on one keyholder: puts engine, signing, public and user decryption together and drives
 * them by polling the chain view. Started when the key is active and the share is unsealed.
 */

import { signerOf } from "@twinlock/sdk/protocol/committee"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import type { Address, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import type { BlobSource } from "../blobs/blobSource.ts"
import { type ChainView, isLive } from "../chain/chainView.ts"
import type { Clock, Scheduler } from "../clock.ts"
import type { Network } from "../p2p/network.ts"
import type { SealedStore } from "../storage/sealedStore.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { createBlockBudget } from "./blockBudget.ts"
import { createEngine } from "./engine.ts"
import { createPublicDecryption } from "./publicDecryption.ts"
import type { ShareHolder } from "./release.ts"
import { createReleaseLog } from "./releaseLog.ts"
import type { KeySeat } from "./seat.ts"
import { createCommitmentBook } from "./signing/commitmentBook.ts"
import { createNoncePool } from "./signing/noncePool.ts"
import { createSigning, type SigningOptions } from "./signing/signing.ts"
import { createUserDecryption, type UserDecryption } from "./userDecryption.ts"

export type DecryptionOptions = SigningOptions & {
  readonly pollMs: number
  readonly resendMs: number
  readonly approvalTimeoutMs: number
  readonly requestsPerUser: number
  /** A listed signer must stand for at least so many seconds more. */
  readonly livenessMarginSeconds: number
}

export const DEFAULT_OPTIONS: DecryptionOptions = {
  takeoverMs: 500,
  shareTimeoutMs: 1000,
  maxAttempts: 16,
  pollMs: 100,
  resendMs: 2000,
  approvalTimeoutMs: 15_000,
  requestsPerUser: 8,
  livenessMarginSeconds: 600,
}

export type DecryptionDeps = {
  readonly seat: KeySeat
  readonly gateway: Address
  readonly view: ChainView
  readonly network: Network
  readonly store: SealedStore
  readonly blobs: BlobSource
  readonly holder: ShareHolder
  readonly frostShare: FrostKeyShare
  readonly frostPublic: PublicKeyPackage
  readonly deliver: (certified: CertificatesRequest) => Promise<void>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
  /** First block that may hold requests of the key. */
  readonly startBlock: bigint
  readonly options: DecryptionOptions
}

export type DecryptionService = {
  start(): void
  stop(): void
  readonly user: UserDecryption
}

export function createDecryptionService(deps: DecryptionDeps): DecryptionService {
  const { seat, view, network, store, scheduler, logger, metrics, options } = deps
  const engine = createEngine({ seat, network, logger, metrics })
  const isPartyLive = async (party: PartyIndex) => {
    const at = await view.head()
    const node = await view.node(signerOf(seat.committee, party), at)
    const margin = { ...at, timestamp: at.timestamp + BigInt(options.livenessMarginSeconds) }
    return node !== null && isLive(node, margin)
  }
  const pool = createNoncePool(deps.frostShare, systemRng)
  const signing = createSigning({
    ...{ seat, engine, network, scheduler, logger, options, pool },
    book: createCommitmentBook(),
    keyShare: deps.frostShare,
    publicKey: deps.frostPublic,
    isLive: isPartyLive,
    clock: deps.clock,
    deliver: deps.deliver,
  })
  const release = {
    blobs: deps.blobs,
    holder: deps.holder,
    log: createReleaseLog(store),
    budget: createBlockBudget(store, `${seat.key.keyId}/${seat.key.epoch}`),
  }
  const { gateway, startBlock } = deps
  const open = createPublicDecryption({
    seat,
    view,
    engine,
    signing,
    release,
    gateway,
    logger,
    metrics,
    startBlock,
  })
  const { approvalTimeoutMs, requestsPerUser } = options
  const user = createUserDecryption({
    seat,
    view,
    engine,
    release,
    scheduler,
    approvalTimeoutMs,
    perUser: requestsPerUser,
    rng: systemRng,
  })

  let stopped = false
  const repeat = (ms: number, what: string, task: () => Promise<void>) => {
    const again = () => {
      if (stopped) return
      task()
        .catch((err: unknown) => logger.warn({ err }, what))
        .finally(() => scheduler.after(ms, again))
    }
    again()
  }

  return {
    user,
    start() {
      engine.start()
      signing.start()
      repeat(options.pollMs, "the chain could not be read", () => open.poll())
      repeat(options.resendMs, "resending failed", () => engine.resend())
    },
    stop() {
      stopped = true
      pool.wipe()
    },
  }
}
