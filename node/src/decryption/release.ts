/**
 * From permission to shares (protocol §8, rules 4 to 6): the canonical words must be had and be those of the commitment,
 * and the release booked, before this node even approves. Shares leave only through `sharesOf`.
 */
import { hash } from "node:crypto"
import { blobBytesOf, wordFormatOf } from "@twinlock/sdk/protocol/fheType"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { SessionShare } from "@twinlock/sdk/protocol/messages"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { ShareWork } from "../threshold/keyShare.ts"
import type { Authorised } from "./authorisePublic.ts"
import type { OpenableCiphertext } from "./ciphertexts.ts"
import { decryptionError } from "./errors.ts"
import type { ReleaseLedger } from "./releaseLedger.ts"

/** The opaque native key share, as far as decryption needs it. */
export type ShareHolder = {
  /**
   * 64 masked bytes per block for each item, in order. The same words and session give the same bytes. Fails as a whole
   * where one item fails.
   */
  decryptionShares(work: readonly ShareWork[]): Promise<readonly Uint8Array[]>
}

/** Canonical words, {@link verified}; told when they were used. */
export type WordSource = BlobSource & { done(digest: Digest): void }

export type ReleaseDeps = {
  readonly blobs: WordSource
  readonly ledger: ReleaseLedger
  readonly holder: ShareHolder
}

/**
 * A source whose answers were hashed here, whatever the given one promises: a session names the linear form by this very
 * digest. Wraps what comes from outside, so that what is kept in memory need not be hashed at every use.
 */
export const verified = (blobs: BlobSource): BlobSource => ({
  async get(digest, maxBytes, signal) {
    const bytes = await blobs.get(digest, maxBytes, signal)
    if (`0x${hash("sha256", bytes, "hex")}` !== digest)
      throw decryptionError("BLOB_MISMATCH", `the bytes served are not those of ${digest}`)
    return bytes
  },
})

/** @param blobs {@link verified} @throws BLOB_UNAVAILABLE, BLOB_MISMATCH */
async function wordsOf(
  { squashedDigest, fheType }: OpenableCiphertext,
  blobs: BlobSource,
): Promise<Uint8Array> {
  const bytes = await blobs.get(squashedDigest, blobBytesOf(fheType))
  if (bytes.length !== blobBytesOf(fheType))
    throw decryptionError(
      "BLOB_MISMATCH",
      `canonical words of type ${fheType} have ${blobBytesOf(fheType)} bytes, ${squashedDigest} has ${bytes.length}`,
    )
  return bytes
}

/** Words of one subject that are on their way or looked at together. */
const CHECKED_BYTES = 256 * 1024

/**
 * Rule 4: the words of every ciphertext can be had and are canonical. They are not held here, and few are looked at at once:
 * whoever asks for many wide ones waits longer, and takes no more memory.
 * @throws BLOB_UNAVAILABLE, BLOB_MISMATCH
 */
export async function checkWords({ ciphertexts }: Authorised, blobs: BlobSource): Promise<void> {
  let together: OpenableCiphertext[] = []
  let bytes = 0
  for (const ciphertext of ciphertexts) {
    const more = blobBytesOf(ciphertext.fheType)
    if (bytes + more > CHECKED_BYTES && together.length > 0) {
      await Promise.all(together.map((item) => wordsOf(item, blobs)))
      together = []
      bytes = 0
    }
    together.push(ciphertext)
    bytes += more
  }
  await Promise.all(together.map((item) => wordsOf(item, blobs)))
}

/** Bytes of the canonical words of a subject. */
export const wordBytesOf = ({ ciphertexts }: Authorised): number =>
  ciphertexts.reduce((sum, { fheType }) => sum + blobBytesOf(fheType), 0)

/** Rules 4 to 6 for one subject. @throws BLOB_UNAVAILABLE, BLOB_MISMATCH, BLOCK_BUDGET_EXHAUSTED, CONFLICTING_RELEASE */
export async function prepareRelease(authorised: Authorised, { blobs, ledger }: ReleaseDeps): Promise<void> {
  await checkWords(authorised, blobs)
  const [booking] = await ledger.book([authorised])
  if (typeof booking === "object") throw booking
}

/**
 * This node's shares of released subjects, in the order of their ciphertexts, computed together; a session that several
 * of them name is computed once. Only after a quorum of approvals of each.
 * @throws BLOB_UNAVAILABLE, BLOB_MISMATCH, and what the holder throws
 */
export async function sharesOf(
  released: readonly Authorised[],
  { blobs, holder }: Pick<ReleaseDeps, "blobs" | "holder">,
): Promise<readonly SessionShare[]> {
  const wanted = new Map(
    released.flatMap(({ ciphertexts }) => ciphertexts).map((ciphertext) => [ciphertext.session, ciphertext]),
  )
  const work = await Promise.all(
    [...wanted.values()].map(async (ciphertext) => ({
      session: ciphertext.session,
      format: wordFormatOf(ciphertext.fheType),
      words: await wordsOf(ciphertext, blobs),
    })),
  )
  const computed = await holder.decryptionShares(work)
  for (const { squashedDigest } of wanted.values()) blobs.done(squashedDigest)
  const shares = new Map(work.map(({ session }, i) => [session, computed[i]]))
  return released.flatMap(({ subject, ciphertexts }) =>
    ciphertexts.map(({ session }) => {
      const share = shares.get(session)
      if (share === undefined) throw new Error(`the holder gave no share of session ${session}`)
      return { subject, sessionId: session, share }
    }),
  )
}
