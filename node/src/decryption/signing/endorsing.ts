/**
 * When this node endorses (protocol §6.3, §7). Rule E, the fallback: for a result that FROST has not certified within a
 * stated time, the ranked nodes propose batches, and every node that opened all of a batch signs it as well; a quorum of
 * seats that stand then replaces the group signature. Rule A: beside a group signature, where a requester demands it.
 */
import { quorum } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { Endorsement } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { signAs } from "../seat.ts"
import { type Batch, batchOf, type EndorsedBatch, MAX_LEAVES } from "./batch.ts"
import { pauseAfter } from "./batching.ts"
import { countServed, mayServe } from "./bounds.ts"
import type { Conduct } from "./conduct.ts"
import { createEndorsementBook } from "./endorsements.ts"
import { allowsEndorsed, namedBatch, type OpenResult, type RankGroup, rankIn } from "./openResult.ts"
import type { SigningDeps } from "./signing.ts"
import { createWaitingRoom } from "./waitingRoom.ts"

export type Endorsing = {
  take(endorsement: Endorsement): void
  /** This node opened the result: what waited for it is looked at again, and its fallback is scheduled. */
  opened(result: OpenResult): void
  /** The batch has a group signature: endorses it, or says so again, where a requester demands that. */
  support(batch: Batch): void
  /** Says own endorsement again. */
  repeat(batch: Batch): void
  /** Who endorsed the batch so far, ascending, and their signatures. */
  endorsed(batch: Batch): EndorsedBatch
  forget(batch: Batch): void
  stop(): void
}

export type EndorsingDeps = {
  readonly find: (request: RequestId) => OpenResult | undefined
  readonly conduct: Conduct
  /** A quorum that stands endorsed the batch: rule E holds. */
  readonly onEndorsed: (endorsed: EndorsedBatch) => void
  /** One more endorsement of a batch with a group signature. */
  readonly onSupport: (batch: Batch) => void
}

const LONGEST_PAUSE_MS = 60_000
/** Batches for which the time of the last word is remembered. */
const REMEMBERED = 2048

