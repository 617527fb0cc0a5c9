/**
 * Certificate chains of Intel's SGX PKI and their revocation lists (attestation.md §3.5 items 2 to 4). A chain is
 * accepted only in its exact shape: name, role, key usage and issuer of every certificate are fixed, so that no end
 * entity can act as an authority and no provisioning key can sign TCB statements.
 *
 * Inputs are public. What does not depend on time (form, names, roles, signatures) and what does (validity,
 * freshness) are separate functions, so that verified collateral can be used again; nothing here reads a clock.
 */
import { concatBytes, toHex } from "../protocol/codec.ts"
import { type Certificate, parseCertificate, sameBytes } from "./certificate.ts"
import { type Crl, parseCrl } from "./crl.ts"
import { attestationError } from "./errors.ts"
import { type SignatureCheck, verifyP256 } from "./p256.ts"

/** The pinned key of the root CA, x ‖ y. */
export type RootKey = Uint8Array & { readonly length: 64 }

/** What chains are judged under. */
export type TrustAnchor = {
  readonly rootKey: RootKey
  /** Checks signatures of the CAs' keys. */
  readonly verify: SignatureCheck
}

export const ROOT = "Intel SGX Root CA"
export const PCK_AUTHORITIES: readonly string[] = ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"]
export const PCK = "Intel SGX PCK Certificate"
export const TCB_SIGNING = "Intel SGX TCB Signing"

const DIGITAL_SIGNATURE = 0x80
const SIGN_CERTIFICATES_AND_CRLS = 0x06

/** Name chaining and signature. @throws CHAIN_ISSUER, CHAIN_SIGNATURE */
export function checkIssuedBy(
  certificate: Certificate,
  issuer: Certificate,
  verify: SignatureCheck = verifyP256,
): void {
  if (!sameBytes(certificate.issuer, issuer.subject))
    throw attestationError(
      "CHAIN_ISSUER",
      `${certificate.commonName} does not name ${issuer.commonName} as issuer`,
    )
  if (!verify(certificate.signature, certificate.toBeSigned, issuer.publicKey))
    throw attestationError(
      "CHAIN_SIGNATURE",
      `${certificate.commonName} is not signed by ${issuer.commonName}`,
    )
}

/**
 * An authority may sign certificates and CRLs, with at least `below` levels of authorities under it.
 * @throws CHAIN_SUBJECT, CHAIN_AUTHORITY, CHAIN_PATH_LENGTH
 */
export function checkAuthority(certificate: Certificate, names: readonly string[], below: number): void {
  const { commonName, ca, keyUsage, pathLength } = certificate
  if (!names.includes(commonName))
    throw attestationError("CHAIN_SUBJECT", `want ${names.join(" or ")}, got ${commonName}`)
  if (!ca || (keyUsage & SIGN_CERTIFICATES_AND_CRLS) !== SIGN_CERTIFICATES_AND_CRLS)
    throw attestationError(
      "CHAIN_AUTHORITY",
      `${commonName} may not sign certificates and CRLs: CA flag ${ca}, key usage 0x${keyUsage.toString(16)}`,
    )
  if (pathLength !== null && pathLength < below)
    throw attestationError(
      "CHAIN_PATH_LENGTH",
      `${commonName} allows only ${pathLength} authorities below it`,
    )
}

/** An end entity signs data only. @throws `code`, CHAIN_SUBJECT where that is CHAIN_END_ENTITY and the name is wrong */
export function checkEndEntity(
  { commonName, ca, keyUsage }: Certificate,
  name: string,
  code: "CHAIN_END_ENTITY" | "TCB_SIGNER",
): void {
  if (commonName !== name)
    throw attestationError(code === "TCB_SIGNER" ? code : "CHAIN_SUBJECT", `want ${name}, got ${commonName}`)
  if (ca || !(keyUsage & DIGITAL_SIGNATURE) || keyUsage & SIGN_CERTIFICATES_AND_CRLS)
    throw attestationError(code, `${commonName} must sign data and nothing else`)
}

/** @throws ROOT_MISMATCH */
export function checkRootKey(root: Certificate, rootKey: RootKey): void {
  if (!sameBytes(root.publicKey, rootKey))
    throw attestationError(
      "ROOT_MISMATCH",
      `root key ${toHex(root.publicKey).slice(0, 18)}… is not the pinned one`,
    )
}

/** Self-signed, an authority, and with exactly the pinned key. */
function verifyRoot(der: Uint8Array, { rootKey, verify }: TrustAnchor): Certificate {
  const root = parseCertificate(der)
  checkRootKey(root, rootKey)
  checkAuthority(root, [ROOT], 1)
  checkIssuedBy(root, root, verify)
  return root
}

/** The CA that issues PCK certificates, and the root above it. */
export type AuthorityChain = { readonly authority: Certificate; readonly root: Certificate }

/**
 * Checks [Platform or Processor CA, root] as DER, whatever the time.
 * @throws CHAIN_*, ROOT_MISMATCH, CERTIFICATE_MALFORMED
 */
