/**
 * Life-long budget of released blocks (protocol §5): hiding is statistical per block, so a key has a published number
 * of blocks that it may open. Booked durably before the release, once per session: a repeat shows the same bytes again.
 */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import type { SessionId } from "@twinlock/sdk/protocol/ids"
import type { SealedStore } from "../storage/sealedStore.ts"
import { decryptionError } from "./errors.ts"

export type BlockBudget = {
  /** Books the blocks of a session unless it is booked. @throws BLOCK_BUDGET_EXHAUSTED, without booking. */
  spend(session: SessionId, blocks: number): Promise<void>
  spent(): Promise<number>
}

/** √Q·2^-39 at the narrowest mask (protocol §5): 2^32 blocks leave an advantage of 2^-23 at n = 15, 2^-31 at n = 4. */
export const DEFAULT_BUDGET: number = 2 ** 32

const TOTAL = "block-budget"
const BOOKED = "block-budget-session"

/** @param name one counter per (key, epoch). Calls are serialised, so that two at once never pass the limit together. */
export function createBlockBudget(
  store: SealedStore,
  name: string,
  limit: number = DEFAULT_BUDGET,
): BlockBudget {
  let last: Promise<unknown> = Promise.resolve()
  const read = async () => {
    const bytes = await store.get(TOTAL, name)
    return bytes === null ? 0 : new Reader(bytes).uint(8)
  }
  const serial = <T>(task: () => Promise<T>): Promise<T> => {
    const next = last.then(task, task)
    last = next.catch(() => {})
    return next
  }
  return {
    spend: (session, blocks) =>
      serial(async () => {
        if ((await store.get(BOOKED, session)) !== null) return
        const total = (await read()) + blocks
        if (total > limit)
          throw decryptionError(
            "BLOCK_BUDGET_EXHAUSTED",
            `releasing ${blocks} blocks would exceed the key's budget of ${limit}`,
          )
        // The total first: a kill in between books a session twice, never not at all.
        await store.put(TOTAL, name, new Writer().uint(8, total).done())
        await store.put(BOOKED, session, new Writer().uint(4, blocks).done())
      }),
    spent: () => serial(read),
  }
}
