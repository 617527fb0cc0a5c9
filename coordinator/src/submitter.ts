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
  /** Keeps the certificate and starts to submit it. @throws NOT_SUBMITTABLE where the contract refuses it now. */
  accept(item: CertificatesRequest): Promise<void>
  /** Tries everything in the outbox once more. */
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

export function createSubmitter({ gateway, outbox, onResult }: SubmitterOptions): Submitter {
  const sent = new Map<RequestId, Digest>()
  // One transaction at a time: the account's nonces stay in order.
  let queue: Promise<void> = Promise.resolve()

  async function submit(requestId: RequestId): Promise<void> {
    const item = await outbox.get(requestId)
    if (item === null) return
    try {
      if ((await gateway.status(requestId)) !== "pending") {
        await outbox.remove(requestId)
        return onResult("already", requestId)
      }
      sent.set(requestId, await gateway.fulfil(item))
      await outbox.remove(requestId)
      onResult("fulfilled", requestId)
    } catch (error) {
      if (!gateway.isRefusal(error)) return onResult("retry", requestId, error)
      await outbox.remove(requestId)
      onResult("refused", requestId, error)
    }
  }

  const enqueue = (requestId: RequestId): Promise<void> => {
    queue = queue.then(() => submit(requestId))
    return queue
  }

  return {
    async accept(item) {
      const { requestId } = item.result
      if ((await gateway.status(requestId)) !== "pending") return
      try {
        await gateway.simulate(item)
      } catch (cause) {
        if (gateway.isRefusal(cause))
          throw coordinatorError({ code: "NOT_SUBMITTABLE", message: gateway.describe(cause) }, { cause })
      }
      await outbox.put(item)
      void enqueue(requestId)
    },
    async flush() {
      for (const requestId of await outbox.list()) await enqueue(requestId)
    },
    transactionOf: (requestId) => sent.get(requestId) ?? null,
  }
}
