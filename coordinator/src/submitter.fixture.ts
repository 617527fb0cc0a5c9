/** A submitter with a real outbox, before a gateway whose rules a test makes. */
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import { parseAddress, parseDigest, type RequestId } from "@twinlock/sdk/protocol/ids"
import type { Gateway, Receipt } from "./gateway.ts"
import { address, temporary } from "./http.fixture.ts"
import { createOutbox } from "./outbox.ts"
import type { RequestState } from "./storedRequest.ts"
import { idOf } from "./submission.fixture.ts"
import { createSubmitter } from "./submitter.ts"

type Rules = {
  /** States before anything is sent; pending otherwise. */
  readonly states?: Readonly<Record<RequestId, RequestState>>
  /** What the gateway refuses, in a simulation and in a transaction. */
  readonly refuses?: (submission: SubmissionBody) => boolean
  /** Requests that a batch skips. */
  readonly skips?: readonly RequestId[]
  /** Ends the transactions of single results. */
  readonly inclusion?: () => Promise<void> | undefined
  /** Two digits; everybody's are one's otherwise. */
  readonly requesterOf?: (requestId: RequestId) => string
  readonly atOnce?: number
}

export async function scene(rules: Rules = {}, most = 100) {
  const { states = {}, refuses = () => false, skips = [], inclusion, requesterOf, atOnce = 4 } = rules
  const now = new Map<RequestId, RequestState>(Object.entries(states) as [RequestId, RequestState][])
  const sent: { readonly kind: string; readonly ids: readonly RequestId[] }[] = []
  const refusal = new Error("refused")
  let counter = 0
  const settle = (ids: readonly RequestId[]): Receipt => {
    for (const id of ids) now.set(id, "fulfilled")
    counter += 1
    return { transaction: parseDigest(idOf(1000 + counter)), fulfilled: ids }
  }
  const judge = (submission: SubmissionBody) => {
    if (refuses(submission)) throw refusal
  }
  const gateway: Gateway = {
    serves: () => true,
    requests: async (ids) =>
      ids.map((id) => ({
        state: now.get(id) ?? "pending",
        requester: parseAddress(address(requesterOf?.(id) ?? "01")),
        callbackGas: 0n,
      })),
    simulate: async (submission) => judge(submission),
    fulfil: async (item) => {
      judge(item)
      sent.push({ kind: item.kind, ids: [item.result.requestId] })
      await inclusion?.()
      return settle([item.result.requestId])
    },
    fulfilMany: async (batch) => {
      judge(batch)
      const waiting = batch.results
        .map(({ requestId }) => requestId)
        .filter((id) => (now.get(id) ?? "pending") === "pending" && !skips.includes(id))
      sent.push({ kind: "batch", ids: waiting })
      return settle(waiting)
    },
    isRefusal: (error) => error === refusal,
    describe: () => "Refused()",
    isLive: async () => true,
    key: async () => null,
  }
  const directory = await temporary()
  const results: string[] = []
  const clock = { now: 0 }
  const start = async () =>
    createSubmitter({
      gateway,
      outbox: await createOutbox(directory, most, () => {}),
      atOnce,
      now: () => clock.now,
      onResult: (result, requestId) => void results.push(`${result} ${BigInt(requestId)}`),
    })
  return { submitter: await start(), start, sent, results, directory, now, settle, clock }
}
