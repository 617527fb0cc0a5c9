/**
 * Whose fault a failed check of a party's bytes is. Only an error whose code says that these bytes are wrong names the
 * party: a chain, a service or an addon of this node that fails while it checks proves nothing about anybody.
 *
 * Left out of attestation are certificates, lists of revocations and Intel's statements: this node's own service may have
 * served them.
 */
import type {
  AttestationErrorCode,
  ComposeCode,
  PolicyCode,
  QuoteCode,
  ReportCode,
} from "@twinlock/sdk/attestation/errors"
import type { CodecErrorCode } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { FheTypeErrorCode } from "@twinlock/sdk/protocol/fheType"
import type { IdErrorCode, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { SignatureErrorCode } from "@twinlock/sdk/protocol/signature"
import type { FrostErrorCode } from "@twinlock/sdk/threshold/frost"
import type { NativeErrorCode } from "../threshold/native.ts"
import type { CeremonyErrorCode } from "./attempt.ts"
import type { ContributionErrorCode } from "./contributions.ts"
import type { DkgRoundErrorCode } from "./dkgRounds.ts"
import type { KeyRoundErrorCode } from "./keyRounds.ts"
import type { SelfTestResultsErrorCode } from "./selfTestResults.ts"
import type { SelfTestErrorCode } from "./selfTestRounds.ts"
import type { StandingProofErrorCode } from "./standingProof.ts"
import type { StandingErrorCode } from "./standingRule.ts"
import type { VerdictErrorCode } from "./verdictCollector.ts"

const FORM = [
  "CODEC_HEX",
  "CODEC_SHORT",
  "CODEC_TRAILING",
  "CODEC_RANGE",
  "CODEC_LIMIT",
  "CODEC_VERSION",
  "BAD_KEY_ID",
  "BAD_SESSION_ID",
  "BAD_DIGEST",
  "BAD_ADDRESS",
  "BAD_PARTY_INDEX",
  "UNKNOWN_FHE_TYPE",
  "SIGNATURE_FORM",
  "SIGNATURE_SIGNER",
  "CEREMONY_GARBLED",
] as const satisfies readonly (
  | CodecErrorCode
  | IdErrorCode
  | FheTypeErrorCode
  | SignatureErrorCode
  | CeremonyErrorCode
)[]

const CONTRIBUTIONS = [
  "CHUNK_FORM",
  "CHUNK_ORDER",
  "CHUNK_FOREIGN",
  "CHUNK_LIST",
  "CHUNK_MISMATCH",
  "PUBLIC_KEY_DIFFERS",
] as const satisfies readonly (ContributionErrorCode | KeyRoundErrorCode)[]

const CRS = [
  "CRS_LENGTH",
  "CRS_HEADER",
  "CRS_CONTEXT",
  "CRS_PREVIOUS",
  "CRS_ENCODING",
  "CRS_GAP",
  "CRS_FIRST_ZERO",
  "CRS_UNCHANGED",
  "CRS_PROOF_POINT",
  "CRS_PROOF",
  "CRS_CURVE",
  "CRS_SUBGROUP",
  "CRS_POWERS",
] as const satisfies readonly NativeErrorCode[]

const SELF_TEST = [
  "INPUT_LIST_MALFORMED",
  "INPUT_PROOF_INVALID",
  "SELF_TEST_LIST",
  "SELF_TEST_FOREIGN",
  "SELF_TEST_SHARE_LENGTH",
] as const satisfies readonly (
  | NativeErrorCode
  | SelfTestErrorCode
  | SelfTestResultsErrorCode
  | VerdictErrorCode
)[]

const SIGNING_KEY = ["DKG_PACKAGE_DIFFERS", "FROST_COMMITMENT"] as const satisfies readonly (
  | DkgRoundErrorCode
  | FrostErrorCode
)[]

const QUOTES = [
  "QUOTE_LENGTH",
  "QUOTE_TRAILING",
  "QUOTE_VERSION",
  "QUOTE_KEY_TYPE",
  "QUOTE_TEE_TYPE",
  "QUOTE_VENDOR",
  "QUOTE_BODY_TYPE",
  "QUOTE_CERTIFICATION_TYPE",
  "QE_REPORT_SIGNATURE",
  "QE_REPORT_BINDING",
  "QUOTE_SIGNATURE",
  "TD_DEBUG",
  "TD_RESERVED_ATTRIBUTES",
  "TD_SEPT_VE",
  "TD_SERVICE",
  "EVENT_LOG_MALFORMED",
  "EVENT_LOG_MISMATCH",
  "EVENT_LOG_INCOMPLETE",
  "EVENT_LOG_DUPLICATE",
  "EVENT_LOG_UNKNOWN",
  "CONFIG_DOCUMENT_MALFORMED",
  "CONFIG_DOCUMENT_MISSING",
  "CONFIG_DOCUMENT_MISMATCH",
  "CONFIG_ID_MISSING",
  "CONFIG_ID_VERSION",
  "CONFIG_ID_MISMATCH",
  "POLICY_TD_ATTRIBUTES",
  "POLICY_XFAM",
  "POLICY_OWNER",
  "POLICY_IMAGE",
  "POLICY_COMPOSE",
  "POLICY_PLATFORM",
  "POLICY_PPID",
  "POLICY_PIID",
  "POLICY_KEY_PROVIDER",
  "POLICY_REPORT_DATA",
  "DEVNET_ROOT_REFUSED",
] as const satisfies readonly (
  | QuoteCode
  | ReportCode
  | PolicyCode
  | ComposeCode
  | Extract<AttestationErrorCode, `${"EVENT_LOG" | "CONFIG_DOCUMENT"}_MALFORMED`>
)[]

/** Not `EVIDENCE_AHEAD`, which may only say that this node's head is behind. */
const STANDING = [
  "EVIDENCE_MALFORMED",
  "EVIDENCE_STALE",
  "EVIDENCE_OTHER_BLOCK",
  "EVIDENCE_UNREGISTERED",
  "EVIDENCE_OTHER_REGISTRATION",
  "EVIDENCE_NO_STANDING",
  "CHANNEL_EVIDENCE_MALFORMED",
] as const satisfies readonly (StandingProofErrorCode | StandingErrorCode | "CHANNEL_EVIDENCE_MALFORMED")[]

const JUDGEMENTS: ReadonlySet<string> = new Set([
  ...FORM,
  ...CONTRIBUTIONS,
  ...CRS,
  ...SELF_TEST,
  ...SIGNING_KEY,
  ...QUOTES,
  ...STANDING,
])

/** `error` of a check of `party`'s bytes, naming it where its code judges these bytes and nobody else otherwise. */
export const judged = (error: ProtocolError, party: PartyIndex): ProtocolError => {
  const culprits = JUDGEMENTS.has(error.detail.code) ? [party] : []
  return new ProtocolError({ ...error.detail, culprits }, { cause: error })
}
