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
      const fresh = items.filter(({ result }) => !kept.has(result.requestId))
      if (kept.size + fresh.length > most)
        throw coordinatorError({ code: "QUEUE_FULL", message: `${kept.size} results wait for the chain` })
      // Counted before anything is awaited: calls at the same time share one limit.
      for (const { result } of fresh) kept.add(result.requestId)
      const written = await Promise.allSettled(fresh.map(write))
      for (const [i, outcome] of written.entries())
        if (outcome.status === "rejected" && fresh[i]) kept.delete(fresh[i].result.requestId)
      const failed = written.find((outcome) => outcome.status === "rejected")
      if (failed !== undefined) throw failed.reason
    },
    async remove(requestId) {
      await rm(pathOf(requestId), { force: true })
      kept.delete(requestId)
    },
  }
}
