/**
 * What the ideal primitives of a run remember: who signed what. A signature holds because it was made here, by whoever
 * holds the key, and for no other reason; nobody forges. Runs that ask for it use the real primitives, and then the ledger
 * is told of the uses of nonces only.
 */
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"

/** One use of a nonce pair: the list and the message that the share answers. */
export type NonceUse = {
  readonly party: PartyIndex
  readonly commitment: string
  readonly list: string
  readonly message: Digest
}

export type Ledger = {
  /** Real primitives. */
  real: boolean
  /** Signer by digest and signature. */
  readonly signers: Map<string, string>
  /** Commitment pairs that were made. */
  readonly pairs: Set<string>
  /** Signature shares and group signatures by what they are valid for. */
  readonly valid: Set<string>
  onNonceUse: (use: NonceUse) => void
}

export const ledger: Ledger = {
  real: false,
  signers: new Map(),
  pairs: new Set(),
  valid: new Set(),
  onNonceUse: () => {},
}

/** Forgets everything of the run before. */
export function openLedger(real: boolean, onNonceUse: Ledger["onNonceUse"]): void {
  ledger.real = real
  ledger.signers.clear()
  ledger.pairs.clear()
  ledger.valid.clear()
  ledger.onNonceUse = onNonceUse
}
