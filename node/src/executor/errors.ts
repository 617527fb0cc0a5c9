/** Why an executor refuses an input or cannot follow the chain: a closed set, also the metric's labels. */
import { type ErrorDetail, ProtocolError } from "@twinlock/sdk/protocol/errors"

export type ExecutorErrorCode =
  /** the proof does not hold for this user, contract, key and CRS, or the list is malformed. */
  | "INPUT_REFUSED"
  /** the list is above the maximum. */
  | "INPUT_TOO_LARGE"
  /** too many inputs wait for their verification. */
  | "INPUT_QUEUE_FULL"
  /** the key is not active yet, or its files are not loaded. */
  | "KEY_NOT_READY"
  /** an operand of an operation is not there; the chain never emits such an operation. */
  | "CIPHERTEXT_UNKNOWN"
  /** the list of an input that the chain accepted is nowhere to be had. */
  | "INPUT_UNAVAILABLE"

export type ExecutorDetail = ErrorDetail & { readonly code: ExecutorErrorCode }

export const executorError = (
  code: ExecutorErrorCode,
  message: string,
  options?: ErrorOptions,
): ProtocolError<ExecutorDetail> => new ProtocolError<ExecutorDetail>({ code, message }, options)
