/** Certified results that still have to reach the chain: one durable file per request, so that a restart loses none. */
import { randomUUID } from "node:crypto"
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import type { CertifiedBody } from "@twinlock/sdk/protocol/http"
import { parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { coordinatorError } from "./httpError.ts"
import { certifiedBody } from "./schemas.ts"

export type Outbox = {
  /**
   * The first certificate of a request stays; any valid one of the same request says the same. Durable once resolved; all of
   * them or none is taken.
   * @throws QUEUE_FULL
   */
  put(items: readonly CertifiedBody[]): Promise<void>
  get(requestId: RequestId): Promise<CertifiedBody | null>
  remove(requestId: RequestId): Promise<void>
  list(): Promise<readonly RequestId[]>
}

/**
 * @param directory created if absent
 * @param most results that wait at a time
 */
export async function createOutbox(directory: string, most: number): Promise<Outbox> {
  await mkdir(directory, { recursive: true })
  const pathOf = (requestId: RequestId) => join(directory, `${requestId.slice(2)}.json`)
  const list = async () =>
    (await readdir(directory))
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .map((name) => parseRequestId(`0x${name.slice(0, 64)}`))
  const kept = new Set(await list())
  const writing = new Map<RequestId, Promise<void>>()

  async function write(item: CertifiedBody): Promise<void> {
    const path = pathOf(item.result.requestId)
    const temporary = `${path}.${randomUUID()}.new`
    const file = await open(temporary, "wx")
    try {
      await file.writeFile(JSON.stringify(item))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  }

  async function keep(requestId: RequestId, item: CertifiedBody): Promise<void> {
    try {
      await write(item)
    } catch (error) {
      kept.delete(requestId)
      throw error
    } finally {
      writing.delete(requestId)
    }
  }

  return {
    list,
    async get(requestId) {
      const text = await readFile(pathOf(requestId), "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null
        throw error
      })
      return text === null ? null : certifiedBody.parse(JSON.parse(text))
    },
    async put(items) {
      const fresh = new Map(
        items
          .filter(({ result }) => !kept.has(result.requestId))
          .map((item) => [item.result.requestId, item]),
      )
      if (kept.size + fresh.size > most)
        throw coordinatorError({ code: "QUEUE_FULL", message: `${kept.size} results wait for the chain` })
      // Counted before anything is awaited: calls at the same time share one limit.
      for (const [requestId, item] of fresh) {
        kept.add(requestId)
        writing.set(requestId, keep(requestId, item))
      }
      // What another call is writing is durable no sooner for this one.
      const written = await Promise.allSettled(items.map(({ result }) => writing.get(result.requestId)))
      const failed = written.find((outcome) => outcome.status === "rejected")
      if (failed !== undefined) throw failed.reason
    },
    async remove(requestId) {
      await rm(pathOf(requestId), { force: true })
      kept.delete(requestId)
    },
  }
}
