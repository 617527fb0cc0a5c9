/**
 * From permission to shares (protocol §8, rules 4 to 6): fetch the canonical words, check-and-insert into the release log,
 * book the blocks, all before this node even approves; then compute. Shares leave only through `sharesOf`. A conflicting
 * release books nothing: nobody can use up a key's budget with what is refused.
 */
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { blobBytesOf } from "@twinlock/sdk/protocol/fheType"
import type { SessionId } from "@twinlock/sdk/protocol/ids"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { Authorised } from "./authorisePublic.ts"
import type { BlockBudget } from "./blockBudget.ts"
import { decryptionError } from "./errors.ts"
import type { ReleaseLog } from "./releaseLog.ts"

/** The opaque native key share, as far as decryption needs it. */
export type ShareHolder = {
  /** @returns 64 masked bytes per block. The same words and session give the same bytes. */
  decryptionShare(words: Uint8Array, session: SessionId): Promise<Uint8Array>
}

export type ReleaseDeps = {
  readonly blobs: BlobSource
  readonly budget: BlockBudget
  readonly log: ReleaseLog
  readonly holder: ShareHolder
}

/** Words of each session of a subject that passed all rules; public bytes. */
export type Prepared = { readonly authorised: Authorised; readonly words: ReadonlyMap<SessionId, Uint8Array> }

/** @throws BLOB_UNAVAILABLE, BLOB_MISMATCH, BLOCK_BUDGET_EXHAUSTED, CONFLICTING_RELEASE */
export async function prepareRelease(
  authorised: Authorised,
  { blobs, budget, log }: ReleaseDeps,
): Promise<Prepared> {
  const words = new Map<SessionId, Uint8Array>()
  for (const { session, squashedDigest, fheType } of authorised.ciphertexts) {
    const bytes = await blobs.get(squashedDigest, blobBytesOf(fheType))
    // Whatever the source promises: the session names the linear form by this very digest.
    if (sha256Digest(bytes) !== squashedDigest)
      throw decryptionError("BLOB_MISMATCH", `the bytes served are not those of ${squashedDigest}`)
    if (bytes.length !== blobBytesOf(fheType))
      throw decryptionError(
        "BLOB_MISMATCH",
        `canonical words of type ${fheType} have ${blobBytesOf(fheType)} bytes, ${squashedDigest} has ${bytes.length}`,
      )
    words.set(session, bytes)
  }
  for (const { handle, session, blockCount } of authorised.ciphertexts) {
    await log.checkAndInsert({ handle, recipient: authorised.recipient, session })
    await budget.spend(session, blockCount)
  }
  return { authorised, words }
}

/** This node's shares, in the order of the ciphertexts. Only after a quorum of approvals. */
export async function sharesOf(
  { authorised, words }: Prepared,
  holder: ShareHolder,
): Promise<readonly { readonly session: SessionId; readonly share: Uint8Array }[]> {
  return Promise.all(
    authorised.ciphertexts.map(async ({ session }) => {
      const bytes = words.get(session)
      if (bytes === undefined)
        throw decryptionError("BLOB_UNAVAILABLE", `the words of session ${session} were not prepared`)
      return { session, share: await holder.decryptionShare(bytes, session) }
    }),
  )
}
