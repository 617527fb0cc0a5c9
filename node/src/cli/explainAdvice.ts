/** What whoever holds a refused quote can do about it, by the verifier's code. */
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import type { Explanation } from "@twinlock/sdk/attestation/explain"

const FORGED =
  "the bytes were changed or forged: ask the machine for a new quote, and trust nothing in this one"
const NEW_FILES = "the file is cut or changed: get quote and collateral again"
const COLLATERAL = "fetch the collateral again, from Intel or another cache"
const NEW_COLLATERAL = `${COLLATERAL}; a cache that keeps serving this one is behind`
const TIME = "check the time of the verification (--at), then fetch collateral and quote again"
const UPDATE = "the operator updates BIOS, microcode and TDX module, and makes a new quote"
const POLICY = "if this value is right, add it to the policy; if not, do not use this machine"

const UPDATED_PROGRAM = `${COLLATERAL}; if Intel changed its format, update this program`
const ONE_ANSWER = "take quote and event log from one answer of the guest agent"
const COMPOSE = "change the compose file as its rules want, and boot with the new one"
const QE = "the quote is of another enclave than Intel's TD quoting enclave: reinstall it"

const ADVICE: Readonly<Record<AttestationErrorCode, string>> = {
  DER_MALFORMED: COLLATERAL,
  PEM_MALFORMED: NEW_FILES,
  CERTIFICATE_MALFORMED: NEW_FILES,
  CRL_MALFORMED: COLLATERAL,
  COLLATERAL_SHAPE:
    "give the JSON object with pck_crl, tcb_info, qe_identity and their chains and signatures",
  TCB_INFO_MALFORMED: UPDATED_PROGRAM,
  QE_IDENTITY_MALFORMED: UPDATED_PROGRAM,
  EVENT_LOG_MALFORMED: ONE_ANSWER,
  CONFIG_DOCUMENT_MALFORMED: "give the guest's configuration document byte for byte",
  COMPOSE_MALFORMED: "give app-compose.json byte for byte",
  QUOTE_LENGTH: "the file is cut: save exactly the quote's bytes",
  QUOTE_TRAILING: "something stands behind the quote: save exactly the quote's bytes",
  QUOTE_VERSION: "ask for a TDX quote of version 4 or 5",
  QUOTE_KEY_TYPE: "ask for a quote with an ECDSA P-256 attestation key",
  QUOTE_TEE_TYPE: "this is no quote of a TDX machine (0x0 is SGX): ask the right one",
  QUOTE_VENDOR: "only Intel's quoting enclave is accepted: use its quote generation service",
  QUOTE_BODY_TYPE: "ask for a quote of a TD 1.0 or TD 1.5 report",
  QUOTE_CERTIFICATION_TYPE: "have the platform's PCK certificate chain put into the quote (type 5)",
  ROOT_MISMATCH: "it stands under another root than the pinned one, such as a simulator's: do not trust it",
  COLLATERAL_TERMS: "give time and floors as numbers",
  CHAIN_LENGTH: "have the platform's whole PCK certificate chain put into the quote",
  CHAIN_ISSUER: FORGED,
  CHAIN_SUBJECT: FORGED,
  CHAIN_AUTHORITY: FORGED,
  CHAIN_PATH_LENGTH: FORGED,
  CHAIN_END_ENTITY: FORGED,
  CHAIN_SIGNATURE: FORGED,
  CERTIFICATE_EXPIRED: `${TIME}; an expired PCK certificate is renewed by the operator`,
  CERTIFICATE_NOT_YET_VALID: TIME,
  PCK_EXTENSION_MISSING: FORGED,
  CRL_ISSUER: `${COLLATERAL}, for the authority (platform or processor) of this PCK certificate`,
  CRL_SIGNATURE: NEW_COLLATERAL,
  CRL_EXPIRED: TIME,
  CRL_NOT_YET_VALID: TIME,
  PCK_REVOKED: "Intel revoked the machine's certificate, mostly for a leaked key: do not use this machine",
  PCK_CA_REVOKED: "Intel revoked the authority of this machine: do not use it",
  TCB_SIGNER_REVOKED: NEW_COLLATERAL,
  TCB_SIGNER: "somebody else than Intel's TCB signing key signed it: use another source of collateral",
  TCB_INFO_SIGNATURE: NEW_COLLATERAL,
  TCB_INFO_EXPIRED: TIME,
  TCB_INFO_NOT_YET_VALID: TIME,
  TCB_INFO_FMSPC: `${COLLATERAL}, for the FMSPC of this quote`,
  TCB_INFO_PCE: `${COLLATERAL}, for the FMSPC of this quote`,
  TCB_INFO_BELOW_FLOOR: NEW_COLLATERAL,
  QE_IDENTITY_SIGNATURE: NEW_COLLATERAL,
  QE_IDENTITY_EXPIRED: TIME,
  QE_IDENTITY_NOT_YET_VALID: TIME,
  QE_IDENTITY_BELOW_FLOOR: NEW_COLLATERAL,
  QE_REPORT_SIGNATURE: FORGED,
  QE_REPORT_BINDING: FORGED,
  QE_SIGNER: QE,
  QE_PRODUCT: QE,
  QE_MISC_SELECT: QE,
  QE_ATTRIBUTES: QE,
  QE_TCB_LEVEL: "the operator updates the TD quoting enclave",
  QUOTE_SIGNATURE: FORGED,
  TCB_LEVEL: UPDATE,
  MODULE_SIGNER: "the TDX module is not Intel's: do not use this machine",
  MODULE_ATTRIBUTES: "the TDX module is not in production mode: do not use this machine",
  MODULE_UNKNOWN: `${UPDATE}; a new module may need newer collateral`,
  MODULE_TCB_LEVEL: UPDATE,
  TD_DEBUG: "the host can read a debug TD: start it without the debug attribute",
  TD_RESERVED_ATTRIBUTES: "start the TD without reserved attributes",
  TD_SEPT_VE: "start the TD with SEPT_VE_DISABLE, and with a guest that keeps it",
  TD_SERVICE: "a service TD can move or read this one: start it without migration",
  POLICY_TCB_STATUS: UPDATE,
  POLICY_TCB_GRACE: UPDATE,
  POLICY_ADVISORY: UPDATE,
  POLICY_TD_ATTRIBUTES: POLICY,
  POLICY_XFAM: POLICY,
  POLICY_OWNER: "start the TD with owner registers of zero",
  POLICY_IMAGE: POLICY,
  POLICY_COMPOSE: POLICY,
  POLICY_PLATFORM: POLICY,
  POLICY_PPID: POLICY,
  POLICY_PIID: POLICY,
  POLICY_KEY_PROVIDER: POLICY,
  POLICY_REPORT_DATA: "the quote was made for another purpose or key: ask for one with this report data",
  EVENT_LOG_MISMATCH: `${ONE_ANSWER}; otherwise the log is forged`,
  EVENT_LOG_INCOMPLETE: "the guest had not finished its boot: quote it again when it is ready",
  EVENT_LOG_DUPLICATE: "a boot event stands twice, so the log proves nothing: do not use this machine",
  EVENT_LOG_UNKNOWN: "the guest ran more than its compose file: boot without init scripts and GPU policy",
  CONFIG_ID_MISSING: "no compose file is bound: boot with a dstack release that sets mr_config_id",
  CONFIG_ID_VERSION: "boot with mr_config_id of version 1 or 3",
  CONFIG_ID_MISMATCH: "the guest booted another compose file than its quote binds: do not use this machine",
  CONFIG_DOCUMENT_MISSING: "give the guest's configuration document, which version 3 hashes",
  CONFIG_DOCUMENT_MISMATCH: "give the configuration document with which this very guest was started",
  DEVNET_ROOT_REFUSED: "simulated roots are for the local development chain only",
  COMPOSE_HASH: "give the app-compose.json whose hash the quote binds",
  COMPOSE_FIELD: COMPOSE,
  COMPOSE_RUNNER: COMPOSE,
  COMPOSE_IMAGE: COMPOSE,
  COMPOSE_SCRIPT: COMPOSE,
  COMPOSE_ENVIRONMENT: COMPOSE,
  COMPOSE_KEY_PROVIDER: COMPOSE,
  COMPOSE_FLAG: COMPOSE,
}

type Advised<T> = T & { readonly advice: string | null }
export type AdvisedCheck = Advised<Explanation["checks"][number]>
export type AdvisedExplanation = Omit<Explanation, "failure" | "checks"> & {
  readonly failure: Advised<NonNullable<Explanation["failure"]>> | null
  readonly checks: readonly AdvisedCheck[]
}

/** The diagnosis with what to do about each failure, members in the same order. */
export const withAdvice = (explanation: Explanation): AdvisedExplanation => ({
  ...explanation,
  failure: explanation.failure && { ...explanation.failure, advice: ADVICE[explanation.failure.code] },
  checks: explanation.checks.map((check) => ({
    ...check,
    advice: check.code === null ? null : ADVICE[check.code],
  })),
})
