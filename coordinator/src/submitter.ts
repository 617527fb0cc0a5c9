/**
 * Brings certificates on chain: accepted into the outbox first, then sent one after the other, repeated until the gateway
 * has the result or refuses it for good. The contract is the judge; a bad certificate costs only a simulated call.
 */
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import type { Digest, RequestId } from "@twinlock/sdk/protocol/ids"
import type { Gateway } from "./gateway.ts"
import { coordinatorError } from "./httpError.ts"
import type { Outbox } from "./outbox.ts"

export type Submitter = {
  /**
   * Keeps the certificate and starts to submit it, where the request still waits for one.
   * @returns true where the contract would take it, false where the request is settled, so that nobody judged it
   * @throws NOT_SUBMITTABLE where the contract refuses it now, RPC_UNAVAILABLE where it cannot be asked
   */
  accept(item: CertificatesRequest): Promise<boolean>
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

export function createSubmitter({ gateway, outbox, onResult }: SubmitterOptions): Submitter {
  const sent = new Map<RequestId, Digest>()
  const queued = new Set<RequestId>()
  // One transaction at a time: the account's nonces stay in order.
  let queue: Promise<void> = Promise.resolve()

  function note(requestId: RequestId, transaction: Digest): void {
    sent.set(requestId, transaction)
    const [oldest] = sent.keys()
    if (sent.size > MAX_TRANSACTIONS && oldest !== undefined) sent.delete(oldest)
  }

  async function submit(requestId: RequestId): Promise<void> {
    const item = await outbox.get(requestId)
    if (item === null) return
    if ((await gateway.status(requestId)) !== "pending") {
      await outbox.remove(requestId)
      return onResult("already", requestId)
    }
    try {
      note(requestId, await gateway.fulfil(item))
    } catch (error) {
      if (!gateway.isRefusal(error)) throw error
      await outbox.remove(requestId)
      return onResult("refused", requestId, error)
    }
    await outbox.remove(requestId)
    onResult("fulfilled", requestId)
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
    async accept(item) {
      const { requestId } = item.result
      if ((await gateway.status(requestId)) !== "pending") return false
      // Nothing is kept that the contract did not judge: disks do not fill for free.
      await gateway.simulate(item).catch((cause: unknown) => {
        if (gateway.isRefusal(cause))
          throw coordinatorError({ code: "NOT_SUBMITTABLE", message: gateway.describe(cause) }, { cause })
        throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "the chain does not answer" }, { cause })
      })
      await outbox.put(item)
      void enqueue(requestId)
      return true
    },
    async flush() {
      const waiting = await outbox.list()
      await Promise.all(waiting.map(enqueue))
    },
    transactionOf: (requestId) => sent.get(requestId) ?? null,
  }
}
