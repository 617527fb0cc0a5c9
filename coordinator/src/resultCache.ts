/** The newest certified results, for clients that ask; the chain stays the source of truth. */
import type { CertifiedBody } from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"

export type ResultCache = {
  put(item: CertifiedBody): Promise<void>
  get(requestId: RequestId): Promise<CertifiedBody | null>
}

/** Keeps the `size` newest in memory. */
export function createResultCache(size: number): ResultCache {
  const items = new Map<RequestId, CertifiedBody>()
  return {
    async put(item) {
      items.delete(item.result.requestId)
      items.set(item.result.requestId, item)
      for (const oldest of items.keys()) {
        if (items.size <= size) break
        items.delete(oldest)
      }
    },
    get: async (requestId) => items.get(requestId) ?? null,
  }
}
