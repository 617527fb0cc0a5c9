/**
 * From summed contributions to the keys that the world uses (docs/keygen.md §1, §2). Public data; big files stay on disk.
 */
import { awaitNative, callNative } from "./native.ts"

export type ChunkLayout = {
  readonly index: number
  /** Name of the part of the key that the chunk belongs to. */
  readonly part: string
  readonly words: number
  readonly wordBytes: 8 | 16
  readonly byteLength: number
}

export type KeyLayout = { readonly chunks: readonly ChunkLayout[]; readonly byteLength: number }

/** The one chunk that the compact public key is made of. */
export const PUBLIC_KEY_PART = "compact-public-key"

export function keyLayout(): KeyLayout {
  const { chunks, byteLength } = callNative((addon) => addon.keyLayout())
  return {
    chunks: chunks.map((chunk) => ({ ...chunk, wordBytes: chunk.wordBytes === 16 ? 16 : 8 })),
    byteLength,
  }
}

/** Wrapping addition in place. @throws KEYGEN_KEY_LAYOUT */
export const addInto = (accumulator: Uint8Array, contribution: Uint8Array, wordBytes: 8 | 16): void =>
  callNative((addon) => addon.addInto(accumulator, contribution, wordBytes))

/** The serialised CompactPublicKey. @throws KEYGEN_KEY_LAYOUT */
export const assemblePublicKey = (publicSeed: Uint8Array, publicKeyChunk: Uint8Array): Uint8Array =>
  callNative((addon) => addon.assemblePublicKey(publicSeed, publicKeyChunk))

/** Writes the serialised CompressedServerKey. @param chunkPaths files in chunk order @throws KEYGEN_KEY_LAYOUT, NATIVE_IO */
export const assembleServerKey = (
  publicSeed: Uint8Array,
  chunkPaths: readonly string[],
  outPath: string,
): Promise<{ readonly sha256: Uint8Array; readonly byteLength: number }> =>
  awaitNative((addon) => addon.assembleServerKey(publicSeed, [...chunkPaths], outPath))
