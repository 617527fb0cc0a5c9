/**
 * Decryption of one active key on one keyholder: puts engine, signing, public and user decryption together and drives
 * them by polling the chain view. Started when the key is active and the share is unsealed.
 */

import { blobBytesOf } from "@twinlock/sdk/protocol/fheType"
import { fheTypeOf } from "@twinlock/sdk/protocol/handles"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import type { FaultEvidence } from "@twinlock/sdk/threshold/faultEvidence"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import type { OpeningKernel } from "@twinlock/sdk/threshold/openingKernel"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { BlobSource } from "../blobs/blobSource.ts"
import { createPrefetchingSource, DEFAULT_CAPACITY } from "../blobs/prefetch.ts"
import type { ChainView } from "../chain/chainView.ts"
import type { Cancel, Clock, Scheduler } from "../clock.ts"
import type { Network } from "../p2p/network.ts"
import { backingOff, repeat } from "../repeat.ts"
import type { SealedStore } from "../storage/sealedStore.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { watchBudget } from "./blockBudget.ts"
import { createEngine, type Kept } from "./engine.ts"
import { createEvidenceShelf } from "./evidence.ts"
import { createKeyGossip } from "./gossip.ts"
import { createPublicDecryption } from "./publicDecryption.ts"
import { type ShareHolder, verified } from "./release.ts"
import { createReleaseLedger } from "./releaseLedger.ts"
import { createRequestCursor } from "./requestCursor.ts"
import type { RetirementOptions } from "./retirement.ts"
import type { KeySeat } from "./seat.ts"
import { createCommitmentBook } from "./signing/commitmentBook.ts"
import { createNoncePool } from "./signing/noncePool.ts"
import type { Quotes } from "./signing/quoting.ts"
import { createSigning, type KeptBySigning, type SigningOptions } from "./signing/signing.ts"
import { createStanding } from "./standing.ts"
import { createUserDecryption, type UserDecryption } from "./userDecryption.ts"

export type DecryptionOptions = SigningOptions &
  RetirementOptions & {
    readonly pollMs: number
    readonly resendMs: number
    readonly approvalTimeoutMs: number
    readonly requestsPerUser: number
    /** User decryptions of all users at once. */
    readonly userRequests: number
    /** Bytes of canonical words that are kept in memory. */
    readonly wordBytes: number
    /** Opened subjects that are kept in full. */
    readonly openedInFull: number
    /** FROST nonce pairs made ahead of time, one per step. */
    readonly nonceStock: number
    readonly nonceStepMs: number
  }

export const DEFAULT_OPTIONS: DecryptionOptions = {
  takeoverMs: 500,
  hedgeMs: 250,
  nonceStock: 16,
  nonceStepMs: 20,
  fallbackMs: 10_000,
  caughtMs: 600_000,
  shareTimeoutMs: 1000,
  maxServed: 16,
  servePeriodMs: 60_000,
  pollMs: 250,
  resendMs: 2000,
  approvalTimeoutMs: 15_000,
  requestsPerUser: 8,
  userRequests: 256,
  wordBytes: DEFAULT_CAPACITY,
  openedInFull: 1024,
  openedKept: 16_384,
  deliveryMs: 60_000,
  restMs: 1_200_000,
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
  /** A faster kernel for signatures of messages. */
  readonly recover?: SignerRecovery | undefined
  /** A faster kernel for openings. */
  readonly openingKernel?: OpeningKernel | undefined
  /** A faster kernel for points. */
  readonly curve?: CurveKernel | undefined
  /** The own enclave's quotes; none where it can make none. */
  readonly quotes?: Quotes | null | undefined
  readonly frostShare: FrostKeyShare
  readonly frostPublic: PublicKeyPackage
  readonly deliver: (certified: SubmissionBody) => Promise<void>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly rng: Rng
  readonly logger: Logger
  readonly metrics: Metrics | null
  /** First block that may hold requests of the key. */
  readonly startBlock: bigint
  readonly options: DecryptionOptions
}

/** What is kept in memory. */
export type KeptByService = Kept &
  KeptBySigning & {
    /** Requests that are followed until the chain has settled them. */
    readonly requests: number
  }

