/**
 * Collateral whose signatures are checked (docs/attestation.md §3, 2 to 5), kept to judge many quotes. Checking it
 * costs most of a verification, so it is done once; whatever depends on time or policy is judged again at each use.
 *
 * Inputs are public.
 */
import { fromHex } from "../protocol/codec.ts"
import type { Digest } from "../protocol/ids.ts"
import type { Certificate } from "./certificate.ts"
import {
  type AuthorityChain,
  checkCrlPeriod,
  checkNotRevoked,
  checkValidity,
  type TcbSignerChain,
  type TrustAnchor,
  verifyAuthorityChain,
  verifyCrl,
  verifyTcbSigner,
} from "./chain.ts"
import { checkCurrent, type QeIdentity, type TcbInfo, verifyQeIdentity, verifyTcbInfo } from "./collateral.ts"
import { type CollateralBundle, parseCollateralBundle } from "./collateralBundle.ts"
import type { Crl } from "./crl.ts"
import { attestationError } from "./errors.ts"
import { caIdOf } from "./evidence.ts"
import { parsePemChain } from "./pem.ts"

/**
 * What `authenticateCollateral` made, and nothing else: a look-alike that came over the network must not count as
 * verified. Holds no state that any verdict depends on.
 */
const AUTHENTICATED = new WeakSet<object>()

/** Genuine statements of one root: every signature is good. Dates, floors and revocation are judged at each use. */
export type VerifiedCollateral = {
  /** keccak256(x ‖ y) of the root key under which it was verified; it counts under no other. */
  readonly rootId: Digest
  /** What it was made from. */
  readonly bundle: CollateralBundle
  /** The CA whose PCK certificates this collateral judges, and the root above it. */
  readonly authority: Certificate
  readonly root: Certificate
  readonly rootCrl: Crl
  readonly pckCrl: Crl
  readonly tcbSigner: TcbSignerChain
  readonly qeSigner: TcbSignerChain
  readonly tcbInfo: TcbInfo
  readonly qeIdentity: QeIdentity
}

/** When and how strictly collateral is judged. */
export type CollateralTerms = {
  /** Unix seconds, chain time where there is a chain. */
  readonly time: number
  /** Smallest accepted evaluation number of TCB info and QE identity; they may differ. */
  readonly floors: { readonly tcb: number; readonly qe: number }
}

/** @throws COLLATERAL_SHAPE */
export function hexBytes(hex: string, what: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(hex)) throw attestationError("COLLATERAL_SHAPE", `${what} is not hex`)
  return fromHex(`0x${hex}`)
}

/** Every check that does not depend on time or policy. @throws CHAIN_*, ROOT_MISMATCH, CRL_*, TCB_*, QE_*, *_MALFORMED */
export function authenticateCollateral(given: CollateralBundle, anchor: TrustAnchor): VerifiedCollateral {
  const bundle = parseCollateralBundle(given)
  const { verify } = anchor
  const { authority, root }: AuthorityChain = verifyAuthorityChain(
    parsePemChain(bundle.pck_crl_issuer_chain),
    anchor,
  )
  const rootCrl = verifyCrl(hexBytes(bundle.root_ca_crl, "root CRL"), root, verify)
  const pckCrl = verifyCrl(hexBytes(bundle.pck_crl, "PCK CRL"), authority, verify)
  const tcbSigner = verifyTcbSigner(parsePemChain(bundle.tcb_info_issuer_chain), anchor, root)
  const qeSigner =
    bundle.qe_identity_issuer_chain === bundle.tcb_info_issuer_chain
      ? tcbSigner
      : verifyTcbSigner(parsePemChain(bundle.qe_identity_issuer_chain), anchor, root)
  const tcbInfo = verifyTcbInfo({
    text: bundle.tcb_info,
    signature: bundle.tcb_info_signature,
    signer: tcbSigner.signer,
    verify,
  })
  const qeIdentity = verifyQeIdentity({
    text: bundle.qe_identity,
    signature: bundle.qe_identity_signature,
    signer: qeSigner.signer,
    verify,
  })
  const rootId = caIdOf(anchor.rootKey)
  const parts = { rootId, bundle, authority, root, rootCrl, pckCrl, tcbSigner, qeSigner, tcbInfo, qeIdentity }
  AUTHENTICATED.add(parts)
  return parts
}

/** True for what `authenticateCollateral` returned; copies do not count. */
export const isVerifiedCollateral = (
  collateral: CollateralBundle | VerifiedCollateral,
): collateral is VerifiedCollateral => AUTHENTICATED.has(collateral)

/**
 * Judges dates, floors and revocation of the collateral itself.
 * @returns unix seconds: when the first part of it runs out.
 * @throws COLLATERAL_TERMS, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CRL_EXPIRED, CRL_NOT_YET_VALID, PCK_CA_REVOKED,
 * TCB_SIGNER_REVOKED, TCB_INFO_*, QE_IDENTITY_*
 */
export function checkCollateral(collateral: VerifiedCollateral, { time, floors }: CollateralTerms): number {
  // No comparison with NaN holds, so every period and floor would.
  if (![time, floors.tcb, floors.qe].every((value) => Number.isFinite(value) && value >= 0))
    throw attestationError(
      "COLLATERAL_TERMS",
      `time ${time} and floors ${floors.tcb}, ${floors.qe} must be numbers`,
    )
  const { authority, root, rootCrl, pckCrl, tcbSigner, qeSigner, tcbInfo, qeIdentity } = collateral
  const certificates = [
    root,
    authority,
    tcbSigner.root,
    tcbSigner.signer,
    ...(qeSigner === tcbSigner ? [] : [qeSigner.root, qeSigner.signer]),
  ]
  for (const certificate of certificates) checkValidity(certificate, time)
  checkCrlPeriod(rootCrl, root, time)
  checkCrlPeriod(pckCrl, authority, time)
  checkNotRevoked(authority, rootCrl, "PCK_CA_REVOKED")
  checkNotRevoked(tcbSigner.signer, rootCrl, "TCB_SIGNER_REVOKED")
  checkNotRevoked(qeSigner.signer, rootCrl, "TCB_SIGNER_REVOKED")
  checkCurrent(tcbInfo, "TCB_INFO", time, floors.tcb)
  checkCurrent(qeIdentity, "QE_IDENTITY", time, floors.qe)
  return Math.min(
    ...[rootCrl, pckCrl, tcbInfo, qeIdentity].map((item) => item.nextUpdate),
    ...certificates.map((certificate) => certificate.notAfter),
  )
}
