/**
 * Verification of a TDX quote under a given root key: attestation.md §3.5 items 1 to 9. Internal to this folder: the
 * entries are `verifyQuote.ts`, which pins Intel's root, and `devnetRoot.ts`, which refuses every chain but the
 * local one. What is measured, by whom and in which status is judged afterwards, by `policy.ts`.
 *
 * Inputs are public. Order: layout, chains, revocation, collateral, then signatures from the provisioning key down
 * to the report, then levels. Every step throws its own code.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, keccak, toHex } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import { verifyP256 } from "./certificate.ts"
import {
  checkNotRevoked,
  type PckChain,
  type RootKey,
  verifyCrl,
  verifyPckChain,
  verifyTcbSigner,
} from "./chain.ts"
import { type QeIdentity, type TcbInfo, verifyQeIdentity, verifyTcbInfo } from "./collateral.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import { attestationError } from "./errors.ts"
import { type Evidence, quoteOfEvidence } from "./evidence.ts"
import { parsePemChain } from "./pem.ts"
import { parseQuote, type Quote, type TdReport } from "./quote.ts"
import type { SgxExtension } from "./sgxExtension.ts"
import { moduleLevel, platformLevel, quotingEnclaveLevel } from "./tcbLevel.ts"
import { mergeTcbStatus, type TcbStatus } from "./tcbStatus.ts"

export type VerifyOptions = {
  readonly collateral: CollateralBundle
  /** Unix seconds, chain time where there is a chain. */
  readonly time: number
  /** Smallest accepted evaluation number of TCB info and QE identity; they may differ. */
  readonly floors: { readonly tcb: number; readonly qe: number }
}

/** The machine, as named by its PCK certificate. */
export type PlatformIdentity = {
  readonly ppid: Hex
  readonly piid: Hex | null
  readonly fmspc: Hex
  readonly pceId: Hex
  readonly pckSerial: Hex
  /** keccak256(x ‖ y) of the CA that issued the PCK certificate. */
  readonly caId: Digest
}

/** A quote whose signatures, chains and levels are good. Its status and measurements still need a policy. */
export type VerifiedQuote = {
  readonly version: 4 | 5
  readonly report: TdReport
  readonly platform: PlatformIdentity
  /** Worst of platform, TDX module and quoting enclave. */
  readonly status: TcbStatus
  readonly advisories: readonly string[]
  readonly evaluationNumber: number
  readonly qeEvaluationNumber: number
  /** Unix seconds: when the first of the used certificates, lists and statements runs out. */
  readonly expiresAt: number
  /** keccak256 of header and body. Signatures are malleable, so a quote is never named by all its bytes. */
  readonly id: Digest
}

type Appraised = {
  readonly chain: PckChain
  readonly tcbInfo: TcbInfo
  readonly qeIdentity: QeIdentity
  readonly expiresAt: number
}

/** @throws COLLATERAL_SHAPE */
export const hexBytes = (hex: string, what: string): Uint8Array => {
  if (!/^([0-9a-fA-F]{2})*$/.test(hex)) throw attestationError("COLLATERAL_SHAPE", `${what} is not hex`)
  return fromHex(`0x${hex}`)
}

/** Item 5: the TCB info speaks of this platform. @throws TCB_INFO_PLATFORM */
export function checkPlatform(tcbInfo: TcbInfo, { fmspc, pceId }: SgxExtension): void {
  if (tcbInfo.fmspc !== fmspc || tcbInfo.pceId !== pceId)
    throw attestationError(
      "TCB_INFO_PLATFORM",
      `TCB info is for ${tcbInfo.fmspc}/${tcbInfo.pceId}, the platform is ${fmspc}/${pceId}`,
    )
}

/** Items 2 to 5: chains, revocation, Intel's statements. */
function verifyCollateral(quote: Quote, rootKey: RootKey, options: VerifyOptions): Appraised {
  const { collateral, time, floors } = options
  const chain = verifyPckChain(quote.chain, rootKey, time)
  const rootCrl = verifyCrl(hexBytes(collateral.root_ca_crl, "root CRL"), chain.root, time)
  const pckCrl = verifyCrl(hexBytes(collateral.pck_crl, "PCK CRL"), chain.authority, time)
  checkNotRevoked(chain.authority, rootCrl)
  checkNotRevoked(chain.leaf, pckCrl)
  const signerOf = (pem: string) => verifyTcbSigner(parsePemChain(pem), rootKey, rootCrl, time)
  const tcbSigner = signerOf(collateral.tcb_info_issuer_chain)
  const sameChain = collateral.qe_identity_issuer_chain === collateral.tcb_info_issuer_chain
  const qeSigner = sameChain ? tcbSigner : signerOf(collateral.qe_identity_issuer_chain)
  const tcbInfo = verifyTcbInfo({
    text: collateral.tcb_info,
    signature: collateral.tcb_info_signature,
    signer: tcbSigner,
    time,
    floor: floors.tcb,
  })
  const qeIdentity = verifyQeIdentity({
    text: collateral.qe_identity,
    signature: collateral.qe_identity_signature,
    signer: qeSigner,
    time,
    floor: floors.qe,
  })
  checkPlatform(tcbInfo, chain.leaf.sgx)
  const dated = [rootCrl, pckCrl, tcbInfo, qeIdentity].map((item) => item.nextUpdate)
  const certificates = [chain.leaf, chain.authority, chain.root, tcbSigner, qeSigner].map(
    (item) => item.notAfter,
  )
  return { chain, tcbInfo, qeIdentity, expiresAt: Math.min(...dated, ...certificates) }
}

