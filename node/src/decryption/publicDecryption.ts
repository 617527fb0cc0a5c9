/**
 * Public decryption (protocol §6): follows the gateway's requests at agreed blocks, judges what is due of one block from one
 * read, approves, releases, hands opened results to signing. A request that cannot be judged yet is judged again; nothing is
 * dropped as stale while the chain says that it is open, and no request waits for another one's blob, chain call or fault.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import type { BlockRef, ChainView, RequestFacts } from "../chain/chainView.ts"
import type { Clock, Scheduler } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type Authorised, authorisePublic } from "./authorisePublic.ts"
import { createBatchQueue } from "./batchQueue.ts"
import type { Engine } from "./engine.ts"
import { isAlarm, remedyOf } from "./errors.ts"
import { createGathering } from "./gathering.ts"
import { checkWords, type ReleaseDeps } from "./release.ts"
import type { RequestCursor } from "./requestCursor.ts"
import { newPending, nextRequests, type Pending, postpone } from "./requestQueue.ts"
import { createRetirement, type RetirementOptions } from "./retirement.ts"
import type { KeySeat } from "./seat.ts"
import { createShareComputations } from "./shareComputations.ts"
import type { Signing } from "./signing/signing.ts"
import type { Standing } from "./standing.ts"
import type { Opened, SubjectOwner } from "./turn.ts"

export type PublicDecryption = {
  /** Looks at the newest agreed block and starts what is due. @throws ChainErrorCode, StorageErrorCode */
  poll(): Promise<void>
  /** Ends what the chain has settled, and what takes too long: not on the path to an approval. @throws as poll */
  retire(): Promise<void>
  /** Requests that are followed. */
  readonly size: number
  stop(): void
}

export type PublicDecryptionDeps = {
  readonly seat: KeySeat
  readonly view: ChainView
  readonly engine: Engine
  readonly signing: Signing
  readonly release: ReleaseDeps
  readonly standing: Standing
  /** Asks for canonical words that may be wanted soon; what does not fit is dropped. */
  readonly prefetch: (facts: RequestFacts) => void
  readonly gateway: Address
  readonly cursor: RequestCursor
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
  readonly options: RetirementOptions
}

type Judged = { readonly entry: Pending; readonly authorised: Authorised }

/** Requests of one read. */
const PER_READ = 128
/** Requests that are looked at for the first time in one poll. */
const NEW_PER_POLL = 512
/** Requests that are approved together although others are close behind, and milliseconds for which they wait for those. */
const GATHERED = 32
const GATHER_MS = 50

