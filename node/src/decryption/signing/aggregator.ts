/**
 * The aggregator's side of signing (protocol §6.3): puts open results of a block into batches, fixes lists, collects shares,
 * leaves out who was silent or lied, and tries again, more and more seldom, until there is a certificate or the gateway no
 * longer waits. Nothing of a failure, be it of the chain, the network or a signer, ends the attempts for good.
 */
import { partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import { assertNever, isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair, SignatureShare } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { approvers } from "../subject.ts"
import { chooseSigners, createAttempt, listed, missing, outcomeOf, type SigningAttempt } from "./attempt.ts"
import { batchOf, type GroupCertified } from "./batch.ts"
import { afterFailure, afterSuccess, chooseBatch } from "./batching.ts"
import type { Conduct } from "./conduct.ts"
import { type OpenResult, type RankGroup, rankIn } from "./openResult.ts"
import { createPace } from "./pace.ts"
import { awaited, mayExtend, newSession, type SigningSession, takeShare } from "./session.ts"
import { answerSigningRequest } from "./signer.ts"
import type { SigningDeps } from "./signing.ts"

export type Aggregator = {
  /** Something changed in the group: starts what is due, unless a batch of the same kind is out. */
  wake(group: RankGroup): void
  /** Takes a signature share. @returns true where it answers an own list */
  take(share: SignatureShare): boolean
  /** Fresh commitments came: a list that lacked them may be made now. */
  offered(): void
  /** Ends own attempts for results that have a certificate, or that the gateway no longer waits for. */
  settle(group: RankGroup): void
  /** Groups that are worked at. */
  readonly size: number
  /** Milliseconds that a list takes at present, 0 while nothing is known. */
  pace(): number
  stop(): void
}

export type AggregatorDeps = {
  readonly conduct: Conduct
  /** Milliseconds after the opening from which this node aggregates results of the group. */
  readonly turnOf: (group: RankGroup) => number
  /** Told every own certificate. */
  readonly onSigned: (certified: GroupCertified) => void
}

const LONGEST_PAUSE_MS = 16_000

/** Expected times beyond this no longer lengthen timeouts. */
const SLOWEST_MS = 4000
/** A list gets another one beside it, or is given up, after so many times what a list takes at present. */
const HEDGE_FACTOR = 3
const TIMEOUT_FACTOR = 8
/** Own batches out at once, over all blocks: of what is new, and of what failed before. What is due then waits. */
const FRESH_AT_ONCE = 4
const AGAIN_AT_ONCE = 2

/** Own batches of a group: one of what is new, and beside it one of what failed before, so that neither waits. */
type Kind = "fresh" | "again"
type Work = { fresh: SigningSession | null; again: SigningSession | null; cancel: () => void }

export function createAggregator(
  deps: SigningDeps,
  { conduct, turnOf, onSigned }: AggregatorDeps,
): Aggregator {
  const { seat, publicKey, pool, book, engine, gossip, standing, clock, scheduler, logger, options } = deps
  const { committee, self } = seat
  const works = new Map<RankGroup, Work>()
  const out: Record<Kind, number> = { fresh: 0, again: 0 }
  /** Groups whose batches wait for others to end, oldest first. */
  const queue = new Set<RankGroup>()
  const roundTrip = createPace(SLOWEST_MS)
  let stopped = false

  /** When each list went out; milliseconds. */
  const sent = new WeakMap<SigningAttempt, number>()

  /**
   * The pace is told by the answer before the last t: whoever answers at the last moment, and t may do so in every list, then
   * does not lengthen the time-outs of all.
   */
  const tells = (list: SigningAttempt) => listed(list).length - committee.t

  const isWaiting = ({ certified, group, requestId }: OpenResult) =>
    certified === null && group.results.has(requestId)
  const approversOf = ({ requestId }: OpenResult): readonly PartyIndex[] | null => {
    const subject = engine.subject(requestSubject(requestId))
    return subject === null ? null : approvers(subject)
  }

  function workOf(group: RankGroup): Work {
    const work = works.get(group) ?? { fresh: null, again: null, cancel: () => {} }
    works.set(group, work)
    return work
  }

  function wake(group: RankGroup): void {
    if (stopped) return
    const work = workOf(group)
    work.cancel()
    const turn = turnOf(group)
    const due = (result: OpenResult) => Math.max(result.openedAt + turn, result.notBefore)
    const idle = [...group.results.values()].filter((result) => isWaiting(result) && !result.busy)
    const now = idle.filter((result) => due(result) <= clock.now())
    // What is new does not wait for what others could not answer before.
    const [fresh, again] = [now.filter(({ suspect }) => !suspect), now.filter(({ suspect }) => suspect)]
    startDue(group, "fresh", fresh)
    startDue(group, "again", again)
    const next = Math.min(...idle.filter((result) => !now.includes(result)).map(due))
    if (next === Number.POSITIVE_INFINITY) return
    work.cancel = scheduler.after(Math.max(0, next - clock.now()), () => wake(group))
  }

  function startDue(group: RankGroup, kind: Kind, due: readonly OpenResult[]): void {
    const work = workOf(group)
    if (due.length === 0 || work[kind] !== null) return
    if (out[kind] >= (kind === "fresh" ? FRESH_AT_ONCE : AGAIN_AT_ONCE)) return void queue.add(group)
    work[kind] = begin(group, due)
    out[kind] += 1
    extend(work[kind])
  }

  function begin(group: RankGroup, due: readonly OpenResult[]): SigningSession {
    const results = chooseBatch(due, approversOf, quorum(committee))
    for (const result of results) result.busy = true
    return newSession(group, results, batchOf(results))
  }

  /** One more list for the batch; where none can be made and none is out, the session is over. */
  function extend(session: SigningSession): void {
    if (session.choosing || !mayExtend(session, committee.t)) return
    session.choosing = true
    nextList(session).then(
      (list) => {
        session.choosing = false
        if (list === null) fail(session, options.shareTimeoutMs)
      },
      (err: unknown) => {
        const code = isProtocolError(err) ? err.detail.code : "INTERNAL"
        logger.warn({ blockHash: session.group.blockHash, code, err }, "aggregation failed")
        session.choosing = false
        // With a list out, its timer decides; without one, nothing else would.
        fail(session, options.shareTimeoutMs)
      },
    )
  }

  async function nextList(session: SigningSession): Promise<SigningAttempt | null> {
    const live = await standing(partyIndexes(committee), options.livenessMarginSeconds)
    if (session.closed) return null
    const list = live.has(self) ? choose(session, live) : null
    if (list === null) return null
    const attempt = createAttempt(seat, session.batch, list, session.made)
    session.made += 1
    session.owed -= 1
    session.lists.add(attempt)
    // Who is silent by then is not waited for; who answers later still counts until the list expires.
    const madeAt = clock.now()
    const pace = roundTrip.expected()
    const hedgeMs = Math.max(options.hedgeMs, HEDGE_FACTOR * pace)
    const timeoutMs = Math.max(options.shareTimeoutMs, TIMEOUT_FACTOR * pace)
    sent.set(attempt, madeAt)
    scheduler.after(hedgeMs, () => hedge(session, attempt))
    scheduler.after(timeoutMs, () => expire(session, attempt, timeoutMs))
    await gossip.publish(attempt.request)
    accept(session, await answerSigningRequest(attempt.request, session.batch, deps))
    return attempt
  }

  /** Parties to ask, those known to be at work first. */
  function choose(session: SigningSession, live: ReadonlySet<PartyIndex>) {
    const busy = awaited(session)
    const approvals = session.results.flatMap((result) => approversOf(result) ?? [])
    const words = (party: PartyIndex) => approvals.filter((other) => other === party).length
    const candidates = partyIndexes(committee)
      .filter((party) => live.has(party) && !busy.has(party) && !session.liars.has(party))
      .filter((party) => !conduct.isCaught(party))
      .map((party) => ({ party, silent: conduct.isSilent(party), words: words(party) }))
      .sort((a, b) => Number(a.silent) - Number(b.silent) || b.words - a.words)
    const rank = rankIn(session.group, self)
    return chooseSigners(
      seat,
      candidates.map(({ party }) => party),
      { offers: book.offers, take: (party) => book.take(party, offered(session, party, rank)) },
      () => pool.fresh(),
    )
  }

  /** Commitments on the party's approvals of the batch; each rank begins with another one. */
  function offered(session: SigningSession, party: PartyIndex, rank: number): readonly CommitmentPair[] {
    return session.results.flatMap(({ requestId }) => {
      const pairs = engine.subject(requestSubject(requestId))?.approvals.get(party)?.commitments ?? []
      return pairs.length === 0 ? [] : pairs.map((_, i) => pairs[(i + rank) % pairs.length] ?? [])
    }) as readonly CommitmentPair[]
  }

  function hedge(session: SigningSession, attempt: SigningAttempt): void {
    if (session.closed || !session.lists.has(attempt)) return
    for (const party of missing(attempt)) {
      if (party === self) continue
      conduct.missed(party)
      book.doubt(party)
    }
    session.owed += 1
    extend(session)
  }

  function expire(session: SigningSession, attempt: SigningAttempt, timeoutMs: number): void {
    if (session.closed || !session.lists.delete(attempt)) return
    if (attempt.shares.size < tells(attempt)) roundTrip.failed(timeoutMs / TIMEOUT_FACTOR)
    logger.warn({ blockHash: session.group.blockHash, silent: missing(attempt) }, "signers were silent")
    if (session.lists.size === 0) fail(session, 0)
  }

  function fail(session: SigningSession, leastMs: number): void {
    if (session.closed || session.lists.size > 0) return
    end(session)
    const waiting = session.results.filter(isWaiting)
    // Without a list, nobody was asked: that says nothing about the results.
    const pause =
      session.made === 0 ? leastMs : afterFailure(waiting, options.shareTimeoutMs, LONGEST_PAUSE_MS)
    for (const result of waiting) result.notBefore = clock.now() + Math.max(pause, leastMs)
    wake(session.group)
  }

  function end(session: SigningSession): void {
    if (session.closed) return
    session.closed = true
    session.lists.clear()
    for (const result of session.results) result.busy = false
    const work = workOf(session.group)
    const kind: Kind = work.fresh === session ? "fresh" : "again"
    work[kind] = null
    out[kind] -= 1
    // Not within the end of another: its own group goes on first.
    if (queue.size > 0) queueMicrotask(serveQueue)
  }

  /** Wakes waiting groups, oldest first, until the free places are taken: one that has nothing due any more takes none. */
  function serveQueue(): void {
    for (const group of [...queue]) {
      if (stopped || (out.fresh >= FRESH_AT_ONCE && out.again >= AGAIN_AT_ONCE)) return
      queue.delete(group)
      // One that still has to wait joins the end of the queue.
      wake(group)
    }
  }

  function accept(session: SigningSession, share: SignatureShare): boolean {
    if (session.closed) return false
    const list = takeShare(session, share)
    if (list === null) return false
    if (share.party !== self) conduct.heard(share.party)
    if (list.shares.size === tells(list)) roundTrip.took(clock.now() - (sent.get(list) ?? clock.now()))
    const outcome = outcomeOf(list, session.batch, seat, publicKey, deps.curve)
    switch (outcome.status) {
      case "waiting":
        // Its fresh commitment may complete a list that is due.
        extend(session)
        break
      case "failed": {
        session.lists.delete(list)
        for (const party of outcome.culprits) {
          session.liars.add(party)
          conduct.caught(party)
        }
        const [first] = session.results
        for (const party of outcome.culprits) {
          const answer = list.shares.get(party)
          const proof = [list.request, ...(answer === undefined ? [] : [answer])]
          if (first !== undefined) engine.blame(requestSubject(first.requestId), party, proof)
        }
        session.owed += 1
        extend(session)
        if (!session.choosing) fail(session, 0)
        break
      }
      case "signed": {
        const { signature, signers: parties } = outcome
        end(session)
        afterSuccess(session.group.results.values())
        onSigned({ kind: "group", batch: session.batch, parties, signature })
        wake(session.group)
        break
      }
      default:
        assertNever(outcome)
    }
    return true
  }

  const sessionsOf = (work: Work): readonly SigningSession[] =>
    [work.fresh, work.again].flatMap((session) => session ?? [])

  return {
    wake,
    take(share) {
      for (const work of works.values())
        for (const session of sessionsOf(work)) if (accept(session, share)) return true
      return false
    },
    offered() {
      for (const work of works.values()) for (const session of sessionsOf(work)) extend(session)
    },
    settle(group) {
      for (const session of sessionsOf(workOf(group))) {
        const waiting = session.results.filter(isWaiting)
        const split = session.results.some(({ certified }) => certified !== null)
        if (waiting.length > 0 && !split) continue
        // The others signed some of them without the rest, which then comes by itself.
        end(session)
        if (waiting.length > 0) afterFailure(waiting, options.shareTimeoutMs, LONGEST_PAUSE_MS)
      }
      if (group.results.size > 0) return wake(group)
      workOf(group).cancel()
      works.delete(group)
      queue.delete(group)
    },
    get size() {
      return new Set([...works.keys(), ...queue]).size
    },
    pace: roundTrip.expected,
    stop() {
      stopped = true
      queue.clear()
      for (const work of works.values()) {
        work.cancel()
        for (const session of sessionsOf(work)) end(session)
      }
      works.clear()
    },
  }
}