export function verifyAuthorityChain(chain: readonly Uint8Array[], anchor: TrustAnchor): AuthorityChain {
  const [authorityDer, rootDer, ...rest] = chain
  if (!authorityDer || !rootDer || rest.length > 0)
    throw attestationError(
      "CHAIN_LENGTH",
      `a PCK CA comes with its root alone, got ${chain.length} certificates`,
    )
  const root = verifyRoot(rootDer, anchor)
  const authority = parseCertificate(authorityDer)
  checkAuthority(authority, PCK_AUTHORITIES, 0)
  checkIssuedBy(authority, root, anchor.verify)
  return { authority, root }
}

/** The certificate of a machine's provisioning key. */
export type PckCertificate = Certificate & { readonly sgx: NonNullable<Certificate["sgx"]> }

/** Checks a PCK certificate under a verified CA, whatever the time. @throws CHAIN_*, PCK_EXTENSION_MISSING */
export function verifyPckCertificate(
  der: Uint8Array,
  authority: Certificate,
  verify: SignatureCheck = verifyP256,
): PckCertificate {
  const leaf = parseCertificate(der)
  checkEndEntity(leaf, PCK, "CHAIN_END_ENTITY")
  checkIssuedBy(leaf, authority, verify)
  const { sgx } = leaf
  if (!sgx) throw attestationError("PCK_EXTENSION_MISSING", "the PCK certificate has no SGX extension")
  return { ...leaf, sgx }
}

/** The certificate that signs TCB info and QE identity: issued by the root itself, for exactly this purpose. */
export type TcbSignerChain = { readonly signer: Certificate; readonly root: Certificate }

/**
 * Checks [TCB Signing, root] as DER, whatever the time.
 * @throws CHAIN_*, ROOT_MISMATCH, TCB_SIGNER, CERTIFICATE_MALFORMED
 */
export function verifyTcbSigner(chain: readonly Uint8Array[], anchor: TrustAnchor): TcbSignerChain {
  const [signerDer, rootDer, ...rest] = chain
  if (!signerDer || !rootDer || rest.length > 0)
    throw attestationError("CHAIN_LENGTH", `a TCB signing chain has two certificates, got ${chain.length}`)
  const root = verifyRoot(rootDer, anchor)
  const signer = parseCertificate(signerDer)
  checkEndEntity(signer, TCB_SIGNING, "TCB_SIGNER")
  checkIssuedBy(signer, root, anchor.verify)
  return { signer, root }
}

/**
 * A CRL that `issuer` signed, whatever the time. An empty list counts only when it is signed.
 * @throws CRL_MALFORMED, CRL_ISSUER, CRL_SIGNATURE
 */
export function verifyCrl(der: Uint8Array, issuer: Certificate, verify: SignatureCheck = verifyP256): Crl {
  const crl = parseCrl(der)
  if (!sameBytes(crl.issuer, issuer.subject))
    throw attestationError("CRL_ISSUER", `the CRL does not name ${issuer.commonName} as issuer`)
  if (!verify(crl.signature, crl.toBeSigned, issuer.publicKey))
    throw attestationError("CRL_SIGNATURE", `the CRL is not signed by ${issuer.commonName}`)
  return crl
}

/** @param time unix seconds; both ends of the period count. @throws CERTIFICATE_NOT_YET_VALID, CERTIFICATE_EXPIRED */
export function checkValidity(certificate: Certificate, time: number): void {
  const { commonName, notBefore, notAfter } = certificate
  if (time < notBefore)
    throw attestationError(
      "CERTIFICATE_NOT_YET_VALID",
      `${commonName} is valid from ${notBefore}, not at ${time}`,
    )
  if (time > notAfter)
    throw attestationError("CERTIFICATE_EXPIRED", `${commonName} was valid until ${notAfter}, not at ${time}`)
}

/** @param issuer for the message. @throws CRL_NOT_YET_VALID, CRL_EXPIRED */
export function checkCrlPeriod(crl: Crl, issuer: Certificate, time: number): void {
  const what = `the CRL of ${issuer.commonName}`
  if (time < crl.thisUpdate)
    throw attestationError("CRL_NOT_YET_VALID", `${what} is valid from ${crl.thisUpdate}, not at ${time}`)
  if (time > crl.nextUpdate)
    throw attestationError("CRL_EXPIRED", `${what} was valid until ${crl.nextUpdate}, not at ${time}`)
}

/** @throws `code` where `certificate` is on its issuer's list. */
export function checkNotRevoked(
  certificate: Certificate,
  crl: Crl,
  code: "PCK_REVOKED" | "PCK_CA_REVOKED" | "TCB_SIGNER_REVOKED",
): void {
  if (crl.revoked.has(certificate.serial))
    throw attestationError(code, `${certificate.commonName} with serial ${certificate.serial} is revoked`)
}

/** A root key from its two coordinates. @throws ROOT_MISMATCH unless it has 64 bytes. */
export function parseRootKey(bytes: Uint8Array): RootKey {
  if (bytes.length !== 64)
    throw attestationError("ROOT_MISMATCH", `a root key has 64 bytes, got ${bytes.length}`)
  return concatBytes(bytes) as RootKey
}