/** Item 6. @throws QE_REPORT_SIGNATURE */
export function checkQeReportSignature(quote: Quote, pckKey: Uint8Array): void {
  if (!verifyP256(quote.qeReportSignature, quote.qeReport.bytes, pckKey))
    throw attestationError("QE_REPORT_SIGNATURE", "the quoting enclave's report is not signed by the PCK key")
}

/** Item 6. @throws QE_REPORT_BINDING */
export function checkQeReportBinding(quote: Quote): void {
  const binding = sha256(concatBytes(quote.attestationKey, quote.qeAuthData))
  if (quote.qeReport.reportData !== toHex(concatBytes(binding, new Uint8Array(32))))
    throw attestationError(
      "QE_REPORT_BINDING",
      "the quoting enclave's report does not bind the attestation key",
    )
}

/** Item 7. @throws QUOTE_SIGNATURE */
export function checkQuoteSignature(quote: Quote): void {
  if (!verifyP256(quote.signature, quote.signedBytes, quote.attestationKey))
    throw attestationError("QUOTE_SIGNATURE", "header and body are not signed by the attestation key")
}

/** Items 6 and 7: PCK key → QE report → attestation key → header and body. */
function verifySignatures(quote: Quote, pckKey: Uint8Array): void {
  checkQeReportSignature(quote, pckKey)
  checkQeReportBinding(quote)
  checkQuoteSignature(quote)
}

/** Bits of the TD attributes that may be set at all: SEPT_VE_DISABLE, PKS, KL, PERFMON. */
const KNOWN_TD_ATTRIBUTES = (1n << 28n) | (1n << 30n) | (1n << 31n) | (1n << 63n)
const SEPT_VE_DISABLE = 1n << 28n

const attributeBits = (report: TdReport): bigint =>
  fromHex(report.tdAttributes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)

/** Item 9: nobody outside may look into the TD. @throws TD_DEBUG */
export function checkNotDebug(report: TdReport): void {
  if (attributeBits(report) & 1n)
    throw attestationError("TD_DEBUG", `the trust domain runs in debug mode: ${report.tdAttributes}`)
}

/** Item 9: nothing reserved, and pages that the host takes away cause an exception. @throws TD_ATTRIBUTES */
export function checkTdAttributes(report: TdReport): void {
  const attributes = attributeBits(report)
  if (attributes & ~KNOWN_TD_ATTRIBUTES)
    throw attestationError("TD_ATTRIBUTES", `reserved TD attributes are set: ${report.tdAttributes}`)
  if (!(attributes & SEPT_VE_DISABLE))
    throw attestationError("TD_ATTRIBUTES", `SEPT_VE_DISABLE is not set: ${report.tdAttributes}`)
}

/** Item 9: no service domain that could migrate or read the TD. @throws TD_SERVICE */
export function checkNoServiceDomain(report: TdReport): void {
  if (!/^0x0*$/.test(report.mrServiceTd))
    throw attestationError("TD_SERVICE", `a service domain is bound: ${report.mrServiceTd}`)
}

/** Item 9. */
function checkTrustDomain(report: TdReport): void {
  checkNotDebug(report)
  checkTdAttributes(report)
  checkNoServiceDomain(report)
}

/** @throws one AttestationErrorCode per failed check. */
export function verifyQuoteUnder(rootKey: RootKey, quote: Quote, options: VerifyOptions): VerifiedQuote {
  const { chain, tcbInfo, qeIdentity, expiresAt } = verifyCollateral(quote, rootKey, options)
  const { sgx, serial, publicKey } = chain.leaf
  verifySignatures(quote, publicKey)
  checkTrustDomain(quote.report)
  const levels = [
    platformLevel(tcbInfo, sgx, quote.report),
    moduleLevel(tcbInfo, quote.report),
    quotingEnclaveLevel(qeIdentity, quote.qeReport),
  ]
  return {
    version: quote.version,
    report: quote.report,
    platform: {
      ppid: sgx.ppid,
      piid: sgx.piid,
      fmspc: sgx.fmspc,
      pceId: sgx.pceId,
      pckSerial: serial,
      caId: keccak(chain.authority.publicKey),
    },
    status: levels.map((level) => level.status).reduce(mergeTcbStatus),
    advisories: [...new Set(levels.flatMap((level) => level.advisories))].sort(),
    evaluationNumber: tcbInfo.evaluationNumber,
    qeEvaluationNumber: qeIdentity.evaluationNumber,
    expiresAt,
    id: keccak(quote.signedBytes),
  }
}

/** keccak256(x ‖ y) of a root key: how contracts name the root that they pin. */
export const rootIdOf = (rootKey: Uint8Array): Digest => keccak(rootKey)

/** Verifies quotes under one fixed root. */
export type QuoteVerifier = {
  readonly rootId: Digest
  /** A whole quote. @throws an AttestationErrorCode per failed check */
  readonly verify: (quote: Uint8Array, options: VerifyOptions) => VerifiedQuote
  /** The parts that a contract was given; the CA certificates come from the collateral. */
  readonly verifyEvidence: (evidence: Evidence, options: VerifyOptions) => VerifiedQuote
}

export const quoteVerifierUnder = (rootKey: RootKey): QuoteVerifier => ({
  rootId: rootIdOf(rootKey),
  verify: (quote, options) => verifyQuoteUnder(rootKey, parseQuote(quote), options),
  verifyEvidence: (evidence, options) =>
    verifyQuoteUnder(rootKey, quoteOfEvidence(evidence, options.collateral), options),
})
