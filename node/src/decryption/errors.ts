/** Why a node refuses, delays or alarms in a decryption (protocol §6, §8): a closed set, also the metric's labels. */
import { type ErrorDetail, ProtocolError } from "@twinlock/sdk/protocol/errors"

export type DecryptionErrorCode =
  /** the gateway has no such request at the agreed block. */
  | "REQUEST_UNKNOWN"
  /** fulfilled, cancelled or refunded. */
  | "REQUEST_NOT_OPEN"
  /** the requester could still cancel: wait. */
  | "REQUEST_CANCELLABLE"
  /** the deadline has passed, or is too near for a result on time. */
  | "REQUEST_EXPIRED"
  /** the requester demands more endorsements or fresh quotes than the committee has seats. */
  | "POLICY_UNMEETABLE"
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
  /** the own commitment in a signing request was used, dropped, or made before a restart. */
  | "COMMITMENT_USED"

export type DecryptionDetail = ErrorDetail & { readonly code: DecryptionErrorCode }

export const decryptionError = (
  code: DecryptionErrorCode,
  message: string,
  options?: ErrorOptions,
): ProtocolError<DecryptionDetail> => new ProtocolError<DecryptionDetail>({ code, message }, options)

/**
 * What to do with a request that was refused with a code, of whatever part of the node.
 * next-block: chain time or executors decide, look again at the next block. later: something outside the protocol failed.
 * never: final for the subject.
 */
export type Remedy = "next-block" | "later" | "never"

/** Codes of other parts, whose failures are nobody's fault here: chain, storage, blobs. */
const FOREIGN = /^(CHAIN|STORE|BLOB)_/

export function remedyOf(code: string): Remedy {
  switch (code as DecryptionErrorCode) {
    case "REQUEST_CANCELLABLE":
    case "REQUEST_UNKNOWN":
    case "COMMITMENT_NOT_FINAL":
      return "next-block"
    case "BLOB_UNAVAILABLE":
    case "NOT_APPROVED":
    case "QUOTA_EXCEEDED":
      return "later"
    default:
      return FOREIGN.test(code) ? "later" : "never"
  }
}

/** Refusals that say that somebody tries something: logged as errors. */
export const isAlarm = (code: string): boolean =>
  code === "CONFLICTING_RELEASE" || code === "COMMITMENT_FROZEN" || code === "COMMITMENT_MISMATCH"
