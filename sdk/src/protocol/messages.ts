/**
 * Gossip messages of a decryption (protocol §6): approve, share, sign, announce. Every message names key, epoch and the
 * party that signed it; each kind has its own signed form (messageSignature.ts) and one encoding (messageEncoding.ts).
 */
import type { Approved } from "./eip712.ts"
import type { Address, Digest, Epoch, KeyId, PartyIndex, RequestId, SessionId } from "./ids.ts"

export type MessageErrorCode =
  /** longer than the kind allows, or a field outside its form. */
  | "MESSAGE_FORM"
  /** unknown wire version or kind. */
  | "MESSAGE_KIND"
  /** made for another key or epoch than the committee it is checked against. */
  | "MESSAGE_COMMITTEE"

type Header = { readonly keyId: KeyId; readonly epoch: Epoch; readonly party: PartyIndex }

/** 66 bytes: hiding and binding point of one FROST nonce pair, each compressed. */
export type CommitmentPair = Uint8Array

/**
 * A node's word that §8 holds for each of the subjects at one agreed block. `commitments` are fresh FROST commitment pairs
 * of the sender, none for user decryption. EIP-712 `Approval`.
 */
export type Approval = Header & {
  readonly kind: "approval"
  /** 1..64 distinct subjects with 1..64 sessions each, at most 256 sessions in all. */
  readonly approved: readonly Approved[]
  readonly blockNumber: bigint
  readonly blockHash: Digest
  /** 1 approves; nothing else is sent. */
  readonly verdict: 1
  readonly commitments: readonly CommitmentPair[]
  readonly signature: Uint8Array
}

/** A party's masked share of one session of a subject: 64 bytes per block. */
export type SessionShare = {
  readonly subject: Digest
  readonly sessionId: SessionId
  readonly share: Uint8Array
}

/** Masked shares of sessions that may leave, 1..64 and at most 64 KiB of them. Public only inside attested channels. */
export type DecryptionShares = Header & {
  readonly kind: "decryption-shares"
  /** No session of a subject twice. */
  readonly shares: readonly SessionShare[]
  readonly signature: Uint8Array
}

/** The aggregator's signer list for one batch. The leaves of `root` are the results of `subjects`, in this order. */
export type SigningRequest = Header & {
  readonly kind: "signing-request"
  /** Counts the aggregator's attempts for these subjects, from 0. */
  readonly attempt: number
  readonly subjects: readonly RequestId[]
  readonly root: Digest
  /** Ascending by party; the parties are the bitmap of the signed batch. */
  readonly signers: readonly { readonly party: PartyIndex; readonly commitment: CommitmentPair }[]
  readonly signature: Uint8Array
}

/** A signer's answer to the request with digest `request`, and fresh commitments for later attempts. */
export type SignatureShare = Header & {
  readonly kind: "signature-share"
  readonly request: Digest
  /** 32 bytes, big-endian scalar. */
  readonly share: Uint8Array
  readonly commitments: readonly CommitmentPair[]
  readonly signature: Uint8Array
}

/** A finished group signature; whoever reconstructed the subjects' results can submit it. */
export type CertificateAnnouncement = Header & {
  readonly kind: "certificate-announcement"
  readonly subjects: readonly RequestId[]
  readonly root: Digest
  readonly signers: bigint
  readonly r: Address
  readonly s: bigint
  readonly signature: Uint8Array
}

/** A seat's own ECDSA word for a batch (rules E and A): the leaves of `root` are the results of `subjects` in this order. */
export type Endorsement = Header & {
  readonly kind: "endorsement"
  readonly subjects: readonly RequestId[]
  readonly root: Digest
  /** 65 bytes r ‖ s ‖ v over EIP-712 `EndorsedBatch` of root and subject count: what the chain reads. */
  readonly endorsement: Uint8Array
  readonly signature: Uint8Array
}

/** Fresh TEE evidence of the sender's seat that binds a batch (FreshQuote): the leaves of `root` are as in an endorsement. */
export type FreshQuote = Header & {
  readonly kind: "fresh-quote"
  readonly subjects: readonly RequestId[]
  readonly root: Digest
  /** Quote and whatever its verifier on chain wants with it. */
  readonly evidence: Uint8Array
  readonly signature: Uint8Array
}

export type GossipMessage =
  | Approval
  | DecryptionShares
  | SigningRequest
  | SignatureShare
  | CertificateAnnouncement
  | Endorsement
  | FreshQuote

export type MessageKind = GossipMessage["kind"]

/** The message before it is signed. */
export type Unsigned<M extends GossipMessage> = M extends GossipMessage ? Omit<M, "signature"> : never

export const APPROVE = 1
export const COMMITMENT_PAIR_BYTES = 66
/** Subjects of one approval, and shares of one message. */
export const MAX_ITEMS = 64
/** Sessions of one subject, and of all subjects of one approval. */
export const MAX_SESSIONS = 64
export const MAX_APPROVED_SESSIONS = 256
/** Share bytes of one message. */
export const MAX_SHARE_BYTES = 65_536
export const MAX_COMMITMENTS = 8
export const MAX_BATCH = 256
export const MAX_EVIDENCE_BYTES = 12_288

/** Hard maxima of encoded messages, for topics and decoders. */
export const MAX_MESSAGE_BYTES: Readonly<Record<MessageKind, number>> = {
  approval: 11_072,
  "decryption-shares": 69_996,
  "signing-request": 9600,
  "signature-share": 768,
  "certificate-announcement": 8512,
  endorsement: 8400,
  "fresh-quote": 20_640,
}
