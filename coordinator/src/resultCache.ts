/** The newest certified results, for clients that ask; the chain stays the source of truth. */
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"

export type ResultCache = {
  put(item: CertificatesRequest): Promise<void>
  get(requestId: RequestId): Promise<CertificatesRequest | null>
}

/** Keeps the `size` newest in memory. */
export function createResultCache(size: number): ResultCache {
  const items = new Map<RequestId, CertificatesRequest>()
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
