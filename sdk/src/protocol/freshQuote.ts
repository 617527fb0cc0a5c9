/** What a quote for one tree of results binds (protocol §7). Public data only. */
import { taggedHash } from "./codec.ts"
import type { Address, Digest, Epoch, KeyId } from "./ids.ts"

export type FreshQuoteSubject = {
  readonly chainId: bigint
  /** The DecryptionVerifier. */
  readonly verifier: Address
  readonly keyId: KeyId
  readonly epoch: Epoch
  /** The seat whose enclave quotes. */
  readonly party: number
  readonly root: Digest
  readonly leaves: number
}

/** First half of the report data; the second half is zero. */
export const freshQuoteBinding = (subject: FreshQuoteSubject): Digest => {
  const { chainId, verifier, keyId, epoch, party, root, leaves } = subject
  return taggedHash("twinlock/fresh-quote/v1", chainId, verifier, keyId, epoch, party, root, leaves)
}
