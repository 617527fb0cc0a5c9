/** Keys that can never become active: `KeyRegistry` discards for good, and activates nothing after its deadline. */
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import type { BlockRef, ChainView, KeyRecord } from "../chain/chainView.ts"

/** @param head the finalised block at which the record was read */
const isDead = ({ status, proposal }: KeyRecord, head: BlockRef): boolean =>
  status === "discarded" || (status === "proposed" && head.timestamp > proposal.deadline)

/** Those of the keys that are dead at the newest finalised block; not one that the chain does not show. @throws ChainErrorCode */
export async function deadKeysOf(
  keyIds: readonly KeyId[],
  chain: Pick<ChainView, "head" | "key">,
): Promise<readonly KeyId[]> {
  const head = await chain.head()
  const dead: KeyId[] = []
  for (const keyId of keyIds) {
    const record = await chain.key(keyId, head)
    if (record !== null && isDead(record, head)) dead.push(keyId)
  }
  return dead
}
