/**
 * Brings certificates on chain: kept in the outbox first, then submitted, requesters in turn, until the gateway has the
 * result or refuses it for good. The contract is the judge; a bad certificate costs only a simulated call.
 */
import type { BatchBody, CertifiedBody, SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { Digest, RequestId } from "@twinlock/sdk/protocol/ids"
import { resultsOf, resultsOfBatch } from "./batches.ts"
import { isCheaper } from "./batchGas.ts"
import type { Gateway } from "./gateway.ts"
import { coordinatorError } from "./httpError.ts"
import type { Kept, Outbox } from "./outbox.ts"
import { isSettled, isWaiting, type RequestFacts } from "./storedRequest.ts"
import { createTurnQueue } from "./turnQueue.ts"

export type Submitter = {
  /**
   * Keeps the certified results and starts to submit them, where their requests still wait for one.
   * @returns the results that the contract would take; none where the requests are settled, so that nobody judged them
   * @throws NOT_SUBMITTABLE where the contract refuses now or knows none of the requests, RPC_UNAVAILABLE where it cannot
   * be asked, QUEUE_FULL
   */
  accept(submission: SubmissionBody): Promise<readonly CertifiedBody[]>
  /** Begins to try everything in the outbox once more that is not under way already. */
  flush(): Promise<void>
  /** Resolves once what is under way now has been tried. */
  drained(): Promise<void>
  /** Hash of the transaction that fulfilled a request here, if it was this coordinator's. */
  transactionOf(requestId: RequestId): Digest | null
}

export type SubmitterOptions = {
  readonly gateway: Gateway
  readonly outbox: Outbox
  /** Transactions under way at a time. */
  readonly atOnce: number
  /** Milliseconds. */
  readonly now: () => number
  readonly onResult: (
    result: "fulfilled" | "already" | "refused" | "retry",
    requestId: RequestId,
    error?: unknown,
  ) => void
}

const MAX_TRANSACTIONS = 10_000
/** Milliseconds for which a request may be unknown: endpoints fall behind, and reorganisations undo requests for good. */
const UNKNOWN_MS = 24 * 60 * 60 * 1000

/** A request whose result waits for its turn, or is under way. */
type Job = { readonly requester: string; readonly done: PromiseWithResolvers<void> }

const unknownRequest = () =>
  coordinatorError({ code: "NOT_SUBMITTABLE", message: "the chain does not know the request" })

export function createSubmitter({ gateway, outbox, atOnce, now, onResult }: SubmitterOptions): Submitter {
  const sent = new Map<RequestId, Digest>()
  const jobs = new Map<RequestId, Job>()
  const turns = createTurnQueue<RequestId>()
  const underWay = new Set<RequestId>()
  /** By request, the batch that it goes without: it left the request out, or is not worth its gas. */
  const alone = new Map<RequestId, string>()
  /** By request, the submission that the contract has refused once. */
  const refused = new Map<RequestId, string>()
  /** By request, since when no endpoint has known it. */
  const unknown = new Map<RequestId, number>()
  let working = 0

  async function factsOf(ids: readonly RequestId[]): Promise<ReadonlyMap<RequestId, RequestFacts>> {
    const requests = await gateway.requests(ids)
    return new Map(
      ids.flatMap((id, i) => {
        const facts = requests[i]
        return facts === undefined ? [] : [[id, facts] as const]
      }),
    )
  }

  /** Of what is in the outbox: drops what is settled, or unknown for too long. @returns those that wait */
  async function openOf(ids: readonly RequestId[]): Promise<ReadonlyMap<RequestId, RequestFacts>> {
    const open = new Map<RequestId, RequestFacts>()
    for (const [id, facts] of await factsOf(ids)) {
      if (facts.state !== "unknown") unknown.delete(id)
      if (isWaiting(facts.state)) open.set(id, facts)
      else if (isSettled(facts.state)) await settle(id, "already")
      else await passOver(id)
    }
    return open
  }

  async function passOver(requestId: RequestId): Promise<void> {
    const since = unknown.get(requestId) ?? now()
    unknown.set(requestId, since)
    if (now() - since < UNKNOWN_MS) return
    await forget(requestId)
    onResult("refused", requestId, unknownRequest())
  }

  function note(requestId: RequestId, transaction: Digest): void {
    sent.set(requestId, transaction)
    const [oldest] = sent.keys()
    if (sent.size > MAX_TRANSACTIONS && oldest !== undefined) sent.delete(oldest)
  }

  async function forget(requestId: RequestId): Promise<void> {
    await outbox.remove(requestId)
    for (const known of [alone, refused, unknown]) known.delete(requestId)
  }

  async function settle(requestId: RequestId, result: "fulfilled" | "already"): Promise<void> {
    await forget(requestId)
    onResult(result, requestId)
  }

  /** Sends a whole batch, for these of its requests. @returns those that it has fulfilled */
  async function submitBatch(batch: BatchBody, ids: readonly RequestId[]): Promise<readonly RequestId[]> {
    try {
      // Sent with gas of its own choice, so that nothing would stop it from failing at a cost.
      await gateway.simulate(batch)
      const { transaction, fulfilled } = await gateway.fulfilMany(batch)
      const served = ids.filter((id) => fulfilled.includes(id))
      for (const requestId of served) {
        note(requestId, transaction)
        await settle(requestId, "fulfilled")
      }
      return served
    } catch (error) {
      // Alone each of them gets its own verdict.
      if (gateway.isRefusal(error)) return []
      throw error
    }
  }

  async function submitAlone(requestId: RequestId, { submission, name }: Kept): Promise<void> {
    const item =
      submission.kind === "batch"
        ? resultsOfBatch(submission).find(({ result }) => result.requestId === requestId)
        : submission
    if (item === undefined) return outbox.remove(requestId, name)
    try {
      const { transaction } = await gateway.fulfil(item)
      note(requestId, transaction)
      await settle(requestId, "fulfilled")
    } catch (error) {
      if (!gateway.isRefusal(error)) throw error
      // An endpoint that is behind refuses too: judged once more, later.
      if (refused.get(requestId) !== name) {
        refused.set(requestId, name)
        throw error
      }
      refused.delete(requestId)
      alone.delete(requestId)
      await outbox.remove(requestId, name)
      onResult("refused", requestId, error)
    }
  }

  /** @returns those that are to go alone now */
  async function submit(requestId: RequestId, others: readonly RequestId[]): Promise<readonly RequestId[]> {
    const ids = [requestId, ...others]
    const open = await openOf(ids)
    const kept = open.has(requestId) ? await outbox.get(requestId) : null
    if (kept === null || kept.submission.kind !== "batch" || alone.get(requestId) === kept.name) {
      if (kept !== null) await submitAlone(requestId, kept)
      return others.filter((id) => open.has(id))
    }
    const { submission, name } = kept
    const waiting = [...open].filter(([, { state }]) => state === "pending").map(([id]) => id)
    const served = isCheaper(waiting.length, submission.results.length)
      ? await submitBatch(submission, waiting)
      : []
    const left = [...open.keys()].filter((id) => !served.includes(id))
    for (const id of left) alone.set(id, name)
    return left
  }

  /** Never rejects, so that one certificate that fails does not stop those behind it. */
  async function work(requestId: RequestId, others: readonly RequestId[]): Promise<void> {
    const again = await submit(requestId, others).catch((error: unknown): readonly RequestId[] => {
      onResult("retry", requestId, error)
      return []
    })
    working -= 1
    for (const id of [requestId, ...others]) {
      underWay.delete(id)
      const job = jobs.get(id)
      if (job === undefined) continue
      if (again.includes(id)) turns.push(job.requester, id)
      else {
        jobs.delete(id)
        job.done.resolve()
      }
    }
    pump()
  }

  function pump(): void {
    while (working < atOnce) {
      const next = turns.shift()
      if (next === undefined) return
      if (!jobs.has(next) || underWay.has(next)) continue
      const { name, waiting } = outbox.together(next)
      const goesAlone = (id: RequestId) => alone.get(id) === name
      const others = goesAlone(next)
        ? []
        : waiting.filter((id) => id !== next && !underWay.has(id) && !goesAlone(id))
      for (const id of [next, ...others]) underWay.add(id)
      working += 1
      void work(next, others)
    }
  }

  function enqueue(requestId: RequestId, requester: string): void {
    if (jobs.has(requestId)) return
    jobs.set(requestId, { requester, done: Promise.withResolvers() })
    turns.push(requester, requestId)
  }

  return {
    async accept(submission) {
      // What costs least comes first: everybody may post here.
      const results = resultsOf(submission)
      if (!results.every(gateway.serves))
        throw coordinatorError({ code: "NOT_SUBMITTABLE", message: "a result of another chain or gateway" })
      const requests = await factsOf(results.map(({ requestId }) => requestId))
      // ⚔ What a batch brings for a request that demands more must not stand where its evidence belongs.
      const open = new Map(
        [...requests].filter(([, { state }]) =>
          submission.kind === "batch" ? state === "pending" : isWaiting(state),
        ),
      )
      if (open.size === 0) {
        if ([...requests.values()].some(({ state }) => state === "unknown")) throw unknownRequest()
        return []
      }
      // Nothing is kept that the contract did not judge: disks do not fill for free.
      await gateway.simulate(submission).catch((cause: unknown) => {
        if (gateway.isRefusal(cause))
          throw coordinatorError({ code: "NOT_SUBMITTABLE", message: gateway.describe(cause) }, { cause })
        throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "the chain does not answer" }, { cause })
      })
      const items = submission.kind === "batch" ? resultsOfBatch(submission) : [submission]
      await outbox.put(submission, open.keys())
      for (const [id, { requester }] of open) enqueue(id, requester)
      pump()
      return items.filter(({ result }) => open.has(result.requestId))
    },
    async flush() {
      const idle = outbox.list().filter((id) => !jobs.has(id) && !underWay.has(id))
      for (const [id, { requester }] of await openOf(idle)) enqueue(id, requester)
      pump()
    },
    async drained() {
      await Promise.all([...jobs.values()].map(({ done }) => done.promise))
    },
    transactionOf: (requestId) => sent.get(requestId) ?? null,
  }
}
