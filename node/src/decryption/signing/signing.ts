/**
 * Threshold signing of opened results (protocol §6.3): every node answers ranked aggregators, and aggregates itself when
 * its rank's time has come. A certificate that verifies ends the work on its results; delivering it is repeated by the
 * next ranks until the gateway no longer waits.
 */
import { partiesOfBitmap, partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type CertificatesRequest, certificateToBody, resultToBody } from "@twinlock/sdk/protocol/http"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import {
  type CertificateAnnouncement,
  type CommitmentPair,
  type GossipMessage,
  MAX_MESSAGE_BYTES,
  type SignatureShare,
  type SigningRequest,
  type Unsigned,
} from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import {
  type FrostKeyShare,
  type GroupSignature,
  groupKey,
  type PublicKeyPackage,
  verifyGroupSignature,
} from "@twinlock/sdk/threshold/frost"
import type { Clock, Scheduler } from "../../clock.ts"
import type { Network } from "../../p2p/network.ts"
import type { Logger } from "../../telemetry/logger.ts"
import type { Engine } from "../engine.ts"
import { rankOf } from "../ranking.ts"
import { type KeySeat, signAs, topicOf } from "../seat.ts"
import { approvers } from "../subject.ts"
import { validateMessage } from "../validators.ts"
import { addShare, chooseSigners, outcomeOf, type SigningAttempt, signingRequest } from "./attempt.ts"
import { batchDigest, batchOf, certificateOf } from "./batch.ts"
import type { CommitmentBook } from "./commitmentBook.ts"
import type { NoncePool } from "./noncePool.ts"
import { answerSigningRequest, resultsOf } from "./signer.ts"

export type Signing = {
  start(): void
  /** Pairs to ride on an approval. */
  freshCommitments(): readonly CommitmentPair[]
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
  /** Attempts of one aggregator per request that a signer serves, and makes. */
  readonly maxAttempts: number
}

export type SigningDeps = {
  readonly seat: KeySeat
  readonly keyShare: FrostKeyShare
  readonly publicKey: PublicKeyPackage
  readonly pool: NoncePool
  readonly book: CommitmentBook
  readonly isLive: (party: PartyIndex) => Promise<boolean>
  readonly engine: Engine
  readonly network: Network
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  /** Brings a certificate towards the chain; may be called again for the same one. */
  readonly deliver: (certified: CertificatesRequest) => Promise<void>
  readonly options: SigningOptions
}

type Job = {
  readonly result: DecryptionResult
  readonly openedAt: number
  /** Attempts served per aggregator. */
  readonly served: Map<PartyIndex, number>
  /** Silent or caught in this job. */
  readonly excluded: Set<PartyIndex>
  readonly timers: Set<() => void>
  attempts: number
  current: SigningAttempt | null
  certified: CertificatesRequest | null
}

