/**
 * Errors of the actions. Like every ProtocolError they carry a closed code; on top they say where the documentation explains
 * the cause and the next step (`sdk/README.md`, one heading per code).
 */
import { type ErrorDetail, ProtocolError } from "./protocol/errors.ts"
import type { PartyIndex } from "./protocol/ids.ts"

export const SDK_ERROR_CODES = [
  "COORDINATOR_UNREACHABLE",
  "COORDINATOR_REFUSED",
  "COORDINATOR_MALFORMED",
  "PARAMETERS_UNKNOWN",
  "PUBLIC_KEY_DIGEST_MISMATCH",
  "CRS_DIGEST_MISMATCH",
  "INPUT_HANDLES_MISMATCH",
  "INPUT_ATTESTATIONS",
  "CERTIFICATE_NETWORK",
  "CERTIFICATE_SHAPE",
  "CERTIFICATE_HANDLES",
  "CERTIFICATE_SIGNERS",
  "CERTIFICATE_SIGNER_NOT_LIVE",
  "CERTIFICATE_PLACE",
  "CERTIFICATE_SESSION",
  "CERTIFICATE_SIGNATURE",
  "CERTIFICATE_POLICY",
  "REQUEST_UNKNOWN",
  "REQUEST_CLOSED",
  "REQUEST_MISMATCH",
  "PERMIT_INVALID",
  "SHARES_NOT_ENOUGH",
] as const

export type SdkErrorCode = (typeof SDK_ERROR_CODES)[number]

export type SdkErrorDetail = ErrorDetail & {
  readonly code: SdkErrorCode
  /** Heading of `sdk/README.md` about this code. */
  readonly docsPath: string
}

/** @param message the broken rule, the offending value, and what would be right. */
export function sdkError(
  code: SdkErrorCode,
  message: string,
  options: { readonly culprits?: readonly PartyIndex[]; readonly cause?: unknown } = {},
): ProtocolError<SdkErrorDetail> {
  const { culprits = [], cause } = options
  const docsPath = `sdk/README.md#${code.toLowerCase()}`
  return new ProtocolError({ code, message, culprits, docsPath }, cause === undefined ? {} : { cause })
}
