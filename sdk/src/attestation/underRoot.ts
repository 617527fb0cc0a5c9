/**
 * Verification of a TDX quote under a given root key: docs/attestation.md §3, 1 to 9. Internal to this folder: the
 * entries are `verifyQuote.ts`, which pins Intel's root, and `devnetRoot.ts`, which refuses every chain but the
 * local one. What is measured, by whom and in which status is judged afterwards, by `policy.ts`.
 *
 * Inputs are public. Order: layout, chains, revocation, collateral, then signatures from the provisioning key down
 * to the report, then levels. Every step throws its own code.
 */
import { keccak } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import { sameBytes } from "./certificate.ts"
import {
  type AuthorityChain,
  checkNotRevoked,
  checkValidity,
  type PckCertificate,
  type RootKey,
  type TrustAnchor,
  verifyAuthorityChain,
  verifyPckCertificate,
} from "./chain.ts"
import type { Level } from "./collateral.ts"
import { type CollateralBundle, parseCollateralBundle } from "./collateralBundle.ts"
import { attestationError } from "./errors.ts"
import { type Evidence, quoteOfEvidence } from "./evidence.ts"
import { createSignatureCheck } from "./p256.ts"
import { parseQuote, type Quote, type TdReport } from "./quote.ts"
import {
  checkNoServiceDomain,
  checkNotDebug,
  checkPlatform,
  checkQeReportBinding,
  checkQeReportSignature,
  checkQuoteSignature,
  checkSeamFields,
  checkTdAttributes,
} from "./quoteChecks.ts"
import {
  isRelaunchAdvised,
  type MatchedLevel,
  moduleLevel,
  platformLevel,
  quotingEnclaveLevel,
} from "./tcbLevel.ts"
import { mergeTcbStatus, type TcbStatus } from "./tcbStatus.ts"
import {
  authenticateCollateral,
  type CollateralTerms,
  checkCollateral,
  isVerifiedCollateral,
  type VerifiedCollateral,
} from "./verifiedCollateral.ts"

export type VerifyOptions = CollateralTerms & {
  /** As fetched, or as `verifyCollateral` returned it: then its signatures are not checked again. */
  readonly collateral: CollateralBundle | VerifiedCollateral
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
  /** Which of Intel's levels each part reaches. */
  readonly levels: {
    readonly platform: MatchedLevel
    readonly module: MatchedLevel
    readonly quotingEnclave: MatchedLevel
  }
  /** The domain is out of date only because it was started before its machine was updated. */
  readonly relaunchAdvised: boolean
  /** Worst of the three levels. */
  readonly status: TcbStatus
  readonly advisories: readonly string[]
  readonly evaluationNumber: number
  readonly qeEvaluationNumber: number
  /** Unix seconds: the time of the judgement. */
  readonly verifiedAt: number
  /** Unix seconds: when the first of the used certificates, lists and statements runs out. */
  readonly expiresAt: number
  /** keccak256 of header and body. Signatures are malleable, so a quote is never named by all its bytes. */
  readonly id: Digest
}

/** @throws ROOT_MISMATCH where it was verified under another root. */
function authenticatedUnder(
  anchor: TrustAnchor,
  collateral: CollateralBundle | VerifiedCollateral,
): VerifiedCollateral {
  if (!isVerifiedCollateral(collateral)) return authenticateCollateral(collateral, anchor)
  const rootId = rootIdOf(anchor.rootKey)
  if (collateral.rootId !== rootId)
    throw attestationError(
      "ROOT_MISMATCH",
      `the collateral was verified under root ${collateral.rootId}, not ${rootId}`,
    )
  return collateral
}

/**
 * The CA and root that a quote carries: most often the collateral's own certificates, else others of the same key.
 * @throws CHAIN_*, ROOT_MISMATCH, CRL_ISSUER
 */
export function authorityOf(
  issuers: readonly Uint8Array[],
  collateral: AuthorityChain,
  anchor: TrustAnchor,
): AuthorityChain {
  const [authorityDer, rootDer, ...rest] = issuers
  const { authority, root } = collateral
  const known =
    authorityDer && rootDer && sameBytes(authorityDer, authority.der) && sameBytes(rootDer, root.der)
  if (known && rest.length === 0) return collateral
  const carried = verifyAuthorityChain(issuers, anchor)
  if (
    !sameBytes(carried.authority.publicKey, authority.publicKey) ||
    !sameBytes(carried.authority.subject, authority.subject)
  )
    throw attestationError(
      "CRL_ISSUER",
      `the CRL is of ${authority.commonName}, the PCK certificate of ${carried.authority.commonName}`,
    )
  return carried
}

