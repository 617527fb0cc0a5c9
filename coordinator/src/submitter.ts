/**
 * Brings certificates on chain: accepted into the outbox first, then sent one transaction after the other, repeated until
 * the gateway has the result or refuses it for good. Results that share a signature go together where all of their batch is
 * known. The contract is the judge; a bad certificate costs only a simulated call.
 */
import type {
  BatchBody,
  CertificatesRequest,
  CertifiedBody,
  SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import type { Digest, RequestId } from "@twinlock/sdk/protocol/ids"
import { createKnownBatches, resultsOfBatch } from "./batches.ts"
import { type Gateway, isWaiting, type RequestState } from "./gateway.ts"
import { coordinatorError } from "./httpError.ts"
import type { Outbox } from "./outbox.ts"
import { MAX_BATCH } from "./schemas.ts"

export type Submitter = {
  /**
   * Keeps the certified results and starts to submit them, where their requests still wait for one.
   * @returns the results that the contract would take; none where the requests are settled, so that nobody judged them
   * @throws NOT_SUBMITTABLE where the contract refuses now, RPC_UNAVAILABLE where it cannot be asked, QUEUE_FULL
   */
  accept(submission: SubmissionBody): Promise<readonly CertifiedBody[]>
  /** Tries everything in the outbox once more, unless that is under way already. */
  flush(): Promise<void>
  /** Hash of the transaction that fulfilled a request here, if it was this coordinator's. */
  transactionOf(requestId: RequestId): Digest | null
}

export type SubmitterOptions = {
  readonly gateway: Gateway
  readonly outbox: Outbox
  readonly onResult: (
    result: "fulfilled" | "already" | "refused" | "retry",
    requestId: RequestId,
    error?: unknown,
  ) => void
}

const MAX_TRANSACTIONS = 10_000
const KNOWN_BATCHES = 256

export function createSubmitter({ gateway, outbox, onResult }: SubmitterOptions): Submitter {
  const sent = new Map<RequestId, Digest>()
  const queued = new Set<RequestId>()
  const known = createKnownBatches(KNOWN_BATCHES, MAX_BATCH)
  // One transaction at a time: the account's nonces stay in order.
  let queue: Promise<void> = Promise.resolve()

  function note(requestId: RequestId, transaction: Digest): void {
    sent.set(requestId, transaction)
    const [oldest] = sent.keys()
    if (sent.size > MAX_TRANSACTIONS && oldest !== undefined) sent.delete(oldest)
  }

  const statesOf = async (ids: readonly RequestId[]): Promise<readonly RequestState[]> =>
    (await gateway.requests(ids)).map(({ state }) => state)
  const isOpen = async (requestId: RequestId): Promise<boolean> =>
    (await statesOf([requestId])).every(isWaiting)

  async function settle(requestId: RequestId, result: "fulfilled" | "already"): Promise<void> {
    await outbox.remove(requestId)
    onResult(result, requestId)
  }

  /** Those of a batch that wait here, and on chain for no more than it brings. */
  async function waitingOf(batch: BatchBody): Promise<readonly RequestId[]> {
    const kept = new Set(await outbox.list())
    const ids = [...new Set(batch.results.map(({ requestId }) => requestId))].filter((id) => kept.has(id))
    const states = await statesOf(ids)
    return ids.filter((_, i) => states[i] === "pending")
  }

  /** Sends the whole batch of an item where that serves more than one request. */
  async function submitBatch(item: CertificatesRequest): Promise<void> {
    const batch = known.batchOf(item)
    if (batch === null) return
    const waiting = await waitingOf(batch)
    if (waiting.length < 2) return
    let transaction: Digest
    try {
      // Sent with gas of its own choice, so that nothing would stop it from failing at a cost.
      await gateway.simulate(batch)
      transaction = await gateway.fulfilMany(batch)
    } catch (error) {
      // Alone each of them gets its own verdict.
      if (gateway.isRefusal(error)) return
      throw error
    }
    for (const requestId of waiting) {
      // What the batch skipped stays, and goes alone.
      if (await isOpen(requestId)) continue
      note(requestId, transaction)
      await settle(requestId, "fulfilled")
    }
  }

  async function submit(requestId: RequestId): Promise<void> {
    const item = await outbox.get(requestId)
    if (item === null) return
    if (!(await isOpen(requestId))) return settle(requestId, "already")
    if (item.kind === "group") {
      await submitBatch(item)
      if ((await outbox.get(requestId)) === null) return
    }
    try {
      note(requestId, await gateway.fulfil(item))
    } catch (error) {
      if (!gateway.isRefusal(error)) throw error
      await outbox.remove(requestId)
      return onResult("refused", requestId, error)
    }
    await settle(requestId, "fulfilled")
  }

  /** Never rejects, so that one certificate that fails does not stop those behind it. */
  const enqueue = (requestId: RequestId): Promise<void> => {
    if (!queued.has(requestId)) {
      queued.add(requestId)
      queue = queue.then(() =>
        submit(requestId)
          .catch((error: unknown) => onResult("retry", requestId, error))
          .finally(() => queued.delete(requestId)),
      )
    }
    return queue
  }

  return {
    async accept(submission) {
      // What costs least comes first: everybody may post here.
      const results = submission.kind === "batch" ? submission.results : [submission.result]
      if (!results.every(gateway.serves))
        throw coordinatorError({ code: "NOT_SUBMITTABLE", message: "a result of another chain or gateway" })
      const ids = results.map(({ requestId }) => requestId)
      const states = await statesOf(ids)
      // ⚔ What a batch brings for a request that demands more must not stand where its evidence belongs.
      const serves = (state: RequestState) =>
        submission.kind === "batch" ? state === "pending" : isWaiting(state)
      const open = new Set(ids.filter((_, i) => serves(states[i] ?? "unknown")))
      if (open.size === 0) return []
      // Nothing is kept that the contract did not judge: disks do not fill for free.
      await gateway.simulate(submission).catch((cause: unknown) => {
        if (gateway.isRefusal(cause))
          throw coordinatorError({ code: "NOT_SUBMITTABLE", message: gateway.describe(cause) }, { cause })
        throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "the chain does not answer" }, { cause })
      })
      const items = submission.kind === "batch" ? resultsOfBatch(submission) : [submission]
      const waiting = items.filter(({ result }) => open.has(result.requestId))
      await outbox.put(waiting)
      for (const item of items) if (item.kind === "group") known.add(item)
      for (const { result } of waiting) void enqueue(result.requestId)
      return waiting
    },
    async flush() {
      const waiting = await outbox.list()
      await Promise.all(waiting.map(enqueue))
    },
    transactionOf: (requestId) => sent.get(requestId) ?? null,
  }
}
