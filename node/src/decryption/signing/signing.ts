/**
 * Threshold signing of opened results (protocol §6.3): every node answers ranked aggregators, and aggregates itself when
 * its rank's time has come. A certificate that verifies ends the work on its result until a party that it names falls.
 */
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { CertificateAnnouncement, CommitmentPair, SigningRequest } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import type { Clock, Scheduler } from "../../clock.ts"
import type { Logger } from "../../telemetry/logger.ts"
import type { Engine } from "../engine.ts"
import type { KeyGossip } from "../gossip.ts"
import type { KeySeat } from "../seat.ts"
import type { Standing } from "../standing.ts"
import { createAggregator } from "./aggregator.ts"
import type { CommitmentBook } from "./commitmentBook.ts"
import { createDelivery } from "./delivery.ts"
import { createEarlyRequests } from "./earlyRequests.ts"
import { close, type Job, later, newJob, rankIn } from "./job.ts"
import type { NoncePool } from "./noncePool.ts"
import { answerSigningRequest, resultsOf } from "./signer.ts"

export type Signing = {
  start(): void
  stop(): void
  /** Pairs to ride on an approval: those of the last one while all of them are unused, else fresh ones. */
  commitments(previous: readonly CommitmentPair[]): readonly CommitmentPair[]
  /** This node knows the result of a request: it may sign, and aggregate when its rank's time comes. */
  opened(result: DecryptionResult): void
  /** The gateway no longer waits for the request. */
  forget(request: RequestId): void
}

export type SigningOptions = {
  /** Milliseconds after which the next rank takes over. */
  readonly takeoverMs: number
  /** Milliseconds after which a listed signer counts as silent for this request. */
  readonly shareTimeoutMs: number
  /** Requests of one aggregator for one result that a signer serves per {@link SigningOptions.servePeriodMs}. */
  readonly maxServed: number
  readonly servePeriodMs: number
  /** A listed signer must stand for at least so many seconds more. */
  readonly livenessMarginSeconds: number
}

export type SigningDeps = {
  readonly seat: KeySeat
  readonly keyShare: FrostKeyShare
  readonly publicKey: PublicKeyPackage
  readonly pool: NoncePool
  readonly book: CommitmentBook
  readonly standing: Standing
  readonly engine: Engine
  readonly gossip: KeyGossip
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  /** Brings a certificate towards the chain; may be called again for the same one. */
  readonly deliver: (certified: CertificatesRequest) => Promise<void>
  readonly options: SigningOptions
}

/** Pairs on an approval: for the first aggregator, and for one that takes over at once. */
const PAIRS = 2

export function createSigning(deps: SigningDeps): Signing {
  const { seat, pool, book, engine, gossip, clock, scheduler, logger, options } = deps
  const jobs = new Map<RequestId, Job>()
  const early = createEarlyRequests()
  let stopped = false

  const resultOf = (request: RequestId) => jobs.get(request)?.result ?? null

  /** The own rank's turn, counted from now. */
  const takeTurn = (job: Job) => {
    const rank = rankIn(job, seat, seat.self)
    if (rank === 0) aggregator.begin(job)
    else later(job, scheduler, rank * options.takeoverMs, () => aggregator.begin(job))
  }
  const delivery = createDelivery(deps, takeTurn)
  const aggregator = createAggregator(deps, (job, certified) => {
    delivery.certify(job, certified)
    delivery.announce(job)
  })

  /** True where the aggregator may be served once more: a rate, so that its lists burn nonces at a bounded pace. */
  function admit(job: Job, aggregator: PartyIndex): boolean {
    const now = clock.now()
    const last = job.served.get(aggregator)
    const { since, count } =
      last === undefined || now - last.since >= options.servePeriodMs ? { since: now, count: 0 } : last
    if (count >= options.maxServed) return false
    job.served.set(aggregator, { since, count: count + 1 })
    return true
  }

  async function serve(request: SigningRequest): Promise<void> {
    if (stopped || !request.signers.some(({ party }) => party === seat.self)) return
    const results = resultsOf(request, resultOf)
    const [first] = request.subjects
    const job = first === undefined ? undefined : jobs.get(first)
    if (results === null || job === undefined) return early.keep(request)
    // Half a period of grace: clocks of nodes start when each opened the result.
    const turn = job.openedAt + (rankIn(job, seat, request.party) - 0.5) * options.takeoverMs
    if (clock.now() < turn) return defer(job, request, turn - clock.now())
    if (!admit(job, request.party)) return
    // Whoever asks for what is signed already missed the announcement.
    if (job.certified !== null && (await delivery.stillStands(job))) return delivery.announce(job)
    try {
      await gossip.publish(await answerSigningRequest(request, results, deps))
    } catch (error) {
      const code = isProtocolError(error) ? error.detail.code : "INTERNAL"
      logger.warn({ requestId: job.requestId, code, err: error }, "signing request refused")
      if (code === "COMMITMENT_USED") engine.renew(requestSubject(job.requestId))
    }
  }

  const serveSoon = (request: SigningRequest) =>
    void serve(request).catch((err: unknown) => logger.warn({ err }, "signing request failed"))

  function defer(job: Job, request: SigningRequest, ms: number): void {
    const waits = job.deferred.has(request.party)
    job.deferred.set(request.party, request)
    if (waits) return
    later(job, scheduler, ms, () => {
      const newest = job.deferred.get(request.party)
      job.deferred.delete(request.party)
      if (newest !== undefined) serveSoon(newest)
    })
  }

  async function onAnnouncement(announcement: CertificateAnnouncement): Promise<void> {
    const [requestId] = announcement.subjects
    const job = requestId === undefined ? undefined : jobs.get(requestId)
    const { party, subjects } = announcement
    if (job === undefined || job.certified !== null || subjects.length !== 1 || job.caught.has(party)) return
    const certified = delivery.verify(job, announcement)
    if (certified === null) {
      job.caught.add(party)
      return engine.blame(requestSubject(job.requestId), [party])
    }
    const live = await deps.standing(certified.parties)
    if (certified.parties.every((party) => live.has(party))) delivery.certify(job, certified)
  }

  return {
    start() {
      engine.onApproval(({ party, commitments }) => book.add(party, commitments))
      gossip.listen("signing-request", serveSoon)
      gossip.listen("signature-share", (share) => {
        book.add(share.party, share.commitments)
        for (const job of jobs.values()) aggregator.take(job, share)
      })
      gossip.listen("certificate-announcement", (announcement) => {
        onAnnouncement(announcement).catch((err: unknown) => logger.warn({ err }, "announcement not judged"))
      })
    },
    stop() {
      stopped = true
      for (const job of jobs.values()) close(job)
      jobs.clear()
      pool.wipe()
    },
    commitments: (previous) =>
      previous.length > 0 && previous.every((pair) => pool.holds(pair))
        ? previous
        : Array.from({ length: PAIRS }, () => pool.fresh()),
    opened(result) {
      if (stopped || jobs.has(result.requestId)) return
      const job = newJob(result, clock)
      jobs.set(result.requestId, job)
      takeTurn(job)
      for (const request of early.take(result.requestId)) serveSoon(request)
    },
    forget(request) {
      const job = jobs.get(request)
      if (job !== undefined) close(job)
      jobs.delete(request)
    },
  }
}
