/**
 * A party's share of the decryption key (protocol §5, §9): an opaque handle. Secret: the share, which stays in Rust and
 * leaves only sealed. The caller must have passed every release check before it asks for a decryption share.
 */
import type { SessionId } from "@twinlock/sdk/protocol/ids"
import type { KeyShare as NativeKeyShare } from "../../native/index.d.ts"
import { awaitNative, callNative } from "./native.ts"

export type KeyShare = {
  readonly n: number
  readonly t: number
  /** 1..n */
  readonly index: number
  /** XChaCha20-Poly1305 with a random nonce. @param key 32 bytes @throws NATIVE_DESTROYED, NATIVE_CONFIG */
  seal(key: Uint8Array, context: Uint8Array): Uint8Array
  /**
   * This party's share of the decryption of canonical words: 64 bytes per block, always the same for the same words.
   * @param sessionId 32 bytes; must be {@link SessionId} of exactly these words
   * @throws SHARE_WORDS, SHARE_FAULT, NATIVE_DESTROYED
   */
  decryptionShare(words: Uint8Array, sessionId: Uint8Array): Promise<Uint8Array>
  /** Wipes the share as soon as running computations end. */
  destroy(): void
}

/** @param key 32 bytes @throws SHARE_SEALED, SHARE_MALFORMED, NATIVE_CONFIG */
export const unsealKeyShare = (sealed: Uint8Array, key: Uint8Array, context: Uint8Array): KeyShare =>
  keyShareOf(callNative((addon) => addon.KeyShare.unseal(sealed, key, context)))

/** Wraps a handle of the addon. */
export function keyShareOf(share: NativeKeyShare): KeyShare {
  const [n, t, index] = callNative(() => [share.n, share.t, share.index] as const)
  return {
    n,
    t,
    index,
    seal: (key, context) => callNative(() => share.seal(key, context)),
    decryptionShare: (words, sessionId) => awaitNative(() => share.decryptionShare(words, sessionId)),
    destroy: () => share.destroy(),
  }
}
