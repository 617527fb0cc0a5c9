/**
 * Threshold signing of opened results (protocol §6.3): every node answers ranked aggregators, and aggregates itself when
 * its rank's time has come. A certificate that verifies ends the work on its results until a party that it names falls.
 */
import { type AcceptancePolicy, STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { Digest, RequestId } from "@twinlock/sdk/protocol/ids"
import type { CertificateAnnouncement, CommitmentPair } from "@twinlock/sdk/protocol/messages"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import type { Clock, Scheduler } from "../../clock.ts"
import type { Logger } from "../../telemetry/logger.ts"
import type { Engine } from "../engine.ts"
import type { KeyGossip } from "../gossip.ts"
import { rankedParties } from "../ranking.ts"
import type { KeySeat } from "../seat.ts"
import type { Standing } from "../standing.ts"
import { createAggregator } from "./aggregator.ts"
import { type Batch, batchOf, type CertifiedBatch, type GroupCertified, leafOf, MAX_LEAVES } from "./batch.ts"
import type { CommitmentBook } from "./commitmentBook.ts"
import { createConduct } from "./conduct.ts"
import { createDelivery } from "./delivery.ts"
import { createEndorsing } from "./endorsing.ts"
import type { NoncePool } from "./noncePool.ts"
import { type OpenResult, type RankGroup, rankIn } from "./openResult.ts"
import { createPace } from "./pace.ts"
import { createQuoting, type Quotes } from "./quoting.ts"
import { createServing } from "./serving.ts"
import { createWaitingRoom } from "./waitingRoom.ts"

export type Signing = {
  start(): void
  stop(): void
  /** Pairs to ride on an approval: those of the last one while all of them are unused, else fresh ones. */
  commitments(previous: readonly CommitmentPair[]): readonly CommitmentPair[]
  /** This node knows the result of a request: it may sign, and aggregate when its rank's time comes. */
  opened(result: DecryptionResult, place: RequestPlace): void
  /** Since when the request's result has the certificate that it has: milliseconds; null without one. */
  certifiedAt(request: RequestId): number | null
  /** What is kept in memory. */
  kept(): KeptBySigning
  /** The gateway no longer waits for the request. */
  forget(request: RequestId): void
}

export type KeptBySigning = {
  /** Opened results. */
  readonly results: number
  /** Host blocks whose requests have results. */
  readonly groups: number
  /** Blocks on which own lists are worked at, or wait for others to end. */
  readonly aggregations: number
}

/** Where on the host chain a request lies, which ranks its aggregators, and what the requester demands. */
export type RequestPlace = {
  readonly blockHash: Digest
  /** The standing rule where it is missing. */
  readonly policy?: AcceptancePolicy | undefined
}

export type SigningOptions = {
  /** Milliseconds after which the next rank takes over. */
  readonly takeoverMs: number
  /** Milliseconds after which a list that still waits for signers gets another one beside it. */
  readonly hedgeMs: number
  /** Milliseconds after which a list is given up. */
  readonly shareTimeoutMs: number
  /** Milliseconds after the opening from which seats endorse a result that has no certificate yet (rule E). */
  readonly fallbackMs: number
  /** Milliseconds for which a party that signed something wrong is left out. */
  readonly caughtMs: number
  /** Lists of one aggregator for one result that a signer serves per {@link SigningOptions.servePeriodMs}. */
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
  /** Brings certificates towards the chain; may be called again for the same ones. */
  readonly deliver: (certified: SubmissionBody) => Promise<void>
  /** Quotes of the own enclave; none where this node can make none. */
  readonly quotes?: Quotes | null | undefined
  /** A faster kernel for the signers of endorsements. */
  readonly recover?: SignerRecovery | undefined
  /** A faster kernel for points. */
  readonly curve?: CurveKernel | undefined
  readonly options: SigningOptions
}

/** Pairs on an approval: for the first aggregator, and for one that takes over at once. */
const PAIRS = 2

/** Times that the first rank takes at present for which the others wait, up to a bound. */
const PATIENCE = 2
const SLOWEST_MS = 8000
/** Own lists after one another that a busy first rank may need. */
const OWN_LISTS = 8

export function createSigning(deps: SigningDeps): Signing {
  const { seat, pool, book, engine, gossip, clock, logger, options } = deps
  const groups = new Map<Digest, RankGroup>()
  const results = new Map<RequestId, OpenResult>()
  const conduct = createConduct(clock, options.caughtMs)
  const early = createWaitingRoom<CertificateAnnouncement>(clock, options.servePeriodMs)
  /** From the opening of a batch's first result to its certificate, where the first rank signs. */
  const firstRank = createPace(SLOWEST_MS)
  const woken = new Set<RankGroup>()
  let stopped = false

  const find = (request: RequestId) => results.get(request)
  const delivery = createDelivery(deps, {
    find,
    onVoid(open) {
      for (const group of new Set(open.map((result) => result.group))) aggregator.wake(group)
      for (const result of open) {
        engine.uncertified(requestSubject(result.requestId))
        endorsing.opened(result)
      }
    },
    onTurn: (certified) => support(certified),
    supportOf: (batch) => ({ endorsed: endorsing.endorsed(batch), quotes: quoting.quotes(batch) }),
  })
  const support = (certified: GroupCertified) => {
    endorsing.support(certified.batch)
    quoting.support(certified)
  }
  const supported = (batch: Batch) => delivery.supported(batch)
  const quoting = createQuoting(deps, { find, conduct, onSupport: supported })
  const endorsing = createEndorsing(deps, {
    ...{ find, conduct },
    onSupport: supported,
    onEndorsed: certify,
  })
  const aggregator = createAggregator(deps, {
    conduct,
    turnOf(group) {
      const rank = rankIn(group, seat.self)
      // Whoever is first may be busy: the busier it is, the longer the others wait.
      return rank === 0 ? 0 : rank * options.takeoverMs + PATIENCE * firstRank.expected()
    },
    onSigned(certified) {
      certify(certified)
      delivery.announce(certified)
    },
  })
  const serving = createServing(deps, {
    ...{ find, conduct },
    async repeat(certified) {
      if (!(await delivery.stillStands(certified))) return false
      if (certified.kind === "group") delivery.announce(certified)
      else endorsing.repeat(certified.batch)
      return true
    },
  })

  /** What ends the work on its results, until it falls or the gateway has them. */
  function certify(certified: CertifiedBatch): void {
    delivery.certify(certified)
    if (certified.kind === "group") support(certified)
    const open = certified.batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
    for (const { requestId, certified } of open)
      if (certified !== null) engine.certified(requestSubject(requestId))
    for (const group of new Set(open.map((result) => result.group))) aggregator.settle(group)
  }

  function groupOf({ blockHash }: RequestPlace): RankGroup {
    const known = groups.get(blockHash)
    if (known !== undefined) return known
    const ranks = new Map(rankedParties(seat.committee, blockHash).map((party, rank) => [party, rank]))
    const group: RankGroup = { blockHash, ranks, results: new Map() }
    groups.set(blockHash, group)
    return group
  }

  /** After everything that opens in the same turn: it shares a batch. */
  function wakeSoon(group: RankGroup): void {
    if (woken.has(group)) return
    woken.add(group)
    queueMicrotask(() => {
      woken.delete(group)
      aggregator.wake(group)
    })
  }

  async function judge(announcement: CertificateAnnouncement, since: number): Promise<void> {
    const { party, subjects } = announcement
    if (stopped || conduct.isCaught(party) || subjects.length > MAX_LEAVES) return
    const open: OpenResult[] = []
    for (const subject of subjects) {
      const result = find(subject)
      if (result === undefined) return early.keep(subject, announcement, since)
      open.push(result)
    }
    const [first] = open
    if (first === undefined || open.every((result) => result.certified !== null)) return
    const certified = delivery.verify(batchOf(open), announcement)
    if (certified === null) {
      conduct.caught(party)
      return engine.blame(requestSubject(first.requestId), party, [announcement])
    }
    const live = await deps.standing(certified.parties)
    if (!certified.parties.every((signer) => live.has(signer))) return
    const rank = rankIn(first.group, party)
    if (rank === 0) {
      // Its word is taken within what own lists say of the committee: a first rank that tarries slows its own blocks alone.
      const most = Math.max(options.takeoverMs, OWN_LISTS * aggregator.pace())
      const took = clock.now() - Math.min(...open.map(({ openedAt }) => openedAt))
      firstRank.took(Math.min(took, most))
    }
    certify(certified)
  }

  const judgeSoon = (announcement: CertificateAnnouncement, since = clock.now()) =>
    void judge(announcement, since).catch((err: unknown) => logger.warn({ err }, "announcement not judged"))

  return {
    start() {
      engine.onApproval(({ party, commitments }) => {
        book.add(party, commitments)
        serving.heard(party)
        aggregator.offered()
      })
      gossip.listen("signing-request", (request) => serving.serve(request))
      gossip.listen("signature-share", (share) => {
        // The fresh pair comes before the share is counted: the share may call for the next list.
        book.add(share.party, share.commitments)
        const mine = aggregator.take(share)
        if (mine) book.add(share.party, share.commitments, true)
        serving.heard(share.party)
      })
      gossip.listen("endorsement", (endorsement) => endorsing.take(endorsement))
      gossip.listen("fresh-quote", (quote) => quoting.take(quote))
      gossip.listen("certificate-announcement", (announcement) => judgeSoon(announcement))
    },
    stop() {
      stopped = true
      aggregator.stop()
      serving.stop()
      endorsing.stop()
      quoting.stop()
      delivery.stop()
      results.clear()
      groups.clear()
      pool.wipe()
    },
    commitments: (previous) =>
      previous.length > 0 && previous.every((pair) => pool.holds(pair))
        ? previous
        : Array.from({ length: PAIRS }, () => pool.fresh()),
    opened(result, place) {
      if (stopped || results.has(result.requestId)) return
      const group = groupOf(place)
      const entry: OpenResult = {
        ...leafOf(result),
        ...{ group, openedAt: clock.now(), served: new Map(), together: MAX_LEAVES, suspect: false },
        ...{ failures: 0, notBefore: 0, busy: false, certified: null, proposals: 0, proposeAt: 0 },
        ...{ certifiedAt: null },
        policy: place.policy ?? STANDING_POLICY,
      }
      results.set(entry.requestId, entry)
      group.results.set(entry.requestId, entry)
      for (const { message, since } of early.take(entry.requestId)) judgeSoon(message, since)
      serving.opened(entry)
      endorsing.opened(entry)
      quoting.opened(entry)
      wakeSoon(group)
    },
    kept: () => ({ results: results.size, groups: groups.size, aggregations: aggregator.size }),
    certifiedAt: (request) => find(request)?.certifiedAt ?? null,
    forget(request) {
      const result = results.get(request)
      if (result === undefined) return
      const { group, certified } = result
      results.delete(request)
      if (certified?.batch.leaves.some(({ requestId }) => results.has(requestId)) === false) {
        endorsing.forget(certified.batch)
        quoting.forget(certified.batch)
      }
      group.results.delete(request)
      aggregator.settle(group)
      if (group.results.size === 0) groups.delete(group.blockHash)
    },
  }
}
