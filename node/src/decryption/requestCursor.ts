/**
 * Where a keyholder goes on reading requests after a restart: the first block whose requests are not all settled on chain.
 * Everything older needs no look any more. Written seldom: a few blocks read twice cost less than a write per block.
 */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import type { SealedStore } from "../storage/sealedStore.ts"

export type RequestCursor = {
  /** First block to read. @throws StorageErrorCode */
  load(): Promise<bigint>
  /** @throws StorageErrorCode */
  save(settledBefore: bigint): Promise<void>
}

const KIND = "request-cursor"
const STEP = 64n

/** @param name one cursor per (key, epoch). @param startBlock first block that may hold requests of the key. */
export function createRequestCursor(store: SealedStore, name: string, startBlock: bigint): RequestCursor {
  let saved: bigint | null = null
  const load = async (): Promise<bigint> => {
    const bytes = await store.get(KIND, name)
    const stored = bytes === null ? startBlock : BigInt(new Reader(bytes).uint(8))
    saved = stored > startBlock ? stored : startBlock
    return saved
  }
  return {
    load,
    async save(settledBefore) {
      const last = saved ?? (await load())
      if (settledBefore < last + STEP) return
      await store.put(KIND, name, new Writer().uint(8, Number(settledBefore)).done())
      saved = settledBefore
    },
  }
}
