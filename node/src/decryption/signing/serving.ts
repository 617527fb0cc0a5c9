/**
 * Which lists of which aggregators this node answers (protocol §6.3), so that bad aggregators burn its nonces and its time
 * at a bounded pace: those ranked for the batch's block, when their turn has come, one list of one aggregator at a time,
 * and only so many per result in a period. What misses a result or a commitment waits for it a little.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { SigningRequest } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { batchOf, type CertifiedBatch } from "./batch.ts"
import { countServed, mayServe } from "./bounds.ts"
import type { Conduct } from "./conduct.ts"
import { mayShare, type OpenResult, rankIn } from "./openResult.ts"
import { answerSigningRequest } from "./signer.ts"
import type { SigningDeps } from "./signing.ts"
import { createWaitingRoom } from "./waitingRoom.ts"

export type Serving = {
  /** Takes a request that its aggregator signed. */
  serve(request: SigningRequest): void
  /** This node opened the result: what waited for it is looked at again. */
  opened(result: OpenResult): void
  /** The party published commitments: what waited for them is looked at again. */
  heard(party: PartyIndex): void
  stop(): void
}

export type ServingDeps = {
  readonly find: (request: RequestId) => OpenResult | undefined
  readonly conduct: Conduct
  /** Says again what is certified already, while it stands. @returns false where it does not */
  readonly repeat: (certified: CertifiedBatch) => Promise<boolean>
}

/** A list that waited for so many time-outs is not answered any more. */
const LASTING = 4
/** Lists of one aggregator that wait their turn or for an earlier one of its own; the oldest go first. */
const QUEUE = 8

export function createServing(deps: SigningDeps, { find, conduct, repeat }: ServingDeps): Serving {
  const { seat, book, engine, gossip, clock, scheduler, logger, options } = deps
  const waiting = createWaitingRoom<SigningRequest>(clock, LASTING * options.shareTimeoutMs)
  const queues = new Map<PartyIndex, (() => Promise<void>)[]>()
  const deferred = new Map<string, { request: SigningRequest; readonly cancel: () => void }>()
  let stopped = false

  /** Results of a request in its order; null where one is not open here, which the request then waits for. */
  function resultsOf(request: SigningRequest, since: number): readonly OpenResult[] | null {
    const results: OpenResult[] = []
    for (const subject of request.subjects) {
      const result = find(subject)
      if (result === undefined) {
        waiting.keep(subject, request, since)
        return null
      }
      results.push(result)
    }
    return results
  }

  function look(request: SigningRequest, since: number): void {
    const { party } = request
    if (stopped || conduct.isCaught(party)) return
    if (!request.signers.some((signer) => signer.party === seat.self)) return
    const results = resultsOf(request, since)
    const group = results?.[0]?.group
    if (results === null || group === undefined) return
    // One aggregator per block: a batch over several blocks is nobody's turn.
    if (results.some((result) => result.group !== group) || !mayShare(results)) return
    // Half a period of grace: clocks of nodes start when each opened the result.
    const opened = Math.max(...results.map((result) => result.openedAt))
    const turn = opened + (rankIn(group, party) - 0.5) * options.takeoverMs
    if (clock.now() < turn) return defer(`${party}/${group.blockHash}`, request, turn - clock.now())
    enqueue(party, () => answer(request, results, since))
  }

  /** The newest list of an aggregator for a block, when its turn comes. */
  function defer(name: string, request: SigningRequest, ms: number): void {
    deferred.get(name)?.cancel()
    const cancel = scheduler.after(ms, () => {
      deferred.delete(name)
      look(request, clock.now())
    })
    deferred.set(name, { request, cancel })
  }

  function enqueue(party: PartyIndex, task: () => Promise<void>): void {
    const queue = queues.get(party)
    if (queue !== undefined) {
      if (queue.length >= QUEUE) queue.shift()
      queue.push(task)
      return
    }
    queues.set(party, [])
    void work(party, task)
  }

  async function work(party: PartyIndex, first: () => Promise<void>): Promise<void> {
    let task: (() => Promise<void>) | undefined = first
    while (task !== undefined && !stopped) {
      await task().catch((err: unknown) => logger.warn({ err, party }, "signing request failed"))
      task = queues.get(party)?.shift()
    }
    queues.delete(party)
  }

  async function answer(
    request: SigningRequest,
    results: readonly OpenResult[],
    since: number,
  ): Promise<void> {
    const { party } = request
    // It was given up meanwhile: an answer would cost a nonce and serve nobody.
    if (clock.now() - since > LASTING * options.shareTimeoutMs) return
    if (!results.every((result) => mayServe(result, party, clock.now(), options))) return
    const [first] = results
    if (first === undefined) return
    const stranger = request.signers.find(
      (signer) =>
        signer.party !== seat.self && signer.party !== party && !book.has(signer.party, signer.commitment),
    )
    // It was published, but travels by itself: it may be a moment behind the list.
    if (stranger !== undefined) return waiting.keep(`commitments ${stranger.party}`, request, since)
    const batch = batchOf(results)
    if (batch.root !== request.root) {
      // Results of a request are the same at every honest node, and the aggregator signed another root over them.
      conduct.caught(party)
      engine.blame(requestSubject(first.requestId), party, [request])
      return
    }
    for (const result of results) countServed(result, party, clock.now(), options)
    // Whoever asks for what is signed already missed the announcement.
    const certified = new Set(results.map((result) => result.certified))
    let stand = true
    for (const known of certified) if (known !== null) stand = (await repeat(known)) && stand
    if (!certified.has(null) && stand) return
    try {
      await gossip.publish(await answerSigningRequest(request, batch, deps))
    } catch (error) {
      const code = isProtocolError(error) ? error.detail.code : "INTERNAL"
      logger.warn({ requestId: first.requestId, code, err: error }, "signing request refused")
      if (code === "COMMITMENT_USED") engine.renew(requestSubject(first.requestId))
    }
  }

  return {
    serve: (request) => look(request, clock.now()),
    opened({ requestId }) {
      for (const { message, since } of waiting.take(requestId)) look(message, since)
    },
    heard(party) {
      for (const { message, since } of waiting.take(`commitments ${party}`)) look(message, since)
    },
    stop() {
      stopped = true
      for (const { cancel } of deferred.values()) cancel()
      deferred.clear()
    },
  }
}