export function createPublicDecryption(deps: PublicDecryptionDeps): PublicDecryption {
  const {
    seat,
    view,
    engine,
    signing,
    release,
    standing,
    prefetch,
    gateway,
    cursor,
    clock,
    scheduler,
    logger,
    metrics,
    options,
  } = deps
  /** In chain order. */
  const pending = new Map<RequestId, Pending>()
  let next: bigint | null = null
  /** Whose requests are known. */
  let newest: BlockRef | null = null
  const refusals = metrics?.counter({
    name: "refusals_total",
    help: "decryptions refused by reason",
    labels: ["code"],
  })
  const isWorkedAt = ({ entry }: Judged) =>
    entry.state === "working" && pending.get(entry.requestId) === entry
  const entryOf = ({ subject }: Authorised) => pending.get(parseRequestId(subject))

  const resultOf = (requestId: RequestId, { authorised, plaintexts }: Opened): DecryptionResult => ({
    chainId: seat.key.domain.chainId,
    gateway,
    requestId,
    handles: authorised.ciphertexts.map(({ handle }) => handle),
    sessions: authorised.ciphertexts.map(({ session }) => session),
    plaintexts: concatBytes(...plaintexts.map(encodePlaintextWord)),
  })

  const owner: SubjectOwner = {
    commitments: signing.commitments,
    onRelease: (released) => computations.add(released),
    onOpened(opened) {
      for (const item of opened) {
        const entry = entryOf(item.authorised)
        const request = entry?.request
        if (entry === undefined || request === undefined || request === null) continue
        signing.opened(resultOf(entry.requestId, item), request)
        entry.state = "opened"
        entry.request = null
      }
    },
  }

  /** Books what passed rules 1 to 4, and approves it. */
  const approvals = createBatchQueue<Judged>(
    async (batch) => {
      const bookings = await release.ledger.book(batch.map(({ authorised }) => authorised))
      const holding: Judged[] = []
      for (const [i, judged] of batch.entries()) {
        const booking = bookings[i]
        // Settled on chain while it was booked: nobody would ever forget it again.
        if (!isWorkedAt(judged)) continue
        if (booking === "new" || booking === "repeat") holding.push(judged)
        else refuse(judged.entry, booking)
      }
      for (const { entry, authorised } of holding) {
        // Opened by the others' shares, where only this node's own were missing.
        const isOpen = engine.status(authorised.subject) === "opened"
        entry.state = isOpen ? "opened" : "approving"
        entry.since = clock.now()
        entry.reason = null
        entry.failures = 0
      }
      engine.approve(
        holding.map(({ authorised }) => authorised),
        owner,
      )
    },
    {
      maxItems: PER_READ,
      onError: (error, batch) => {
        for (const { entry } of batch) refuse(entry, error)
      },
    },
  )

  /** Words that come late come one by one. */
  const checked = createGathering<Judged>({
    ...{ scheduler, enough: GATHERED, longestMs: GATHER_MS },
    handOn: (items) => approvals.add(items.filter(isWorkedAt)),
  })

  const computations = createShareComputations({ release, publish: engine.publishShares, onError: retry })

  /** Judged once more after a pause: the subject is released already, so that its owner is told again. */
  function retry(authorised: Authorised, err: unknown): void {
    const entry = entryOf(authorised)
    if (entry === undefined) return
    logger.error({ requestId: entry.requestId, err }, "shares could not leave")
    entry.state = "waiting"
    postpone(entry, clock.now())
  }

  function refuse(entry: Pending, error: unknown): void {
    const { requestId } = entry
    if (pending.get(requestId) !== entry) return
    const code = isProtocolError(error) ? error.detail.code : "INTERNAL"
    // What is not a typed refusal is a fault of this node, not of the request.
    const remedy = code === "INTERNAL" ? "later" : remedyOf(code)
    if (entry.reason !== code) {
      refusals?.add({ code })
      const reason = isProtocolError(error) ? error.detail.message : error
      if (isAlarm(code) || code === "INTERNAL") logger.error({ requestId, code, reason }, "not approved")
      else logger.info({ requestId, code, reason }, "not approved")
    }
    entry.reason = code
    entry.state = remedy === "never" ? "refused" : "waiting"
    if (remedy === "later") postpone(entry, clock.now())
    else {
      entry.failures += 1
      entry.notBefore = 0
    }
  }

  /** What a request's facts at a block mean for it, where it is to be judged. */
  function judge(entry: Pending, facts: RequestFacts | null, at: BlockRef): void {
    entry.lookedAt = at.number
    entry.requester = facts?.request.requester ?? null
    try {
      const authorised = authorisePublic(seat, entry.requestId, facts, at, clock.now())
      entry.state = "working"
      entry.request = facts?.request ?? null
      checked.expect()
      checkWords(authorised, release.blobs).then(
        () => checked.ready({ entry, authorised }),
        (error: unknown) => {
          checked.failed()
          refuse(entry, error)
        },
      )
    } catch (error) {
      refuse(entry, error)
    }
  }

  /** First look: whose request it is, from when it can be judged, and what will be wanted then. */
  function introduce(entry: Pending, facts: RequestFacts | null): void {
    entry.state = "waiting"
    if (facts === null) return
    entry.requester = facts.request.requester
    entry.from = facts.request.uncancellableFrom
    prefetch(facts)
  }

  async function read(
    entries: readonly Pending[],
    at: BlockRef,
    use: (entry: Pending, facts: RequestFacts | null) => void,
  ): Promise<void> {
    for (let i = 0; i < entries.length; i += PER_READ) {
      const chunk = entries.slice(i, i + PER_READ)
      const facts = await view.requestFacts(
        chunk.map(({ requestId }) => requestId),
        at,
      )
      for (const entry of chunk) {
        const found = facts.get(entry.requestId)
        // What could not be had now is looked for at the next block.
        if (found === undefined) entry.lookedAt = at.number
        else if (pending.get(entry.requestId) === entry) use(entry, found)
      }
    }
  }

  /** What was approved must still hold while no quorum has: a handle may be frozen since, or no longer be allowed. */
  function reconsider(entry: Pending, facts: RequestFacts, at: BlockRef): void {
    const subject = requestSubject(entry.requestId)
    if (entry.state !== "approving" || engine.status(subject) !== "approving") return
    try {
      authorisePublic(seat, entry.requestId, facts, at, clock.now())
    } catch (error) {
      engine.park(subject)
      refuse(entry, error)
    }
  }

  const retire = createRetirement({
    ...{ pending, view, engine, signing, clock, metrics, options },
    reconsider: (entries, at) =>
      read(entries, at, (entry, facts) => {
        if (facts !== null) reconsider(entry, facts, at)
      }),
  })

  /** First block whose requests are not all settled. */
  const settledBefore = (from: bigint): bigint =>
    [...pending.values()].reduce((lowest, { seenAt }) => (seenAt < lowest ? seenAt : lowest), from)

  async function discover(at: BlockRef): Promise<void> {
    const from: bigint = next ?? (await cursor.load())
    if (at.number < from) return
    for (const requestId of await view.requestsSince(from, at))
      if (!pending.has(requestId)) pending.set(requestId, newPending(requestId, from))
    next = at.number + 1n
    newest = at
  }

  /** First look at what is new. @returns facts of those that may be started at once */
  async function look(at: BlockRef): Promise<ReadonlyMap<RequestId, RequestFacts | null>> {
    const facts = new Map<RequestId, RequestFacts | null>()
    const fresh = [...pending.values()]
      .filter(({ state, lookedAt }) => state === "new" && lookedAt < at.number)
      .sort((a, b) => Number(a.lookedAt - b.lookedAt))
    await read(fresh.slice(0, NEW_PER_POLL), at, (entry, found) => {
      introduce(entry, found)
      if (facts.size < PER_READ) facts.set(entry.requestId, found)
    })
    return facts
  }

  /** Judges what is due, in its turn. @param known facts at this block */
  async function start(at: BlockRef, known: ReadonlyMap<RequestId, RequestFacts | null>): Promise<void> {
    const chosen = nextRequests(pending.values(), at, clock.now())
    // Who stands is wanted as soon as a quorum approves: read while words and ledger are looked at.
    if (chosen.length > 0) standing([]).catch(() => {})
    for (const entry of chosen) {
      const found = known.get(entry.requestId)
      if (found !== undefined) judge(entry, found, at)
    }
    await read(
      chosen.filter(({ requestId }) => !known.has(requestId)),
      at,
      (entry, found) => judge(entry, found, at),
    )
  }

  return {
    async poll() {
      const at = await view.head()
      // What is due already does not wait for what is new.
      const starting = start(at, new Map())
      const looking = discover(at).then(() => look(at))
      // Neither outlives the poll.
      await Promise.allSettled([starting, looking])
      await starting
      await start(at, await looking)
    },
    async retire() {
      if (next === null || newest === null) return
      await retire(newest)
      await cursor.save(settledBefore(next))
    },
    get size() {
      return pending.size
    },
    stop() {
      checked.stop()
      approvals.stop()
      computations.stop()
    },
  }
}
