/** Signing of one result (protocol §6.3): what this node knows of it as signer, as aggregator, and as deliverer. */
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { SigningRequest } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { GroupSignature } from "@twinlock/sdk/threshold/frost"
import type { Clock, Scheduler } from "../../clock.ts"
import { rankOf } from "../ranking.ts"
import type { KeySeat } from "../seat.ts"
import type { SigningAttempt } from "./attempt.ts"

/** A group signature over the result alone. */
export type Certified = {
  readonly signers: bigint
  readonly parties: readonly PartyIndex[]
  readonly signature: GroupSignature
}

export type Job = {
  readonly requestId: RequestId
  readonly result: DecryptionResult
  /** Milliseconds; ranks are staggered from here. */
  readonly openedAt: number
  /** Requests served per aggregator since a time. */
  readonly served: Map<PartyIndex, { readonly since: number; readonly count: number }>
  /** Requests of aggregators whose time has not come: the newest of each. */
  readonly deferred: Map<PartyIndex, SigningRequest>
  /** Did not answer the last lists; may be back. */
  readonly silent: Set<PartyIndex>
  /** Sent a signature share that does not verify; never listed again for this result. */
  readonly caught: Set<PartyIndex>
  readonly timers: Set<() => void>
  /** Counts own lists; part of the request. */
  attempts: number
  /** Failed attempts in a row: they space out the next ones. */
  failures: number
  /** The next list is being chosen. */
  choosing: boolean
  current: SigningAttempt | null
  certified: Certified | null
  deliveries: number
  /** The gateway no longer waits: whatever is still under way ends without effect. */
  closed: boolean
}

export const newJob = (result: DecryptionResult, clock: Clock): Job => ({
  requestId: result.requestId,
  result,
  openedAt: clock.now(),
  served: new Map(),
  deferred: new Map(),
  silent: new Set(),
  caught: new Set(),
  timers: new Set(),
  attempts: 0,
  failures: 0,
  choosing: false,
  current: null,
  certified: null,
  deliveries: 0,
  closed: false,
})

/** Runs `task` later unless the job is closed by then. */
export function later(job: Job, scheduler: Scheduler, ms: number, task: () => void): void {
  if (job.closed) return
  const cancel = scheduler.after(ms, () => {
    job.timers.delete(cancel)
    task()
  })
  job.timers.add(cancel)
}

export function cancelTimers(job: Job): void {
  for (const cancel of job.timers) cancel()
  job.timers.clear()
  job.deferred.clear()
}

export function close(job: Job): void {
  job.closed = true
  cancelTimers(job)
}

/** Rank of a party as aggregator of the job's result, from 0. */
export const rankIn = (job: Job, { committee }: KeySeat, party: PartyIndex): number =>
  rankOf(committee, requestSubject(job.requestId), party)
