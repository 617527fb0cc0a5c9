/** Proof that a key can never become active: the registry discards a proposed key for good, and activates no other. */
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import type { ChainView } from "../../chain/chainView.ts"

export class FinalDiscard {
  readonly #keyId: KeyId

  private constructor(keyId: KeyId) {
    this.#keyId = keyId
  }

  /**
   * The only way to one: the newest agreed finalised block shows the key as discarded. Null where it does not.
   * @throws ChainErrorCode
   */
  static async read(keyId: KeyId, chain: Pick<ChainView, "head" | "key">): Promise<FinalDiscard | null> {
    const record = await chain.key(keyId, await chain.head())
    return record?.keyId === keyId && record.status === "discarded" ? new FinalDiscard(keyId) : null
  }

  get keyId(): KeyId {
    return this.#keyId
  }
}
