/**
 * One case of the attestation corpus: an input that breaks at most one rule, and what each verifier must say to it.
 * The lines are those of the strict verifier's checklist (docs/attestation.md), so that a missing one shows.
 */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import type { Evidence } from "@twinlock/sdk/attestation/evidence"
import type { TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"

export const CHECKLIST = {
  "1 length": "exact length, announced lengths, nothing but zero padding after the quote",
  "1 version": "version 4 or 5",
  "1 body": "type and length of a version 5 body",
  "1 key type": "attestation key type 2",
  "1 tee type": "TDX, not SGX",
  "1 vendor": "Intel's quoting enclave",
  "1 certification": "certification data of type 6 around type 5",
  "2 chain": "exactly leaf, Platform or Processor CA, root, as clean PEM",
  "2 root": "the root's key is the pinned one",
  "2 names": "names are Intel's and issuer follows subject, byte for byte",
  "2 signature": "every certificate is signed by the next",
  "2 ca": "authorities are authorities, with their path length; end entities are none",
  "2 key usage": "key usage of the role, critical",
  "2 validity": "every certificate is valid now",
  "2 extensions": "no unknown critical extension, none twice, strict DER",
  "2 sgx": "the SGX extension in Intel's form",
  "3 root crl": "the root's list is signed by the root, fresh, in form",
  "3 pck crl": "the CA's list is signed by that CA, fresh, in form",
  "3 serials": "neither CA nor PCK certificate is revoked",
  "4 signer": "Intel's TCB signing certificate, root-issued, no CA, valid",
  "4 revoked": "the TCB signer is not revoked",
  "5 signature": "signatures over the raw JSON bytes",
  "5 form": "id, version and shape of both documents",
  "5 dates": "both documents are valid now",
  "5 floor": "evaluation numbers reach the floors",
  "5 platform": "FMSPC and PCE id are the PCK certificate's",
  "6 signature": "the QE report is signed by the PCK key",
  "6 binding": "the QE report binds attestation key and authentication data, with a zero tail",
  "6 identity": "the QE report is that of Intel's TD quoting enclave",
  "6 level": "the QE reaches a level",
  "7 signature": "header and body are signed by the attestation key",
  "8 platform": "the platform reaches a level",
  "8 module": "the TDX module's identity and level",
  "8 merge": "one status from platform, module and quoting enclave",
  "9 attributes": "no debugging, SEPT_VE_DISABLE, nothing else",
  "9 seam": "an Intel-signed module without attributes",
  "9 service": "no service domain",
  "9 xfam": "extended features that are allowed",
  "10 owner": "owner fields are zero",
  "10 config": "mr_config_id binds a compose hash",
} as const

export type ChecklistLine = keyof typeof CHECKLIST

/** Whose root key both verifiers pin. */
export type Root = "simulator" | "intel" | "SIM-v4" | "intel-qvl-sample"

export type AttestationInput = {
  /** A whole quote, or the parts that a contract takes. */
  readonly subject:
    | { readonly kind: "quote"; readonly bytes: Uint8Array }
    | { readonly kind: "evidence"; readonly evidence: Evidence }
  readonly collateral: CollateralBundle
  /** Document behind a version 3 mr_config_id; empty otherwise. */
  readonly configDocument: Uint8Array
  /** Unix seconds. */
  readonly time: number
  readonly floors: { readonly tcb: number; readonly qe: number }
}

/** What one verifier must say: accepted, or refused for this reason. */
export type Expected = {
  readonly status: TcbStatus | null
  /** null: accepted off chain. */
  readonly code: AttestationErrorCode | null
  /** Name of the Solidity error; null: accepted on chain. */
  readonly error: string | null
  /** Why the two verdicts may differ; null everywhere else. */
  readonly reason: string | null
}

export type Case = {
  readonly name: string
  readonly line: ChecklistLine
  readonly root: Root
  readonly expected: Expected
  readonly build: () => AttestationInput
}

export const accepted = (status: TcbStatus = "UpToDate"): Expected => ({
  status,
  code: null,
  error: null,
  reason: null,
})

export const refused = (code: AttestationErrorCode, error: string): Expected => ({
  status: null,
  code,
  error,
  reason: null,
})

/** Refused off chain; the contract has never seen what is wrong, accepts the rest and says `status`. */
export const unseenOnChain = (
  code: AttestationErrorCode,
  reason: string,
  status: TcbStatus = "UpToDate",
): Expected => ({ status, code, error: null, reason })

/** Accepted off chain; the contract is stricter by design. */
export const refusedOnChain = (error: string, reason: string, status: TcbStatus = "UpToDate"): Expected => ({
  status,
  code: null,
  error,
  reason,
})