export function createSigning(deps: SigningDeps): Signing {
  const { seat, publicKey, pool, book, engine, network, clock, scheduler, logger, options } = deps
  const jobs = new Map<RequestId, Job>()
  /** Requests for results that this node has not opened yet: the newest of each aggregator. */
  const early = new Map<string, SigningRequest>()
  const key = groupKey(publicKey)
  const resultOf = (request: RequestId) => jobs.get(request)?.result ?? null
  const publish = (message: GossipMessage) =>
    network.publish(topicOf(message.kind, seat), encodeMessage(message))
  const later = (job: Job, ms: number, task: () => void) => {
    const cancel = scheduler.after(ms, () => {
      job.timers.delete(cancel)
      task()
    })
    job.timers.add(cancel)
  }
  const settleErrors = (job: Job, what: string) => (error: unknown) => {
    const code = isProtocolError(error) ? error.detail.code : "INTERNAL"
    logger.warn({ requestId: job.result.requestId, code, err: error }, what)
  }

  /** Parties to ask, those known to be at work first. */
  async function candidates(job: Job): Promise<readonly PartyIndex[]> {
    const subject = engine.subject(requestSubject(job.result.requestId))
    const approved = subject === null ? [] : approvers(subject)
    const rest = partyIndexes(seat.committee).filter((party) => !approved.includes(party))
    const live = await Promise.all(
      [...approved, ...rest]
        .filter((party) => !job.excluded.has(party) && !subject?.culprits.has(party))
        .map(async (party) => ({ party, live: await deps.isLive(party) })),
    )
    return live.flatMap(({ party, live }) => (live ? [party] : []))
  }

  async function aggregate(job: Job): Promise<void> {
    if (job.certified !== null || job.current !== null || job.attempts >= options.maxAttempts) return
    const attempt = job.attempts
    job.attempts += 1
    const signers = chooseSigners(seat, await candidates(job), book, pool.fresh())
    if (signers === null) {
      // Commitments or standing may still come, and who was silent may be back: the same attempt again.
      job.attempts -= 1
      job.excluded.clear()
      return later(
        job,
        options.shareTimeoutMs,
        () => void aggregate(job).catch(settleErrors(job, "aggregation failed")),
      )
    }
    const batch = batchOf([job.result])
    const request = signingRequest(seat, batch, signers, attempt)
    const digest = messageDigest(request as Unsigned<SigningRequest>, seat.signing)
    const current: SigningAttempt = { batch, request, digest, shares: new Map() }
    job.current = current
    later(job, options.shareTimeoutMs, () => expire(job, current))
    await publish(request)
    take(job, await answerSigningRequest(request, batch.results, { ...deps, resultOf }))
  }

  function expire(job: Job, attempt: SigningAttempt): void {
    if (job.current !== attempt) return
    const outcome = outcomeOf(attempt, seat, publicKey)
    if (outcome.status === "waiting") retry(job, outcome.missing, "signers were silent")
  }

  function retry(job: Job, without: readonly PartyIndex[], why: string): void {
    job.current = null
    for (const party of without) if (party !== seat.self) job.excluded.add(party)
    logger.warn({ requestId: job.result.requestId, culprits: without }, why)
    aggregate(job).catch(settleErrors(job, "aggregation failed"))
  }

  function take(job: Job, share: SignatureShare): void {
    const { current } = job
    if (current === null || !addShare(current, share)) return
    const outcome = outcomeOf(current, seat, publicKey)
    if (outcome.status === "waiting") return
    if (outcome.status === "failed") return retry(job, outcome.culprits, "signature shares do not verify")
    const signers = outcome.signers.reduce((bits, party) => bits | (1n << BigInt(party - 1)), 0n)
    const announcement = signAs<CertificateAnnouncement>(seat, {
      kind: "certificate-announcement",
      subjects: current.request.subjects,
      root: current.batch.root,
      signers,
      ...outcome.signature,
    })
    certify(job, signers, outcome.signature)
    publish(announcement).catch(settleErrors(job, "announcement failed"))
  }

  /** A group signature over this job's result alone or in a batch of one. */
  function certify(job: Job, signers: bigint, signature: GroupSignature): void {
    if (job.certified !== null) return
    const batch = batchOf([job.result])
    const certificate = certificateOf(seat, batch, signers, signature, 0)
    job.certified = { result: resultToBody(job.result), certificate: certificateToBody(certificate) }
    job.current = null
    for (const cancel of job.timers) cancel()
    job.timers.clear()
    // The first rank delivers at once, the others while the gateway still waits.
    redeliver(
      job,
      rankOf(seat.committee, requestSubject(job.result.requestId), seat.self) * options.takeoverMs,
    )
  }

  function redeliver(job: Job, ms: number): void {
    const go = () => {
      if (job.certified === null || !jobs.has(job.result.requestId)) return
      deps.deliver(job.certified).catch(settleErrors(job, "certificate was not delivered"))
      redeliver(job, options.takeoverMs * seat.committee.n)
    }
    if (ms === 0) go()
    else later(job, ms, go)
  }

  async function serve(request: SigningRequest): Promise<void> {
    if (!request.signers.some(({ party }) => party === seat.self)) return
    const results = resultsOf(request, { resultOf })
    if (results === null) return void early.set(`${request.party}`, request)
    const [first] = request.subjects
    const job = first === undefined ? undefined : jobs.get(first)
    if (job === undefined) return
    const rank = rankOf(seat.committee, requestSubject(job.result.requestId), request.party)
    const served = job.served.get(request.party) ?? 0
    // Half a period of grace: clocks of nodes start when each opened the result.
    if (clock.now() - job.openedAt < (rank - 0.5) * options.takeoverMs || served >= options.maxAttempts)
      return
    job.served.set(request.party, served + 1)
    try {
      const share = await answerSigningRequest(request, results, { ...deps, resultOf })
      await publish(share)
    } catch (error) {
      settleErrors(job, "signing request refused")(error)
    }
  }

  function onAnnouncement({ subjects, root, signers, r, s }: CertificateAnnouncement): void {
    for (const subject of subjects) {
      const job = jobs.get(subject)
      if (job === undefined || subjects.length !== 1) continue
      const batch = batchOf([job.result])
      const digest = batchDigest(seat, batch, partiesOfBitmap(signers, seat.committee.n))
      if (batch.root === root && verifyGroupSignature(key, digest, { r, s })) certify(job, signers, { r, s })
    }
  }

  function listen<K extends GossipMessage["kind"]>(
    kind: K,
    handle: (message: Extract<GossipMessage, { kind: K }>) => void,
  ): void {
    const validate = (payload: Uint8Array) => validateMessage(kind, payload, seat)
    network.subscribe(
      topicOf(kind, seat),
      MAX_MESSAGE_BYTES[kind],
      (payload) => validate(payload).validation,
      (payload) => {
        const result = validate(payload)
        if (result.validation === "accept") handle(result.message)
      },
    )
  }

  return {
    start() {
      engine.onApproval(({ party, commitments }) => {
        if (party !== seat.self) book.add(party, commitments)
      })
      listen(
        "signing-request",
        (request) =>
          void serve(request).catch((err: unknown) => logger.warn({ err }, "signing request failed")),
      )
      listen("signature-share", (share) => {
        book.add(share.party, share.commitments)
        for (const job of jobs.values()) take(job, share)
      })
      listen("certificate-announcement", onAnnouncement)
    },
    freshCommitments: () => [pool.fresh(), pool.fresh()],
    opened(result) {
      if (jobs.has(result.requestId)) return
      const job: Job = {
        result,
        openedAt: clock.now(),
        served: new Map(),
        excluded: new Set(),
        timers: new Set(),
        attempts: 0,
        current: null,
        certified: null,
      }
      jobs.set(result.requestId, job)
      const rank = rankOf(seat.committee, requestSubject(result.requestId), seat.self)
      const begin = () => void aggregate(job).catch(settleErrors(job, "aggregation failed"))
      if (rank === 0) begin()
      else later(job, rank * options.takeoverMs, begin)
      const waiting = [...early.values()].filter(({ subjects }) => subjects.includes(result.requestId))
      for (const request of waiting) {
        early.delete(`${request.party}`)
        serve(request).catch(settleErrors(job, "signing request failed"))
      }
    },
    forget(request) {
      const job = jobs.get(request)
      if (job !== undefined) for (const cancel of job.timers) cancel()
      jobs.delete(request)
    },
  }
}
