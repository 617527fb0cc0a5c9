/** Certificate chains, revocation lists and their dates, judged on the facts of `x509.ts`. */
import { distinguishedName } from "@twinlock/devnet/platform/pki"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import { verifyP256 } from "../openssl.ts"
import { pemView } from "./layout.ts"
import {
  type CertificateFacts,
  type CrlFacts,
  certificateFacts,
  crlFacts,
  type SgxFacts,
  type Signed,
} from "./x509.ts"

type Faults = AttestationErrorCode[]

/** Whole names: Intel's differ in their common name only. */
const named = (commonName: string): string => Buffer.from(distinguishedName(commonName)).toString("hex")

const ROOT = [named("Intel SGX Root CA")]
const AUTHORITIES = [named("Intel SGX PCK Platform CA"), named("Intel SGX PCK Processor CA")]
const PCK = named("Intel SGX PCK Certificate")
const TCB_SIGNING = named("Intel SGX TCB Signing")

function validity(one: CertificateFacts, time: number, faults: Faults): void {
  if (!(time >= one.notBefore)) faults.push("CERTIFICATE_NOT_YET_VALID")
  if (!(time <= one.notAfter)) faults.push("CERTIFICATE_EXPIRED")
}

function period(crl: CrlFacts, time: number, faults: Faults): void {
  if (!(time >= crl.thisUpdate)) faults.push("CRL_NOT_YET_VALID")
  if (!(time <= crl.nextUpdate)) faults.push("CRL_EXPIRED")
}

function authority(one: CertificateFacts, names: readonly string[], below: number, faults: Faults): void {
  if (!names.includes(one.subject)) faults.push("CHAIN_SUBJECT")
  if (!one.ca || (one.keyUsage & 6) !== 6) faults.push("CHAIN_AUTHORITY")
  if (one.pathLength !== below) faults.push("CHAIN_PATH_LENGTH")
}

const signsData = (one: CertificateFacts): boolean =>
  !one.ca && (one.keyUsage & 0x80) !== 0 && (one.keyUsage & 6) === 0

/** `key` is x ‖ y, hex. */
const signs = (key: string, { signature, toBeSigned }: Signed): boolean =>
  verifyP256(signature, toBeSigned, Buffer.from(key, "hex"))

function issued(one: CertificateFacts, issuer: CertificateFacts, faults: Faults): void {
  if (one.issuer !== issuer.subject) faults.push("CHAIN_ISSUER")
  if (!signs(issuer.publicKey, one)) faults.push("CHAIN_SIGNATURE")
}

function root(one: CertificateFacts, rootKey: string, faults: Faults): void {
  if (one.publicKey !== rootKey) faults.push("ROOT_MISMATCH")
  issued(one, one, faults)
  authority(one, ROOT, 1, faults)
}

/** [subject, root] of a PEM; null where it is something else. */
function pairOf(pem: string): readonly [CertificateFacts, CertificateFacts] | null {
  const [first, second, ...rest] = (pemView(pem) ?? []).map(certificateFacts)
  return first && second && rest.length === 0 && !first.unknownCritical && !second.unknownCritical
    ? [first, second]
    : null
}

export type Documents = {
  readonly leaf: CertificateFacts & { readonly sgx: SgxFacts }
  readonly authority: CertificateFacts
  /** Unix seconds: the end of the first certificate or list that ends. */
  readonly expiresAt: number
}

/** @returns null where even a tolerant reader does not find all documents; else what they break is in `faults`. */
export function judgeChains(
  chain: readonly Uint8Array[],
  collateral: CollateralBundle,
  rootKey: string,
  time: number,
  faults: Faults,
): Documents | null {
  const [leaf, own, ownRoot, ...rest] = chain.map(certificateFacts)
  const [rootCrl, pckCrl] = [collateral.root_ca_crl, collateral.pck_crl].map((text) =>
    crlFacts(Buffer.from(text, "hex")),
  )
  const issuer = pairOf(collateral.pck_crl_issuer_chain)
  const signers = [collateral.tcb_info_issuer_chain, collateral.qe_identity_issuer_chain].map(pairOf)
  const [tcbSigner, qeSigner] = signers
  if (
    !leaf?.sgx ||
    !own ||
    !ownRoot ||
    rest.length > 0 ||
    !rootCrl ||
    !pckCrl ||
    !issuer ||
    !tcbSigner ||
    !qeSigner
  )
    return null
  if ([leaf, own, ownRoot, rootCrl, pckCrl].some((one) => one.unknownCritical)) return null
  const all = [leaf, own, ownRoot, ...issuer, ...tcbSigner, ...qeSigner]
  for (const one of all) validity(one, time, faults)
  for (const crl of [rootCrl, pckCrl]) period(crl, time, faults)
  for (const one of [ownRoot, issuer[1], tcbSigner[1], qeSigner[1]]) root(one, rootKey, faults)
  for (const [one, itsRoot] of [[own, ownRoot] as const, issuer]) {
    authority(one, AUTHORITIES, 0, faults)
    issued(one, itsRoot, faults)
    if (rootCrl.revoked.includes(one.serial)) faults.push("PCK_CA_REVOKED")
  }
  for (const [one, itsRoot] of [tcbSigner, qeSigner]) {
    if (one.subject !== TCB_SIGNING || !signsData(one)) faults.push("TCB_SIGNER")
    issued(one, itsRoot, faults)
    if (rootCrl.revoked.includes(one.serial)) faults.push("TCB_SIGNER_REVOKED")
  }
  if (leaf.subject !== PCK) faults.push("CHAIN_SUBJECT")
  if (!signsData(leaf)) faults.push("CHAIN_END_ENTITY")
  issued(leaf, own, faults)
  if (pckCrl.revoked.includes(leaf.serial)) faults.push("PCK_REVOKED")
  const sameCa = own.publicKey === issuer[0].publicKey && own.subject === issuer[0].subject
  if (!sameCa || rootCrl.issuer !== issuer[1].subject || pckCrl.issuer !== issuer[0].subject)
    faults.push("CRL_ISSUER")
  if (!signs(issuer[1].publicKey, rootCrl) || !signs(issuer[0].publicKey, pckCrl))
    faults.push("CRL_SIGNATURE")
  const signedDocument = (key: string, text: string, signature: string) =>
    signs(key, { toBeSigned: Buffer.from(text, "utf8"), signature: Buffer.from(signature, "hex") })
  if (!signedDocument(tcbSigner[0].publicKey, collateral.tcb_info, collateral.tcb_info_signature))
    faults.push("TCB_INFO_SIGNATURE")
  if (!signedDocument(qeSigner[0].publicKey, collateral.qe_identity, collateral.qe_identity_signature))
    faults.push("QE_IDENTITY_SIGNATURE")
  return {
    leaf: { ...leaf, sgx: leaf.sgx },
    authority: issuer[0],
    expiresAt: Math.min(...all.map((one) => one.notAfter), rootCrl.nextUpdate, pckCrl.nextUpdate),
  }
}
