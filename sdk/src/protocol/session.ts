/**
 * Sessions (protocol §1): a SessionId names exactly one linear form on the key, because flooding masks derive from it.
 * It depends on the canonical words alone, never on a request: repeating a request repeats the same bytes.
 */
import { taggedHash } from "./codec.ts"
import { type WordFormat, wordFormatOfBlocks } from "./fheType.ts"
import type { Digest, Epoch, KeyId, SessionId } from "./ids.ts"

/** Key part and format as they enter a session: `ns` reads raw words, `nsc` packed ones. */
const READINGS = {
  raw: { keyPart: 1, format: 1 },
  packed: { keyPart: 2, format: 2 },
} as const satisfies Record<WordFormat, { readonly keyPart: number; readonly format: number }>

/** Number of a format in session ids and towards the native kernels. */
export const formatCode = (format: WordFormat): number => READINGS[format].format

/**
 * @param squashedDigest SHA-256 of exactly the canonical words, as in the anchored commitment.
 * @param blockCount blocks in those words; it fixes their format, since types of one block count share one.
 * @param format for tests of the separation only: words are never read in another format than their type's.
 */
export function sessionIdOf(session: {
  readonly keyId: KeyId
  readonly epoch: Epoch
  /** Of the key's parameter set. */
  readonly parametersHash: Digest
  readonly blockCount: number
  readonly squashedDigest: Digest
  readonly format?: WordFormat
}): SessionId {
  const { keyId, epoch, parametersHash, blockCount, squashedDigest } = session
  const { keyPart, format } = READINGS[session.format ?? wordFormatOfBlocks(blockCount)]
  return taggedHash(
    "twinlock/session/v1",
    keyId,
    epoch,
    keyPart,
    format,
    parametersHash,
    blockCount,
    squashedDigest,
  ) as string as SessionId
}