/** Items 2 and 3 for the quote's own chain. @returns the PCK certificate and when the first of the chain runs out */
function verifyPckChain(
  quote: Quote,
  collateral: VerifiedCollateral,
  anchor: TrustAnchor,
  time: number,
): { readonly leaf: PckCertificate; readonly expiresAt: number } {
  const [leafDer, ...issuers] = quote.chain
  if (!leafDer || issuers.length !== 2)
    throw attestationError("CHAIN_LENGTH", `a PCK chain has three certificates, got ${quote.chain.length}`)
  const { authority, root } = authorityOf(issuers, collateral, anchor)
  const leaf = verifyPckCertificate(leafDer, authority, anchor.verify)
  const chain = [root, authority, leaf]
  for (const certificate of chain) checkValidity(certificate, time)
  checkNotRevoked(authority, collateral.rootCrl, "PCK_CA_REVOKED")
  checkNotRevoked(leaf, collateral.pckCrl, "PCK_REVOKED")
  // No list of its issuer, yet nobody whose serial the root names is let in; the contract says the same.
  checkNotRevoked(leaf, collateral.rootCrl, "PCK_REVOKED")
  return { leaf, expiresAt: Math.min(...chain.map((certificate) => certificate.notAfter)) }
}

/** @throws one AttestationErrorCode per failed check. */
export function verifyQuoteUnder(anchor: TrustAnchor, quote: Quote, options: VerifyOptions): VerifiedQuote {
  const collateral = authenticatedUnder(anchor, options.collateral)
  const collateralUntil = checkCollateral(collateral, options)
  const { leaf, expiresAt } = verifyPckChain(quote, collateral, anchor, options.time)
  const { tcbInfo, qeIdentity, authority } = collateral
  const { sgx, serial } = leaf
  checkPlatform(tcbInfo, sgx)
  checkQeReportSignature(quote, leaf.publicKey)
  checkQeReportBinding(quote)
  checkQuoteSignature(quote)
  checkNotDebug(quote.report)
  checkTdAttributes(quote.report)
  checkSeamFields(quote.report)
  checkNoServiceDomain(quote.report)
  const levels = {
    platform: platformLevel(tcbInfo, sgx, quote.report),
    module: moduleLevel(tcbInfo, quote.report),
    quotingEnclave: quotingEnclaveLevel(qeIdentity, quote.qeReport),
  }
  const all: readonly Level[] = Object.values(levels)
  return {
    version: quote.version,
    report: quote.report,
    platform: {
      ppid: sgx.ppid,
      piid: sgx.piid,
      fmspc: sgx.fmspc,
      pceId: sgx.pceId,
      pckSerial: serial,
      caId: keccak(authority.publicKey),
    },
    levels,
    relaunchAdvised: isRelaunchAdvised(tcbInfo, sgx, quote.report, levels),
    status: all.map((level) => level.status).reduce(mergeTcbStatus),
    advisories: [...new Set(all.flatMap((level) => level.advisories))].sort(),
    evaluationNumber: tcbInfo.evaluationNumber,
    qeEvaluationNumber: qeIdentity.evaluationNumber,
    verifiedAt: options.time,
    expiresAt: Math.min(collateralUntil, expiresAt),
    id: keccak(quote.signedBytes),
  }
}

/** keccak256(x ‖ y) of a root key: how contracts name the root that they pin. */
export const rootIdOf = (rootKey: Uint8Array): Digest => keccak(rootKey)

/** Verifies quotes under one fixed root. */
export type QuoteVerifier = {
  readonly rootId: Digest
  /**
   * Checks collateral completely, to be used for many quotes. Dates, floors and revocation are judged again at each
   * use, signatures are not. @throws an AttestationErrorCode per failed check
   */
  readonly verifyCollateral: (bundle: CollateralBundle, terms: CollateralTerms) => VerifiedCollateral
  /** A whole quote. @throws an AttestationErrorCode per failed check */
  readonly verify: (quote: Uint8Array, options: VerifyOptions) => VerifiedQuote
  /** The parts that a contract was given; the CA certificates come from the collateral. */
  readonly verifyEvidence: (evidence: Evidence, options: VerifyOptions) => VerifiedQuote
}

export function quoteVerifierUnder(rootKey: RootKey): QuoteVerifier {
  const anchor: TrustAnchor = { rootKey, verify: createSignatureCheck() }
  return {
    rootId: rootIdOf(rootKey),
    verifyCollateral: (bundle, terms) => {
      const collateral = authenticateCollateral(bundle, anchor)
      checkCollateral(collateral, terms)
      return collateral
    },
    verify: (quote, options) => verifyQuoteUnder(anchor, parseQuote(quote), options),
    verifyEvidence: (evidence, options) => {
      const { collateral } = options
      const bundle = isVerifiedCollateral(collateral) ? collateral.bundle : parseCollateralBundle(collateral)
      return verifyQuoteUnder(anchor, quoteOfEvidence(evidence, bundle), options)
    },
  }
}