export function createEndorsing(deps: SigningDeps, own: EndorsingDeps): Endorsing {
  const { seat, engine, gossip, standing, clock, scheduler, logger, options } = deps
  const { find, conduct, onEndorsed, onSupport } = own
  const book = createEndorsementBook(seat, deps.recover)
  const waiting = createWaitingRoom<Endorsement>(clock, options.servePeriodMs)
  const timers = new Map<RankGroup, () => void>()
  const repeated = new Map<string, number>()
  let stopped = false

  const fallbackAt = (result: OpenResult) => result.openedAt + options.fallbackMs
  const needsFallback = (result: OpenResult) => result.certified === null && allowsEndorsed(result)

  function publish(batch: Batch): void {
    const message = signAs<Endorsement>(seat, {
      kind: "endorsement",
      subjects: batch.leaves.map(({ requestId }) => requestId),
      root: batch.root,
      endorsement: book.own(batch),
    })
    gossip.publish(message).catch((err: unknown) => logger.warn({ err }, "endorsement not published"))
  }

  /** Own word on a batch once more, but not more often than lists time out: everybody's repeats ask for it. */
  function repeat(batch: Batch): void {
    const last = repeated.get(batch.root)
    if (last !== undefined && clock.now() - last < options.shareTimeoutMs) return
    repeated.delete(batch.root)
    repeated.set(batch.root, clock.now())
    const [oldest] = repeated.keys()
    if (repeated.size > REMEMBERED && oldest !== undefined) repeated.delete(oldest)
    publish(batch)
  }

  /** Proposes what is due by own rank, and comes again for the rest. */
  function propose(group: RankGroup): void {
    timers.get(group)?.()
    timers.delete(group)
    if (stopped) return
    // In the same order at every node, so that equal proposals have one root.
    const open = [...group.results.values()]
      .filter(needsFallback)
      .sort((a, b) => (a.requestId < b.requestId ? -1 : 1))
    const turn = rankIn(group, seat.self) * options.takeoverMs
    const dueAt = (result: OpenResult) => Math.max(fallbackAt(result) + turn, result.proposeAt)
    const due = open.filter((result) => dueAt(result) <= clock.now())
    for (const results of proposalsOf(due)) {
      for (const result of results) {
        result.proposals += 1
        const pause = pauseAfter(result.proposals, options.shareTimeoutMs, LONGEST_PAUSE_MS)
        result.proposeAt = clock.now() + options.shareTimeoutMs + pause
      }
      endorse(batchOf(results))
    }
    const next = Math.min(...open.map(dueAt))
    if (next === Number.POSITIVE_INFINITY) return
    const cancel = scheduler.after(Math.max(0, next - clock.now()), () => propose(group))
    timers.set(group, cancel)
  }

  function endorse(batch: Batch): void {
    repeat(batch)
    void count(batch)
  }

  /** Where a quorum that stands endorsed the batch, and it has results without a certificate, rule E is satisfied. */
  async function count(batch: Batch): Promise<void> {
    const needed = quorum(seat.committee)
    const parties = book.endorsers(batch)
    if (parties.length < needed) return
    try {
      const live = await standing(parties, options.livenessMarginSeconds)
      const stand = parties.filter((party) => live.has(party)).slice(0, needed)
      const open = batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
      if (stopped || stand.length < needed || !open.some(needsFallback)) return
      onEndorsed(book.endorsed(batch, stand))
    } catch (err) {
      logger.warn({ err, root: batch.root }, "standing of the endorsers could not be read")
    }
  }

  function look(message: Endorsement, since: number): void {
    const { party } = message
    if (stopped || conduct.isCaught(party) || message.subjects.length > MAX_LEAVES) return
    const batch = namedBatch(find, message)
    if (typeof batch === "string") return waiting.keep(batch, message, since)
    const results = batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
    const [first] = results
    if (first === undefined) return
    if (batch.root !== message.root || !book.add(batch, party, message.endorsement)) {
      // Results of a request are the same at every honest node, and the signature is the party's own business.
      conduct.caught(party)
      return engine.blame(requestSubject(first.requestId), party, [message])
    }
    if (isProposal(results, party)) {
      for (const result of results) countServed(result, party, clock.now(), options)
      repeat(batch)
    }
    onSupport(batch)
    void count(batch)
  }

  /** True where this node answers: FROST is late for all of it, and it is the party's turn to propose. */
  function isProposal(results: readonly OpenResult[], party: PartyIndex): boolean {
    const now = clock.now()
    const [first] = results
    if (first === undefined || results.some(({ group }) => group !== first.group)) return false
    const turn = (rankIn(first.group, party) - 0.5) * options.takeoverMs
    return results.every(
      (result) =>
        needsFallback(result) && now >= fallbackAt(result) + turn && mayServe(result, party, now, options),
    )
  }

  return {
    repeat,
    take: (endorsement) => look(endorsement, clock.now()),
    opened(result) {
      // Also where the group has a timer: that may be one of results that were proposed in vain.
      propose(result.group)
      for (const { message, since } of waiting.take(result.requestId)) look(message, since)
    },
    support(batch) {
      const open = batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
      if (open.some(({ policy }) => policy.endorsements > 0)) repeat(batch)
    },
    endorsed: (batch) => book.endorsed(batch, book.endorsers(batch)),
    forget(batch) {
      book.forget(batch)
      repeated.delete(batch.root)
    },
    stop() {
      stopped = true
      for (const cancel of timers.values()) cancel()
      timers.clear()
    },
  }
}

/** Batches to propose: what was proposed in vain comes in halves, so that one bad result ends up alone. */
function proposalsOf(due: readonly OpenResult[]): readonly (readonly OpenResult[])[] {
  const rounds = new Set(due.map(({ proposals }) => proposals))
  return [...rounds].flatMap((round) => {
    const results = due.filter(({ proposals }) => proposals === round)
    const size = Math.max(1, MAX_LEAVES >> round)
    return Array.from({ length: Math.ceil(results.length / size) }, (_, i) =>
      results.slice(i * size, (i + 1) * size),
    )
  })
}
