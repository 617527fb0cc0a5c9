/**
 * Life-long budget of released blocks (protocol §5): hiding is statistical per block, so a key has a published number
 * of blocks that it may open. Counted durably and before the release; a repeat of a release costs nothing.
 */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import type { SealedStore } from "../storage/sealedStore.ts"
import { decryptionError } from "./errors.ts"

export type BlockBudget = {
  /** Books `blocks` more. @throws BLOCK_BUDGET_EXHAUSTED, without booking. */
  spend(blocks: number): Promise<void>
  spent(): Promise<number>
}

/** √Q·2^-39 at the narrowest mask (protocol §5): 2^32 blocks leave an advantage of 2^-23 at n = 15, 2^-31 at n = 4. */
export const DEFAULT_BUDGET: number = 2 ** 32

const KIND = "block-budget"

/** @param name one counter per (key, epoch). Calls are serialised: two at once never book one block twice. */
export function createBlockBudget(
  store: SealedStore,
  name: string,
  limit: number = DEFAULT_BUDGET,
): BlockBudget {
  let last: Promise<unknown> = Promise.resolve()
  const read = async () => {
    const bytes = await store.get(KIND, name)
    return bytes === null ? 0 : new Reader(bytes).uint(8)
  }
  const serial = <T>(task: () => Promise<T>): Promise<T> => {
    const next = last.then(task, task)
    last = next.catch(() => {})
    return next
  }
  return {
    spend: (blocks) =>
      serial(async () => {
        const total = (await read()) + blocks
        if (total > limit)
          throw decryptionError(
            "BLOCK_BUDGET_EXHAUSTED",
            `releasing ${blocks} blocks would exceed the key's budget of ${limit}`,
          )
        await store.put(KIND, name, new Writer().uint(8, total).done())
      }),
    spent: () => serial(read),
  }
}
