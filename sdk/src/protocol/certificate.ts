/**
 * Certificates of results (protocol §6, §7): a group signature over a batch with the result's place in it (rule B′), the
 * signatures of a quorum of seats instead (rule E), or a group signature with what a requester demands besides. Public data
 * only.
 */
import { concatBytes } from "./codec.ts"
import type { DecryptionResult } from "./eip712.ts"
import { ProtocolError } from "./errors.ts"
import type { Address, Digest, Epoch, KeyId } from "./ids.ts"
import { isLowS } from "./signature.ts"

export type CertificateErrorCode = "COMPACT_SIGNATURE_FORM"

/** The place of one result in a batch. */
type Place = {
  /** Results in the batch; fixes the depth of the tree. */
  readonly leaves: number
  /** Position of the result, from 0. */
  readonly index: number
  /** Siblings from the leaf upwards. */
  readonly path: readonly Digest[]
}

/** Group signature over all results of a batch, which stand in the order of their leaves. */
export type BatchCertificate = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  /** Bit (index − 1) stands for party `index`. */
  readonly signers: bigint
  /** Address of the commitment point R. */
  readonly r: Address
  readonly s: bigint
}

/** The same for one result of a batch. */
export type Certificate = BatchCertificate & Place

/** 64 bytes r ‖ vs of EIP-2098: the parity of R's y is the top bit of s, which is at most n/2. */
export type CompactSignature = Uint8Array

/** Signatures over `EndorsedBatch`, each by its seat's signer, one for every bit of `signers`, ascending by party. */
export type EndorsedCertificate = Place & {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly signers: bigint
  readonly signatures: readonly CompactSignature[]
}

/** The parts of a quote that the contract takes; `evidenceOf` in attestation/evidence.ts makes them. */
export type QuoteEvidence = {
  readonly quote: Uint8Array
  readonly auth: Uint8Array
  readonly pckLeaf: Uint8Array
  readonly caId: Digest
  readonly configDocument: Uint8Array
}

/** A quote of a seat's enclave for one batch: its report data is `freshQuoteBinding`. */
export type FreshQuote = { readonly party: number; readonly evidence: QuoteEvidence }

/** What goes beyond the group signature: endorsements over the same batch (rule A), and quotes ascending by party. */
export type PolicyEvidence = {
  readonly endorsers: bigint
  readonly signatures: readonly CompactSignature[]
  readonly quotes: readonly FreshQuote[]
}

/** What a requester demands before its result counts; stands with the request on chain. */
export type AcceptancePolicy = {
  /** Live seats that must sign beside the group. */
  readonly endorsements: number
  /** Live seats whose enclaves must quote for the result. */
  readonly freshQuotes: number
  /** Whether a quorum of seats does not replace the group signature. */
  readonly groupOnly: boolean
}

/** What a request without policy demands: rule B′ or rule E. */
export const STANDING_POLICY: AcceptancePolicy = { endorsements: 0, freshQuotes: 0, groupOnly: false }

/** Whether a group signature alone does not satisfy the policy. */
export const needsEvidence = ({ endorsements, freshQuotes }: AcceptancePolicy): boolean =>
  endorsements > 0 || freshQuotes > 0

/** How a result was, or is to be, accepted: the kinds of {@link Certified}. */
export type AcceptanceRule = "group" | "endorsed" | "policy"

/** One result with what the contract accepts it by. */
export type Certified =
  | { readonly kind: "group"; readonly result: DecryptionResult; readonly certificate: Certificate }
  | {
      readonly kind: "endorsed"
      readonly result: DecryptionResult
      readonly certificate: EndorsedCertificate
    }
  | {
      readonly kind: "policy"
      readonly result: DecryptionResult
      readonly certificate: Certificate
      readonly evidence: PolicyEvidence
    }

export const COMPACT_SIGNATURE_BYTES = 64

const bad = (message: string): ProtocolError => new ProtocolError({ code: "COMPACT_SIGNATURE_FORM", message })

/** @param signature canonical, 65 bytes r ‖ s ‖ v. @throws COMPACT_SIGNATURE_FORM */
export function compactSignature(signature: Uint8Array): CompactSignature {
  const v = signature[64]
  const top = signature[32] ?? 0
  const s = signature.subarray(32, COMPACT_SIGNATURE_BYTES)
  if (signature.length !== COMPACT_SIGNATURE_BYTES + 1 || (v !== 27 && v !== 28) || !isLowS(s))
    throw bad(`want 65 bytes r ‖ s ‖ v with low s and v 27 or 28, got ${signature.length} bytes, v ${v}`)
  const compact = signature.slice(0, COMPACT_SIGNATURE_BYTES)
  compact[32] = top | ((v - 27) << 7)
  return compact
}

/** 65 bytes r ‖ s ‖ v, as `recoverSigner` takes them. @throws COMPACT_SIGNATURE_FORM */
export function expandSignature(compact: CompactSignature): Uint8Array {
  if (compact.length !== COMPACT_SIGNATURE_BYTES)
    throw bad(`want ${COMPACT_SIGNATURE_BYTES} bytes r ‖ vs, got ${compact.length}`)
  const top = compact[32] ?? 0
  const signature = concatBytes(compact, Uint8Array.of(27 + (top >> 7)))
  signature[32] = top & 0x7f
  return signature
}
