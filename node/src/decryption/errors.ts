/** Why a node refuses, delays or alarms in a decryption (protocol §6, §8): a closed set, also the metric's labels. */
import { type ErrorDetail, ProtocolError } from "@twinlock/sdk/protocol/errors"

export type DecryptionErrorCode =
  /** the gateway has no such request at the agreed block. */
  | "REQUEST_UNKNOWN"
  /** fulfilled, cancelled or refunded. */
  | "REQUEST_NOT_OPEN"
  /** the requester could still cancel: wait. */
  | "REQUEST_CANCELLABLE"
  | "REQUEST_EXPIRED"
  /** the request names another key than this node's. */
  | "WRONG_KEY"
  /** access control does not allow public decryption of the handle. */
  | "NOT_ALLOWED_FOR_DECRYPTION"
  /** access control does not allow the handle for both user and contract. */
  | "NOT_ALLOWED_FOR_USER"
  /** fewer than k executors committed the handle's ciphertext. */
  | "COMMITMENT_NOT_FINAL"
  | "COMMITMENT_FROZEN"
  /** the details do not hash to the leaf that is final on chain. */
  | "COMMITMENT_MISMATCH"
  /** type and block count of a commitment contradict each other or the handle. */
  | "COMMITMENT_MALFORMED"
  | "PERMIT_BAD_SIGNATURE"
  | "PERMIT_NOT_YET_VALID"
  | "PERMIT_EXPIRED"
  | "PERMIT_TOO_LONG"
  | "PERMIT_REVOKED"
  | "PERMIT_WRONG_CHAIN"
  | "PERMIT_WRONG_TRANSPORT_KEY"
  | "PERMIT_CONTRACT_NOT_LISTED"
  /** the user of a permit is one of its contracts. */
  | "PERMIT_USER_IS_CONTRACT"
  | "PERMIT_MALFORMED"
  /** no source served the blob. */
  | "BLOB_UNAVAILABLE"
  /** the bytes are not those of the committed digest, or not canonical. */
  | "BLOB_MISMATCH"
  /** this handle was already released to this recipient under another session. */
  | "CONFLICTING_RELEASE"
  /** the key's life-long budget of released blocks is used up. */
  | "BLOCK_BUDGET_EXHAUSTED"
  /** too many requests of one requester or user at once. */
  | "QUOTA_EXCEEDED"
  /** a quorum of approvals did not come in time. */
  | "NOT_APPROVED"
  /** a signing request whose digest, list or commitments are not those of this node's view. */
  | "SIGNING_REFUSED"
  /** the sender is not an aggregator of this rank at this time. */
  | "NOT_RANKED"

export type DecryptionDetail = ErrorDetail & { readonly code: DecryptionErrorCode }

export const decryptionError = (
  code: DecryptionErrorCode,
  message: string,
  options?: ErrorOptions,
): ProtocolError<DecryptionDetail> => new ProtocolError<DecryptionDetail>({ code, message }, options)

/** Refusals that a later block may lift; everything else is final for its subject. */
export const isTemporary = (code: DecryptionErrorCode): boolean =>
  code === "REQUEST_CANCELLABLE" ||
  code === "COMMITMENT_NOT_FINAL" ||
  code === "BLOB_UNAVAILABLE" ||
  code === "REQUEST_UNKNOWN" ||
  code === "NOT_APPROVED"
