/**
 * Requests with every block while things go wrong. Each result is compared with the plaintext that is known, each
 * certificate is judged by the verifier contract, and a request may wait only while the network cannot answer it.
 */
import { contractAt } from "@twinlock/devnet/network/contracts"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { Cluster } from "../support/cluster/cluster.ts"
import type { Delivered } from "../support/cluster/coordinatorStub.ts"
import type { Asked, Openable } from "../support/cluster/load.ts"
import { verification } from "../support/cluster/submission.ts"

const BLOCK_MS = 500
/** Handles that are made at once. */
const STOCK = 80
/** Results in one transaction to the gateway. */
const RESULTS_AT_ONCE = 64

export type TrafficOptions = {
  /** Requests per second. */
  readonly rate: number
  /** `performance.now()` at the run's time 0. */
  readonly startedAt: number
  readonly live: (from: number, to: number) => number
  /** Milliseconds of live time within which a request has its certificate. */
  readonly boundMs: number
}

/** Times in milliseconds since the start of the run. */
export type Answered = { readonly requestId: string; readonly askedAt: number; readonly certifiedAt: number }

export type Traffic = {
  /** One block after the other, with requests, until that time of the run. @throws Error where a promise is broken */
  run(untilMs: number): Promise<void>
  /** Blocks without new requests until everything is answered, judged, and fulfilled. @throws as run */
  drain(): Promise<void>
  readonly answered: readonly Answered[]
  asked(): number
  /** Certificates that the contract accepted. */
  judged(): number
}

type Waiting = Asked & { readonly askedAt: number }

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))

export function createTraffic(cluster: Cluster, options: TrafficOptions): Traffic {
  const { control, load, coordinator, base, contracts } = cluster
  const { rate, startedAt, live, boundMs } = options
  const verifier = contractAt("DecryptionVerifier", contracts.decryptionVerifier, base.accounts.organiser)
  const waiting = new Map<string, Waiting>()
  const answered: Answered[] = []
  const seen = new Set<SubmissionBody>()
  let stock: readonly Openable[] = []
  let owed = 0
  let askedCount = 0
  let judged = 0
  const now = () => performance.now() - startedAt

  async function judge(submission: SubmissionBody): Promise<void> {
    if (submission.kind === "policy") throw new Error("a certificate under a policy that nobody asked for")
    const { method, args } = verification(submission)
    await verifier.getFunction(method).staticCall(...args)
    judged += 1
  }

  function compare({ requestId, handle, value }: Asked, { result }: Delivered): void {
    if (result.handles.join() !== handle || BigInt(result.plaintexts) !== value)
      throw new Error(
        `wrong result: ${requestId} was opened to ${result.plaintexts}, want ${value} of ${handle}`,
      )
  }

  /** What was certified since: compared, judged, and on its way to the gateway. */
  async function collect(): Promise<void> {
    const fresh: Delivered[] = []
    for (const request of [...waiting.values()]) {
      const delivered = coordinator.delivered.get(request.requestId)
      if (delivered === undefined) {
        const waited = live(request.askedAt, now())
        if (waited > boundMs)
          throw new Error(
            `lost result: ${request.requestId}, asked at ${Math.round(request.askedAt)} ms, has no certificate after ${Math.round(waited)} ms in which there should be one`,
          )
        continue
      }
      waiting.delete(request.requestId)
      compare(request, delivered)
      answered.push({
        ...{ requestId: request.requestId, askedAt: request.askedAt },
        certifiedAt: delivered.at - startedAt,
      })
      fresh.push(delivered)
    }
    const submissions = fresh.filter(({ submission }) => !seen.has(submission) && seen.add(submission))
    for (const { submission } of submissions) await judge(submission)
    for (const group of groupsOf(submissions)) await load.fulfil(group)
    const ended = base.processes.casualties()
    if (ended.length > 0) throw new Error(`ended unasked: ${ended.join("; ")}`)
    const contradicted = coordinator.contradicted()
    if (contradicted.length > 0) throw new Error(`two results of one request: ${contradicted.join()}`)
  }

  async function block(requests: number): Promise<void> {
    if (stock.length < requests) stock = [...stock, ...(await load.prepare(Math.max(STOCK, requests)))]
    const part = stock.slice(0, requests)
    stock = stock.slice(requests)
    if (part.length > 0) await load.send(part)
    await control.mine()
    if (part.length === 0) return
    const asked = await load.asked((await control.latest()).number)
    if (asked.length !== part.length)
      throw new Error(`${asked.length} requests of ${part.length} are on chain`)
    const askedAt = now()
    askedCount += asked.length
    for (const request of asked) waiting.set(request.requestId, { ...request, askedAt })
  }

  return {
    async run(untilMs) {
      for (let next = now(); next < untilMs; ) {
        owed += (rate * BLOCK_MS) / 1000
        const requests = Math.floor(owed)
        owed -= requests
        await block(requests)
        await collect()
        next = Math.max(next + BLOCK_MS, now())
        await pause(next - now())
      }
    },
    async drain() {
      while (waiting.size > 0) {
        await block(0)
        await collect()
        await pause(BLOCK_MS)
      }
      await block(0)
      const fulfilled = await load.fulfilled()
      if (fulfilled !== askedCount)
        throw new Error(`lost result: the gateway has ${fulfilled} results of ${askedCount}`)
      if (coordinator.delivered.size !== askedCount)
        throw new Error(`${coordinator.delivered.size} results of ${askedCount} requests`)
    },
    answered,
    asked: () => askedCount,
    judged: () => judged,
  }
}

/** Few enough results for one transaction. */
function groupsOf(list: readonly Delivered[]): readonly (readonly Delivered[])[] {
  const groups: Delivered[][] = []
  let room = 0
  for (const delivered of list) {
    const { submission } = delivered
    const size = submission.kind === "batch" ? submission.results.length : 1
    if (size > room) {
      groups.push([])
      room = RESULTS_AT_ONCE
    }
    room -= size
    groups.at(-1)?.push(delivered)
  }
  return groups
}
