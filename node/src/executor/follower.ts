/**
 * Follows the coprocessor (protocol §8): computes every operation, squashes what may be decrypted, and commits to it.
 *
 * One event that cannot be worked off (an operation that the addon refuses, an input whose list nobody has, a commitment
 * that the contract refuses) never holds up the others: it stays open with whatever depends on it, is tried again with
 * growing pauses, and is given up after {@link KEPT_BLOCKS}. Nothing wrong can come of it: this executor only stays silent
 * about a handle, which needs k others to become final without it. Results are stored before the cursor moves, and the
 * cursor stays at the first open event, so a kill at any point only repeats work.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, Handle } from "@twinlock/sdk/protocol/ids"
import type { BlockRef, Commitment } from "../chain/chainView.ts"
import type { LocatedEvent } from "../chain/coprocessorEvents.ts"
import type { Clock } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { CiphertextStore } from "./ciphertextStore.ts"
import type { Computer } from "./computer.ts"
import type { Inputs } from "./inputs.ts"
import { createWorker, type Task, taskOf } from "./tasks.ts"

export type Follower = {
  /** Takes in all events up to `to` and works off what is due. @throws ChainErrorCode, StorageErrorCode */
  advance(to: BlockRef): Promise<void>
  /** Events that could not be worked off yet. */
  readonly open: number
}

export type FollowerDeps = {
  readonly computer: Computer
  readonly store: CiphertextStore
  readonly inputs: Inputs
  /** Where squashed ciphertexts go, named by their digest. */
  readonly sink: { put(digest: Digest, bytes: Uint8Array): Promise<void> }
  /** Events of blocks from..to in chain order. */
  readonly events: (from: bigint, to: bigint, head: BlockRef) => Promise<readonly LocatedEvent[]>
  /** A published list. @throws where nobody has it */
  readonly list: (digest: Digest) => Promise<Uint8Array>
  /** Votes for the commitments on chain, all of them or none. */
  readonly commit: (commitments: readonly Commitment[]) => Promise<void>
  /** Durable: handles that this executor voted for. */
  readonly committed: { has(handle: Handle): Promise<boolean>; add(handle: Handle): Promise<void> }
  readonly cursor: { load(): Promise<bigint>; save(next: bigint): Promise<void> }
  readonly clock: Clock
  readonly logger: Logger
}

/** Blocks of one step: what is read at once. */
const STEP = 500n
/** Votes of one transaction: well below a block's gas. */
const VOTES = 16
/** An event that is open for so many blocks is given up: a week at 12 seconds. */
export const KEPT_BLOCKS = 50_400n
const LONGEST_PAUSE_MS = 300_000

type Open = {
  readonly task: Task
  readonly block: bigint
  failures: number
  notBefore: number
  /** Squashed and published, not voted for yet: squashing costs seconds. */
  commitment: Commitment | null
}
type Vote = { readonly entry: Open; readonly commitment: Commitment }

export function createFollower(deps: FollowerDeps): Follower {
  const { events, commit, committed, cursor, clock, logger } = deps
  const worker = createWorker(deps)
  /** In chain order. */
  let open: Open[] = []
  let next: bigint | null = null
  let saved: bigint | null = null

  function fail(entry: Open, error: unknown): void {
    entry.failures += 1
    entry.notBefore = clock.now() + Math.min(250 * 2 ** entry.failures, LONGEST_PAUSE_MS)
    const { kind } = entry.task
    const { failures } = entry
    logger.warn({ kind, block: String(entry.block), failures, err: error }, "an event stays open")
  }

  async function vote(votes: readonly Vote[]): Promise<readonly Open[]> {
    if (votes.length === 0) return []
    try {
      await commit(votes.map(({ commitment }) => commitment))
    } catch (error) {
      // One commitment that the contract refuses must not take the others with it.
      if (votes.length > 1 && isProtocolError(error, "TRANSACTION_REVERTED")) {
        const parts: Open[] = []
        for (const single of votes) parts.push(...(await vote([single])))
        return parts
      }
      for (const { entry } of votes) fail(entry, error)
      return votes.map(({ entry }) => entry)
    }
    for (const { commitment } of votes) await committed.add(commitment.handle)
    return []
  }

  /** Tries everything that is due, in chain order; what needs a result that is still open waits for it. */
  async function workOff(head: bigint): Promise<void> {
    const missing = new Set<Handle>()
    const left = new Set<Open>()
    let votes: Vote[] = []
    const keep = (entry: Open) => {
      left.add(entry)
      for (const handle of entry.task.results) missing.add(handle)
    }
    const flush = async () => {
      const due = votes
      votes = []
      for (const entry of await vote(due)) keep(entry)
    }
    for (const entry of open) {
      if (head - entry.block > KEPT_BLOCKS) {
        logger.error({ kind: entry.task.kind, block: String(entry.block) }, "an event is given up")
        continue
      }
      if (entry.notBefore > clock.now() || entry.task.needs.some((needed) => missing.has(needed))) {
        keep(entry)
        continue
      }
      const { task } = entry
      // A handle that is allowed to many is voted for once.
      if (task.kind === "commitment" && votes.some(({ commitment }) => commitment.handle === task.handle))
        continue
      try {
        entry.commitment ??= await worker.run(task)
        if (entry.commitment !== null) votes.push({ entry, commitment: entry.commitment })
      } catch (error) {
        fail(entry, error)
        keep(entry)
      }
      if (votes.length >= VOTES) await flush()
    }
    await flush()
    open = open.filter((entry) => left.has(entry))
  }

  async function save(): Promise<void> {
    const [first] = open
    const from = first?.block ?? next
    if (from === null || from === saved) return
    await cursor.save(from)
    saved = from
  }

  return {
    get open() {
      return open.length
    },
    async advance(to) {
      next ??= await cursor.load()
      do {
        const from: bigint = next
        const end = from + STEP - 1n < to.number ? from + STEP - 1n : to.number
        if (from <= end)
          for (const { blockNumber, event } of await events(from, end, to)) {
            const task = taskOf(event)
            if (task !== null)
              open.push({ task, block: blockNumber, failures: 0, notBefore: 0, commitment: null })
          }
        if (end >= from) next = end + 1n
        await workOff(to.number)
        await save()
      } while (next <= to.number)
    },
  }
}
