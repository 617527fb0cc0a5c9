/** Every reason for which evidence of a trusted execution environment is refused: one closed list, usable as metric labels. */
import { ProtocolError } from "../protocol/errors.ts"

/** The bytes are not what they claim to be. */
export type MalformedCode =
  | "DER_MALFORMED"
  | "PEM_MALFORMED"
  | "CERTIFICATE_MALFORMED"
  | "CRL_MALFORMED"
  | "COLLATERAL_SHAPE"
  | "TCB_INFO_MALFORMED"
  | "QE_IDENTITY_MALFORMED"
  | "EVENT_LOG_MALFORMED"
  | "CONFIG_DOCUMENT_MALFORMED"
  | "COMPOSE_MALFORMED"

/** The quote's header or layout (docs/attestation.md §3, 1). */
export type QuoteCode =
  | "QUOTE_LENGTH"
  | "QUOTE_TRAILING"
  | "QUOTE_VERSION"
  | "QUOTE_KEY_TYPE"
  | "QUOTE_TEE_TYPE"
  | "QUOTE_VENDOR"
  | "QUOTE_BODY_TYPE"
  | "QUOTE_CERTIFICATION_TYPE"

/** Certificate chains and revocation (items 2 to 4). */
export type ChainCode =
  | "ROOT_MISMATCH"
  | "CHAIN_LENGTH"
  | "CHAIN_ISSUER"
  | "CHAIN_SUBJECT"
  | "CHAIN_AUTHORITY"
  | "CHAIN_PATH_LENGTH"
  | "CHAIN_END_ENTITY"
  | "CHAIN_SIGNATURE"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_NOT_YET_VALID"
  | "PCK_EXTENSION_MISSING"
  | "CRL_ISSUER"
  | "CRL_SIGNATURE"
  | "CRL_EXPIRED"
  | "CRL_NOT_YET_VALID"
  | "PCK_REVOKED"
  | "PCK_CA_REVOKED"
  | "TCB_SIGNER_REVOKED"
  | "TCB_SIGNER"

/** Intel's signed statements about TCB levels and the quoting enclave (item 5). */
export type CollateralCode =
  | "COLLATERAL_TERMS"
  | "TCB_INFO_SIGNATURE"
  | "TCB_INFO_EXPIRED"
  | "TCB_INFO_NOT_YET_VALID"
  | "TCB_INFO_FMSPC"
  | "TCB_INFO_PCE"
  | "TCB_INFO_BELOW_FLOOR"
  | "QE_IDENTITY_SIGNATURE"
  | "QE_IDENTITY_EXPIRED"
  | "QE_IDENTITY_NOT_YET_VALID"
  | "QE_IDENTITY_BELOW_FLOOR"

/** Signatures and fields of quote and quoting enclave (items 6 to 9). */
export type ReportCode =
  | "QE_REPORT_SIGNATURE"
  | "QE_REPORT_BINDING"
  | "QE_SIGNER"
  | "QE_PRODUCT"
  | "QE_MISC_SELECT"
  | "QE_ATTRIBUTES"
  | "QE_TCB_LEVEL"
  | "QUOTE_SIGNATURE"
  | "TCB_LEVEL"
  | "MODULE_SIGNER"
  | "MODULE_ATTRIBUTES"
  | "MODULE_UNKNOWN"
  | "MODULE_TCB_LEVEL"
  | "TD_DEBUG"
  | "TD_RESERVED_ATTRIBUTES"
  | "TD_SEPT_VE"
  | "TD_SERVICE"

/** The verifier's own policy (items 9 to 12). */
export type PolicyCode =
  | "POLICY_TCB_STATUS"
  | "POLICY_TCB_GRACE"
  | "POLICY_ADVISORY"
  | "POLICY_TD_ATTRIBUTES"
  | "POLICY_XFAM"
  | "POLICY_OWNER"
  | "POLICY_IMAGE"
  | "POLICY_COMPOSE"
  | "POLICY_PLATFORM"
  | "POLICY_PPID"
  | "POLICY_PIID"
  | "POLICY_KEY_PROVIDER"
  | "POLICY_REPORT_DATA"
  | "EVENT_LOG_MISMATCH"
  | "EVENT_LOG_INCOMPLETE"
  | "EVENT_LOG_DUPLICATE"
  | "EVENT_LOG_UNKNOWN"
  | "CONFIG_ID_MISSING"
  | "CONFIG_ID_VERSION"
  | "CONFIG_ID_MISMATCH"
  | "CONFIG_DOCUMENT_MISSING"
  | "CONFIG_DOCUMENT_MISMATCH"
  | "DEVNET_ROOT_REFUSED"

/** Rules on the application's compose file (docs/attestation.md §6). */
export type ComposeCode =
  | "COMPOSE_HASH"
  | "COMPOSE_FIELD"
  | "COMPOSE_RUNNER"
  | "COMPOSE_IMAGE"
  | "COMPOSE_SCRIPT"
  | "COMPOSE_ENVIRONMENT"
  | "COMPOSE_KEY_PROVIDER"
  | "COMPOSE_FLAG"

export type AttestationErrorCode =
  | MalformedCode
  | QuoteCode
  | ChainCode
  | CollateralCode
  | ReportCode
  | PolicyCode
  | ComposeCode

export type AttestationErrorDetail = { readonly code: AttestationErrorCode; readonly message: string }

/** @param message one sentence, lower case, the broken rule with the offending value. */
export const attestationError = (
  code: AttestationErrorCode,
  message: string,
  options?: ErrorOptions,
): ProtocolError<AttestationErrorDetail> => new ProtocolError({ code, message }, options)

/** Runs `parse` and turns any attestation error of a lower layer into `code`, keeping it as the cause. */
export function within<T>(code: MalformedCode, what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.detail.code === code) throw error
    throw attestationError(code, `${what}: ${error.detail.message}`, { cause: error })
  }
}
