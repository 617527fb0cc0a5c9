/**
 * A party's share of the decryption key (protocol §5, §9): an opaque handle. Secret: the share, which stays in Rust and
 * leaves only sealed. The caller must have passed every release check before it asks for a decryption share.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { WordFormat } from "@twinlock/sdk/protocol/fheType"
import type { SessionId } from "@twinlock/sdk/protocol/ids"
import { formatCode } from "@twinlock/sdk/protocol/session"
import type { KeyShare as NativeKeyShare } from "../../native/index.d.ts"
import { awaitNative, callNative } from "./native.ts"

/** One ciphertext to decrypt. */
export type ShareWork = {
  /** The session of exactly these words in this format. */
  readonly session: SessionId
  readonly format: WordFormat
  /** Canonical words. */
  readonly words: Uint8Array
}

export type KeyShare = {
  readonly n: number
  readonly t: number
  /** 1..n */
  readonly index: number
  /** XChaCha20-Poly1305 with a random nonce. @param key 32 bytes @throws NATIVE_DESTROYED, NATIVE_CONFIG */
  seal(key: Uint8Array, context: Uint8Array): Uint8Array
  /**
   * This party's shares of the decryption of canonical words, in the order of the work: 64 bytes per block, always the same
   * for the same words and session. One failure fails the whole batch. Off the event loop, on all cores.
   * @throws SHARE_WORDS, SHARE_FAULT, NATIVE_DESTROYED
   */
  decryptionShares(work: readonly ShareWork[]): Promise<readonly Uint8Array[]>
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
    decryptionShares: (work) =>
      awaitNative(() =>
        share.decryptionShares(
          work.map(({ session, format, words }) => ({
            words,
            sessionId: fromHex(session),
            format: formatCode(format),
          })),
        ),
      ),
    destroy: () => share.destroy(),
  }
}
