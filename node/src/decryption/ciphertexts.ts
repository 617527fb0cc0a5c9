/**
 * Which ciphertext a handle stands for (protocol §8.3): the commitment that k executors made final, checked field by
 * field, and the session that its canonical words name. The same rules serve public and user decryption. Pure.
 */
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import { blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import { fheTypeOf, type HandleDomain } from "@twinlock/sdk/protocol/handles"
import type { Digest, Epoch, Handle, KeyId, SessionId } from "@twinlock/sdk/protocol/ids"
import { sessionIdOf } from "@twinlock/sdk/protocol/session"
import type { HandleFacts } from "../chain/chainView.ts"
import { decryptionError } from "./errors.ts"

/** The key that this node holds a share of, with the contracts that its id fixes. */
export type KeyContext = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  /** Of its parameter set. */
  readonly parametersHash: Digest
  readonly domain: HandleDomain
}

/** One ciphertext that may be opened: handle, what to fetch, and the session of its words. */
export type OpenableCiphertext = {
  readonly handle: Handle
  readonly fheType: FheType
  readonly blockCount: number
  /** SHA-256 of the canonical words. */
  readonly squashedDigest: Digest
  readonly session: SessionId
}

/**
 * @param facts of one handle, as the chain has them at one agreed block
 * @throws COMMITMENT_NOT_FINAL, COMMITMENT_FROZEN, COMMITMENT_MISMATCH, COMMITMENT_MALFORMED
 */
export function openableCiphertext(
  key: KeyContext,
  { handle, commitment, details }: Pick<HandleFacts, "handle" | "commitment" | "details">,
): OpenableCiphertext {
  const { leaf, status } = commitment
  if (status === "frozen") throw decryptionError("COMMITMENT_FROZEN", `executors disagree about ${handle}`)
  if (status !== "final")
    throw decryptionError("COMMITMENT_NOT_FINAL", `fewer than k executors committed ${handle}: ${status}`)
  if (details === null)
    throw decryptionError("COMMITMENT_NOT_FINAL", `the details of the commitment of ${handle} were not found`)
  const fheType = fheTypeOf(handle)
  const { blockCount, squashedDigest } = details
  if (commitmentLeaf(key.domain, { ...details, fheType }) !== leaf || details.handle !== handle)
    throw decryptionError(
      "COMMITMENT_MISMATCH",
      `the details of ${handle} do not hash to its final leaf ${leaf}`,
    )
  if (details.fheType !== fheType || blockCount !== blockCountOf(fheType))
    throw decryptionError(
      "COMMITMENT_MALFORMED",
      `${handle} of type ${fheType} has ${blockCountOf(fheType)} blocks, committed type ${details.fheType} with ${blockCount}`,
    )
  const session = sessionIdOf({ ...key, blockCount, squashedDigest })
  return { handle, fheType, blockCount, squashedDigest, session }
}
