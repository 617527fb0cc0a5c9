/** What a coordinator can do to the chunks of a key: a store between the parties and the honest store of a world. */
import type { BlobSink } from "@twinlock/node/blobs/blobSink"
import type { BlobSource } from "@twinlock/node/blobs/blobSource"
import type { CeremonyDeps } from "@twinlock/node/ceremony/ceremony"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { flip } from "./tampering.ts"

export const STORE_FAULTS = [
  "has no chunk",
  "hands out other bytes",
  "hands out fewer bytes",
  "keeps everybody waiting",
  "fails every other time",
  "loses what it acknowledged",
] as const
export type StoreFault = (typeof STORE_FAULTS)[number]

const missing = async (): Promise<never> => {
  throw new ProtocolError({ code: "BLOB_UNAVAILABLE", message: "404" })
}

/** Dependencies of the parties of one world. Everything but chunks passes. */
export function faultyStore(fault: StoreFault): (index: number, deps: CeremonyDeps) => CeremonyDeps {
  const chunks = new Set<string>()
  const seen = new Set<string>()
  const secondTime = (digest: string): boolean => seen.has(digest) || !seen.add(digest)

  const sourceOf = (store: BlobSource): BlobSource => ({
    async get(digest, maxBytes, signal) {
      if (!chunks.has(digest)) return store.get(digest, maxBytes, signal)
      switch (fault) {
        case "has no chunk":
          return missing()
        case "hands out other bytes":
          return flip(await store.get(digest, maxBytes), -1)
        case "hands out fewer bytes":
          return (await store.get(digest, maxBytes)).subarray(1)
        case "keeps everybody waiting":
          return new Promise(() => {})
        case "fails every other time":
          return secondTime(digest) ? store.get(digest, maxBytes) : missing()
        case "loses what it acknowledged":
          return store.get(digest, maxBytes)
      }
    },
  })
  const sinkOf = (store: BlobSink): BlobSink => ({
    async put(digest, bytes, signal) {
      const lost = fault === "loses what it acknowledged" && chunks.has(digest) && !secondTime(digest)
      if (!lost) await store.put(digest, bytes, signal)
    },
  })
  return (_, deps) => ({
    ...deps,
    source: sourceOf(deps.source),
    sink: sinkOf(deps.sink),
    sums: {
      ...deps.sums,
      put: async (digest, bytes) => {
        chunks.add(digest)
        await deps.sums.put(digest, bytes)
      },
    },
  })
}
