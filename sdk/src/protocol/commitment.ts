/**
 * Ciphertext commitments (protocol §8): what k executors of distinct operators anchor, bit for bit equal, before any node
 * releases a share. The leaf is recomputed by the contract, by nodes and by the SDK.
 */
import { taggedHash } from "./codec.ts"
import type { FheType } from "./fheType.ts"
import type { HandleDomain } from "./handles.ts"
import type { Digest, Handle } from "./ids.ts"

export type Commitment = {
  readonly handle: Handle
  /** What made the ciphertext: operation and parameters. */
  readonly operationDigest: Digest
  /** The operands' ciphertext digests. */
  readonly inputsDigest: Digest
  /** SHA-256 of the ciphertext before noise squashing. */
  readonly ciphertextDigest: Digest
  /** SHA-256 of the canonical words after noise squashing. */
  readonly squashedDigest: Digest
  readonly fheType: FheType
  readonly blockCount: number
}

/** Leaf of one commitment. */
export const commitmentLeaf = (domain: HandleDomain, commitment: Commitment): Digest =>
  taggedHash(
    "twinlock/commitment/v1",
    domain.chainId,
    domain.coprocessor,
    commitment.handle,
    commitment.operationDigest,
    commitment.inputsDigest,
    commitment.ciphertextDigest,
    commitment.squashedDigest,
    commitment.fheType,
    commitment.blockCount,
  )
