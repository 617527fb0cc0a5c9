/**
 * What still has to reach the chain: a durable file for each submission, so that a restart loses none and knows which results
 * share a signature. A later submission of a request stands before an earlier one: certificates name seats, whose standing
 * ends.
 */
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import { signatureOf } from "./batches.ts"
import { writeDurably } from "./durableFile.ts"
import { coordinatorError } from "./httpError.ts"
import { type OutboxFile, outboxFile } from "./schemas.ts"

/** A submission, and whom it is kept for. */
export type Kept = {
  readonly submission: SubmissionBody
  readonly waiting: readonly RequestId[]
  /** Names this submission among those that a request has had. */
  readonly name: string
}

export type Outbox = {
  /**
   * Keeps it for these of its requests: for all of them or none. Durable once resolved.
   * @throws QUEUE_FULL
   */
  put(submission: SubmissionBody, waiting: Iterable<RequestId>): Promise<void>
  /** The newest for a request. */
  get(requestId: RequestId): Promise<Kept | null>
  /** The same without the submission: nothing is read. */
  together(requestId: RequestId): Omit<Kept, "submission">
  /** @param name only where it is still this submission that is kept */
  remove(requestId: RequestId, name?: string): Promise<void>
  list(): readonly RequestId[]
}

type Entry = {
  readonly name: string
  readonly signature: string
  readonly isBatch: boolean
  readonly waiting: Set<RequestId>
}

/** Names sort by age. */
const NAME = /^[0-9]{12}\.json$/
const nameOf = (number: number) => `${String(number).padStart(12, "0")}.json`
/** Below the outbox: files that are none of these or cannot be read, for a person to look at. */
const ASIDE = "unreadable"

/**
 * @param directory created if absent
 * @param most requests that wait at a time
 * @param onUnreadable where a file is put that does not parse, or that this version does not know
 */
export async function createOutbox(
  directory: string,
  most: number,
  onUnreadable: (path: string) => void,
): Promise<Outbox> {
  await mkdir(directory, { recursive: true })
  const kept = new Map<RequestId, Entry>()
  let next = 0
  let last: Promise<void> = Promise.resolve()

  async function putAside(name: string): Promise<void> {
    await mkdir(join(directory, ASIDE), { recursive: true })
    await rename(join(directory, name), join(directory, ASIDE, name))
    onUnreadable(join(directory, ASIDE, name))
  }

  /** Null where the file is gone, or does not parse and is put aside. */
  async function read(name: string): Promise<OutboxFile | null> {
    const text = await readFile(join(directory, name), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null
      throw error
    })
    if (text === null) return null
    try {
      return outboxFile.parse(JSON.parse(text))
    } catch {
      await putAside(name)
      return null
    }
  }

  async function leave(requestId: RequestId, entry: Entry): Promise<void> {
    entry.waiting.delete(requestId)
    if (entry.waiting.size === 0) await rm(join(directory, entry.name), { force: true })
  }

  async function enter(requestIds: Iterable<RequestId>, entry: Entry): Promise<void> {
    for (const requestId of requestIds) {
      const earlier = kept.get(requestId)
      kept.set(requestId, entry)
      if (earlier !== undefined) await leave(requestId, earlier)
    }
  }

  async function load(): Promise<void> {
    for (const name of (await readdir(directory)).sort()) {
      if (name === ASIDE) continue
      if (!NAME.test(name)) {
        await putAside(name)
        continue
      }
      next = Number.parseInt(name, 10) + 1
      const found = await read(name)
      if (found !== null) await enter(found.waiting, entryOf(name, found.submission, found.waiting))
    }
  }

  async function keep(submission: SubmissionBody, wanted: Iterable<RequestId>): Promise<void> {
    const name = nameOf(next)
    const all = entryOf(name, submission, [])
    const waiting = [...new Set(wanted)].filter((id) => !saysTheSame(kept.get(id), all))
    const fresh = waiting.filter((id) => !kept.has(id)).length
    if (kept.size + fresh > most)
      throw coordinatorError({ code: "QUEUE_FULL", message: `${kept.size} results wait for the chain` })
    if (waiting.length === 0) return
    next += 1
    await writeDurably(join(directory, name), JSON.stringify({ submission, waiting }))
    await enter(waiting, entryOf(name, submission, waiting))
  }

  await load()
  return {
    list: () => [...kept.keys()],
    async get(requestId) {
      const entry = kept.get(requestId)
      const found = entry === undefined ? null : await read(entry.name)
      if (entry === undefined || found === null) {
        for (const id of entry?.waiting ?? []) kept.delete(id)
        return null
      }
      return { submission: found.submission, waiting: [...entry.waiting], name: entry.name }
    },
    together(requestId) {
      const { name = "", waiting = [] } = kept.get(requestId) ?? {}
      return { name, waiting: [...waiting] }
    },
    put(submission, waiting) {
      // One after the other: what another call writes is durable before this one finds it there.
      const own = last.then(() => keep(submission, waiting))
      last = own.catch(() => {})
      return own
    },
    async remove(requestId, name) {
      const entry = kept.get(requestId)
      if (entry === undefined || (name !== undefined && name !== entry.name)) return
      kept.delete(requestId)
      await leave(requestId, entry)
    },
  }
}

const entryOf = (name: string, submission: SubmissionBody, waiting: readonly RequestId[]): Entry => ({
  name,
  signature: signatureOf(submission),
  isBatch: submission.kind === "batch",
  waiting: new Set(waiting),
})

/** Under one signature a batch says what its results say alone, and costs less. */
const saysTheSame = (earlier: Entry | undefined, later: Entry): boolean =>
  earlier !== undefined && earlier.signature === later.signature && (earlier.isBatch || !later.isBatch)
