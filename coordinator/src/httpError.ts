/** How errors leave the HTTP API: `{ error: { code, message } }`, one status per code, nothing of the inside. */
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"

export type CoordinatorErrorCode =
  | "MALFORMED_BODY"
  | "BODY_TOO_LARGE"
  | "BODY_TOO_SLOW"
  | "BLOB_NOT_FOUND"
  | "BLOB_DIGEST_MISMATCH"
  | "BLOB_TOO_LARGE"
  | "BLOB_UNAUTHORISED"
  | "INPUT_REFUSED"
  | "EXECUTORS_DISAGREE"
  | "EXECUTORS_UNREACHABLE"
  | "NODES_UNREACHABLE"
  | "NODES_REFUSED"
  | "RPC_UNAVAILABLE"
  | "NOT_SUBMITTABLE"
  | "QUEUE_FULL"
  | "BUSY"
  | "TOO_MANY_AT_ONCE"
  | "NOT_FOUND"

export type HttpStatus = 400 | 401 | 404 | 408 | 409 | 413 | 422 | 429 | 500 | 502 | 503

const STATUS: Readonly<Record<CoordinatorErrorCode, HttpStatus>> = {
  MALFORMED_BODY: 400,
  BODY_TOO_LARGE: 413,
  BODY_TOO_SLOW: 408,
  BLOB_NOT_FOUND: 404,
  BLOB_DIGEST_MISMATCH: 422,
  BLOB_TOO_LARGE: 413,
  BLOB_UNAUTHORISED: 401,
  INPUT_REFUSED: 422,
  EXECUTORS_DISAGREE: 502,
  EXECUTORS_UNREACHABLE: 502,
  NODES_UNREACHABLE: 502,
  NODES_REFUSED: 409,
  RPC_UNAVAILABLE: 502,
  NOT_SUBMITTABLE: 409,
  QUEUE_FULL: 503,
  BUSY: 503,
  TOO_MANY_AT_ONCE: 429,
  NOT_FOUND: 404,
}

export type CoordinatorDetail = {
  readonly code: CoordinatorErrorCode
  readonly message: string
  /** Answers of the nodes or executors behind the refusal. */
  readonly causes?: readonly { readonly url: string; readonly code: string; readonly message: string }[]
}

export const coordinatorError = (
  detail: CoordinatorDetail,
  options?: ErrorOptions,
): ProtocolError<CoordinatorDetail> => new ProtocolError(detail, options)

export type ErrorBody = {
  readonly error: CoordinatorDetail | { readonly code: string; readonly message: string }
}

/** Errors of this API keep their code; codec and id errors of the SDK are the caller's; the rest is ours and says nothing. */
export function describeError(error: unknown): { readonly status: HttpStatus; readonly body: ErrorBody } {
  if (!isProtocolError(error))
    return { status: 500, body: { error: { code: "INTERNAL", message: "internal error" } } }
  const detail = error.detail as CoordinatorDetail
  const status = STATUS[detail.code]
  if (status !== undefined) return { status, body: { error: detail } }
  return { status: 400, body: { error: { code: error.detail.code, message: error.detail.message } } }
}
