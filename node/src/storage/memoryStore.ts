/** A SealedStore in memory, for tests and for command-line runs that must leave nothing behind. */
import { checkName, checkSize, storageError } from "./recordCipher.ts"
import type { SealedStore } from "./sealedStore.ts"

/** Records live as long as the store. */
export function createMemoryStore(): SealedStore {
  const kinds = new Map<string, Map<string, Uint8Array>>()
  let open = true
  const records = (kind: string, id: string): Map<string, Uint8Array> => {
    if (!open) throw storageError("STORE_CLOSED", "the store is closed")
    checkName(kind, id)
    const found = kinds.get(kind) ?? new Map<string, Uint8Array>()
    kinds.set(kind, found)
    return found
  }
  return {
    get: async (kind, id) => records(kind, id).get(id)?.slice() ?? null,
    async put(kind, id, bytes) {
      checkSize(bytes)
      records(kind, id).set(id, bytes.slice())
    },
    async putMany(items) {
      for (const { kind, id, bytes } of items) {
        checkSize(bytes)
        checkName(kind, id)
      }
      for (const { kind, id, bytes } of items) records(kind, id).set(id, bytes.slice())
    },
    async putIfAbsent(kind, id, bytes) {
      checkSize(bytes)
      const own = records(kind, id)
      const stored = own.get(id) ?? bytes.slice()
      own.set(id, stored)
      return stored.slice()
    },
    delete: async (kind, id) => records(kind, id).delete(id),
    list: async (kind) => [...records(kind, "x").keys()].sort(),
    async close() {
      open = false
      for (const own of kinds.values()) for (const bytes of own.values()) bytes.fill(0)
      kinds.clear()
    },
  }
}