export type DecryptionService = {
  start(): void
  stop(): void
  readonly user: UserDecryption
  readonly evidence: () => readonly FaultEvidence[]
  readonly kept: () => KeptByService
}

/** Longest pause after failures of one loop. */
const LONGEST_PAUSE_MS = 5000

export function createDecryptionService(deps: DecryptionDeps): DecryptionService {
  const { seat, view, network, store, clock, scheduler, logger, metrics, options } = deps
  const name = `${seat.key.keyId}/${seat.key.epoch}`
  const gossip = createKeyGossip(
    { seat, network, clock, metrics },
    { recover: deps.recover, curve: deps.curve },
  )
  const standing = createStanding(view, seat.committee, clock)
  const evidence = createEvidenceShelf(gossip.said, {
    ...{ committee: seat.committee, signing: seat.signing, publicKey: deps.frostPublic },
  })
  const engine = createEngine({
    ...{ seat, gossip, standing, evidence, clock, logger, metrics },
    openedInFull: options.openedInFull,
    openingOf: (blocks) =>
      createOpening({ n: seat.committee.n, t: seat.committee.t, blocks }, deps.openingKernel),
  })
  const signing = createSigning({
    ...{ seat, engine, gossip, standing, clock, scheduler, logger, options },
    pool: createNoncePool(deps.frostShare, deps.rng, {
      stock: { scheduler, size: options.nonceStock, stepMs: options.nonceStepMs },
      curve: deps.curve,
    }),
    ...{ recover: deps.recover, curve: deps.curve, quotes: deps.quotes },
    book: createCommitmentBook(),
    keyShare: deps.frostShare,
    publicKey: deps.frostPublic,
    deliver: deps.deliver,
  })
  const blobs = createPrefetchingSource({
    source: verified(deps.blobs),
    clock,
    capacityBytes: options.wordBytes,
  })
  const release = {
    blobs,
    holder: deps.holder,
    ledger: createReleaseLedger(store, name),
  }
  const open = createPublicDecryption({
    ...{ seat, view, engine, signing, release, standing, clock, scheduler, logger, metrics, options },
    prefetch({ handles }) {
      for (const { handle, details } of handles)
        if (details !== null) blobs.prefetch(details.squashedDigest, blobBytesOf(fheTypeOf(handle)))
    },
    gateway: deps.gateway,
    cursor: createRequestCursor(store, name, deps.startBlock),
  })
  const user = createUserDecryption({
    ...{ seat, view, engine, release, scheduler },
    approvalTimeoutMs: options.approvalTimeoutMs,
    perUser: options.requestsPerUser,
    atOnce: options.userRequests,
    rng: deps.rng,
  })

  const repeated = (milliseconds: number, what: string, task: () => Promise<void>) =>
    repeat(scheduler, task, {
      pause: backingOff(milliseconds, LONGEST_PAUSE_MS),
      onError: (err, failures) => logger.warn({ err, failures }, what),
    })
  const kept = metrics?.gauge({
    name: "decryption_kept",
    help: "Requests, subjects, results, and bytes of what peers said, that are kept in memory",
    labels: ["key", "what"],
  })
  const noteSpent = watchBudget({ key: name, logger, metrics })
  const keptNow = (): KeptByService => ({ ...engine.kept(), ...signing.kept(), requests: open.size })
  const say = async () => {
    engine.resend()
    noteSpent(await release.ledger.spent())
    for (const [what, count] of Object.entries(keptNow())) kept?.set(count, { key: name, what })
  }
  const polls = repeated(options.pollMs, "the chain could not be read", () => open.poll())
  const retiring = repeated(options.pollMs, "settled requests could not be looked for", () => open.retire())
  const repetitions = [polls, retiring, repeated(options.resendMs, "resending failed", say)]
  let cancelHint: Cancel = () => {}

  return {
    user,
    evidence: evidence.all,
    kept: keptNow,
    start() {
      engine.start()
      signing.start()
      for (const repetition of repetitions) repetition.start()
      cancelHint = view.onHead(() => polls.wake())
    },
    stop() {
      cancelHint()
      for (const repetition of repetitions) repetition.stop()
      blobs.stop()
      open.stop()
      engine.stop()
      signing.stop()
    },
  }
}
