/** Certificates that still have to reach the chain: one durable file per request, so that a restart loses none. */
import { randomUUID } from "node:crypto"
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import { parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { certificatesRequest } from "./schemas.ts"

export type Outbox = {
  /** The first certificate of a request stays; any valid one of the same request says the same. Durable once resolved. */
  put(item: CertificatesRequest): Promise<void>
  get(requestId: RequestId): Promise<CertificatesRequest | null>
  remove(requestId: RequestId): Promise<void>
  list(): Promise<readonly RequestId[]>
}

/** @param directory created if absent. */
export async function createOutbox(directory: string): Promise<Outbox> {
  await mkdir(directory, { recursive: true })
  const pathOf = (requestId: RequestId) => join(directory, `${requestId.slice(2)}.json`)
  const get = async (requestId: RequestId) => {
    const text = await readFile(pathOf(requestId), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null
      throw error
    })
    return text === null ? null : certificatesRequest.parse(JSON.parse(text))
  }
  return {
    get,
    async put(item) {
      const path = pathOf(item.result.requestId)
      if ((await get(item.result.requestId)) !== null) return
      const temporary = `${path}.${randomUUID()}.new`
      const file = await open(temporary, "wx")
      try {
        await file.writeFile(JSON.stringify(item))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    },
    remove: (requestId) => rm(pathOf(requestId), { force: true }),
    async list() {
      const names = await readdir(directory)
      return names
        .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
        .map((name) => parseRequestId(`0x${name.slice(0, 64)}`))
    },
  }
}
