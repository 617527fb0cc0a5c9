/**
 * Sessions (protocol §1): a SessionId names exactly one linear form on the key, because flooding masks derive from it.
 * It depends on the canonical words alone, never on a request: repeating a request repeats the same bytes.
 */
import { keccak, taggedHash, utf8ToBytes } from "./codec.ts"
import type { Digest, Epoch, KeyId, SessionId } from "./ids.ts"

/** Parameter set of every key (protocol §4). */
export const PARAMETERS = "V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128"
export const PARAMS_HASH: Digest = keccak(utf8ToBytes(PARAMETERS))

/** Part of the key that enters the inner product: the noise-squashing secret. */
export const KEY_PART_NS = 1
/** Reading of the words: raw u128 little-endian, masks then body, one packed block after the other. */
export const FORMAT_RAW_WORDS = 1

/**
 * @param squashedDigest SHA-256 of exactly the canonical words, as in the anchored commitment.
 * @param blockCount packed blocks in those words.
 */
export function sessionIdOf(session: {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly blockCount: number
  readonly squashedDigest: Digest
}): SessionId {
  const { keyId, epoch, blockCount, squashedDigest } = session
  return taggedHash(
    "twinlock/session/v1",
    keyId,
    epoch,
    KEY_PART_NS,
    FORMAT_RAW_WORDS,
    PARAMS_HASH,
    blockCount,
    squashedDigest,
  ) as string as SessionId
}
