/**
 * How requests end (protocol §6): what the chain has settled is forgotten, what finds no quorum makes room for what waits, and
 * what was opened is set aside where too much of it waits for the chain. Runs beside the path from request to approval.
 */
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { BlockRef, ChainView } from "../chain/chainView.ts"
import type { Clock } from "../clock.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { Engine } from "./engine.ts"
import { isDue, type Pending, postpone, waitAgain } from "./requestQueue.ts"
import type { Signing } from "./signing/signing.ts"

export type RetirementOptions = {
  /** Opened requests that are kept until the chain has settled them; twice as many while certificates are young. */
  readonly openedKept: number
  /** Milliseconds for which a certificate is on its way: ranks deliver one after the other, and again. */
  readonly deliveryMs: number
  /** Milliseconds after which a request that was set aside is taken up anew, unless the chain has settled it. */
  readonly restMs: number
}

export type RetirementDeps = {
  /** In chain order. */
  readonly pending: Map<RequestId, Pending>
  readonly view: Pick<ChainView, "requestStatuses">
  readonly engine: Pick<Engine, "status" | "park" | "forget">
  readonly signing: Pick<Signing, "certifiedAt" | "forget">
  /** Looks again whether what was approved still holds. */
  readonly reconsider: (entries: readonly Pending[], at: BlockRef) => Promise<void>
  readonly clock: Clock
  readonly metrics: Metrics | null
  readonly options: RetirementOptions
}

/** Requests whose status is read in one run, those first that were not looked at for longest. */
const PER_RUN = 1024
/** Milliseconds without a quorum after which a subject makes room, where others wait. */
const PATIENCE_MS = 5000
/** Requests whose shares left, and whose subjects stay as they are until others' shares come. */
const LINGERING = 1024

/** @returns one run at an agreed block. @throws ChainErrorCode */
export function createRetirement(deps: RetirementDeps): (at: BlockRef) => Promise<void> {
  const { pending, view, engine, signing, reconsider, clock, metrics, options } = deps
  const parked = metrics?.counter({
    name: "subjects_parked_total",
    help: "Subjects without a quorum that made room for others",
  })
  const rested = metrics?.counter({
    name: "requests_set_aside_total",
    help: "Opened requests that were set aside because too many waited for the chain",
  })

  function park(entry: Pending): void {
    engine.park(requestSubject(entry.requestId))
    parked?.add()
    entry.state = "waiting"
    postpone(entry, clock.now())
  }

  /** What is at work for too long gives its place to requests that wait for one. */
  function makeRoom(at: BlockRef): void {
    const now = clock.now()
    const all = [...pending.values()]
    const slow = all.filter(({ state, since }) => state === "approving" && now - since >= PATIENCE_MS)
    let waiting = slow.length === 0 ? 0 : all.filter((entry) => isDue(entry, at, now)).length
    for (const entry of slow) {
      const status = engine.status(requestSubject(entry.requestId))
      if (status === "released") entry.state = "lingering"
      else if (status === "spoilt") entry.state = "refused"
      else if (waiting > 0) park(entry)
      else continue
      waiting -= 1
    }
    const lingering = all.filter(({ state }) => state === "lingering")
    for (const entry of lingering.slice(0, Math.max(0, lingering.length - LINGERING))) park(entry)
  }

  function forget({ requestId }: Pending): void {
    engine.forget(requestSubject(requestId))
    signing.forget(requestId)
  }

  /**
   * Those whose certificates are oldest rest, none before it was delivered; beyond twice the number others, too. What rested
   * long enough starts anew.
   */
  function setAside(): void {
    const now = clock.now()
    const all = [...pending.values()]
    for (const entry of all)
      if (entry.state === "resting" && now - entry.since >= options.restMs) waitAgain(entry)
    const opened = all.filter(({ state }) => state === "opened")
    const excess = opened.length - options.openedKept
    if (excess <= 0) return
    const since = new Map(opened.map((entry) => [entry, signing.certifiedAt(entry.requestId) ?? now]))
    const oldest = opened.sort((a, b) => (since.get(a) ?? now) - (since.get(b) ?? now))
    const delivered = oldest.filter((entry) => now - (since.get(entry) ?? now) >= options.deliveryMs)
    const count = Math.max(Math.min(excess, delivered.length), opened.length - 2 * options.openedKept)
    for (const entry of oldest.slice(0, count)) {
      forget(entry)
      entry.state = "resting"
      entry.since = now
      rested?.add()
    }
  }

  /**
   * Each is looked at once per block, in as many runs as it takes: where blocks become final in long steps, many are settled
   * by one of them. A status is all that is read, but for what this node approved without a quorum so far.
   */
  async function retire(at: BlockRef): Promise<void> {
    const followed = [...pending.values()]
      .filter(({ state, checkedAt }) => state !== "new" && state !== "waiting" && checkedAt < at.number)
      .sort((a, b) => Number(a.checkedAt - b.checkedAt))
      .slice(0, PER_RUN)
    if (followed.length === 0) return
    const statuses = await view.requestStatuses(
      followed.map(({ requestId }) => requestId),
      at,
    )
    const open: Pending[] = []
    for (const entry of followed) {
      entry.checkedAt = at.number
      const found = statuses.get(entry.requestId)
      // What could not be had now is looked for at the next block.
      if (found === undefined || pending.get(entry.requestId) !== entry) continue
      if (found?.status === "open" && at.timestamp <= found.deadline) open.push(entry)
      else {
        pending.delete(entry.requestId)
        forget(entry)
      }
    }
    // What a newer block allows says nothing wrong about this one, and this one nothing about what it allows.
    const approving = ({ state, requestId, lookedAt }: Pending) =>
      state === "approving" &&
      lookedAt <= at.number &&
      engine.status(requestSubject(requestId)) === "approving"
    await reconsider(open.filter(approving), at)
  }

  return async (at) => {
    makeRoom(at)
    setAside()
    await retire(at)
  }
}
