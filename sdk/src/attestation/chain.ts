/**
 * Certificate chains of Intel's SGX PKI and their revocation lists (attestation.md §3.5 items 2 to 4). A chain is
 * accepted only in its exact shape: name, role, key usage and issuer of every certificate are fixed, so that no end
 * entity can act as an authority and no provisioning key can sign TCB statements.
 *
 * Inputs are public. The caller passes the pinned root key and the time; nothing here reads a clock.
 */
import { concatBytes, toHex } from "../protocol/codec.ts"
import { type Certificate, parseCertificate, verifyP256 } from "./certificate.ts"
import { type Crl, parseCrl } from "./crl.ts"
import { attestationError } from "./errors.ts"

/** The pinned key of the root CA, x ‖ y. */
export type RootKey = Uint8Array & { readonly length: 64 }

export const ROOT = "Intel SGX Root CA"
export const PCK_AUTHORITIES: readonly string[] = ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"]
export const PCK = "Intel SGX PCK Certificate"
export const TCB_SIGNING = "Intel SGX TCB Signing"

const DIGITAL_SIGNATURE = 0x80
const SIGN_CERTIFICATES_AND_CRLS = 0x06

const sameBytes = (one: Uint8Array, other: Uint8Array) => toHex(one) === toHex(other)

/** @throws CHAIN_VALIDITY outside notBefore..notAfter. @param time unix seconds */
export function checkValidity(certificate: Certificate, time: number): void {
  if (time < certificate.notBefore || time > certificate.notAfter)
    throw attestationError(
      "CHAIN_VALIDITY",
      `${certificate.commonName} is valid from ${certificate.notBefore} to ${certificate.notAfter}, not at ${time}`,
    )
}

/** @throws CHAIN_ISSUER, CHAIN_SIGNATURE */
export function checkIssuedBy(certificate: Certificate, issuer: Certificate): void {
  if (!sameBytes(certificate.issuer, issuer.subject))
    throw attestationError(
      "CHAIN_ISSUER",
      `${certificate.commonName} does not name ${issuer.commonName} as issuer`,
    )
  if (!verifyP256(certificate.signature, certificate.toBeSigned, issuer.publicKey))
    throw attestationError(
      "CHAIN_SIGNATURE",
      `${certificate.commonName} is not signed by ${issuer.commonName}`,
    )
}

/** An authority may sign certificates and CRLs, with at least `below` levels of authorities under it. @throws CHAIN_ROLE */
export function checkAuthority(certificate: Certificate, names: readonly string[], below: number): void {
  const { commonName, ca, keyUsage, pathLength } = certificate
  if (!names.includes(commonName))
    throw attestationError("CHAIN_ROLE", `want ${names.join(" or ")}, got ${commonName}`)
  if (!ca || (keyUsage & SIGN_CERTIFICATES_AND_CRLS) !== SIGN_CERTIFICATES_AND_CRLS)
    throw attestationError("CHAIN_ROLE", `${commonName} is not a certificate authority`)
  if (pathLength !== null && pathLength < below)
    throw attestationError("CHAIN_ROLE", `${commonName} allows only ${pathLength} authorities below it`)
}

/** An end entity signs data only. @throws `code` */
export function checkEndEntity(
  certificate: Certificate,
  name: string,
  code: "CHAIN_ROLE" | "TCB_SIGNER",
): void {
  const { commonName, ca, keyUsage } = certificate
  if (commonName !== name) throw attestationError(code, `want ${name}, got ${commonName}`)
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
function checkRoot(root: Certificate, rootKey: RootKey, time: number): void {
  checkRootKey(root, rootKey)
  checkAuthority(root, [ROOT], 1)
  checkIssuedBy(root, root)
  checkValidity(root, time)
}

export type PckChain = {
  readonly leaf: Certificate & { readonly sgx: NonNullable<Certificate["sgx"]> }
  readonly authority: Certificate
  readonly root: Certificate
}

/**
 * Checks [PCK, Platform or Processor CA, root] as DER.
 * @throws CHAIN_*, ROOT_MISMATCH, CERTIFICATE_MALFORMED
 */
export function verifyPckChain(chain: readonly Uint8Array[], rootKey: RootKey, time: number): PckChain {
  const [leaf, authority, root, ...rest] = chain.map(parseCertificate)
  if (!leaf || !authority || !root || rest.length > 0)
    throw attestationError("CHAIN_LENGTH", `a PCK chain has three certificates, got ${chain.length}`)
  checkRoot(root, rootKey, time)
  checkAuthority(authority, PCK_AUTHORITIES, 0)
  checkIssuedBy(authority, root)
  checkValidity(authority, time)
  checkEndEntity(leaf, PCK, "CHAIN_ROLE")
  checkIssuedBy(leaf, authority)
  checkValidity(leaf, time)
  const { sgx } = leaf
  if (!sgx) throw attestationError("CHAIN_ROLE", "the PCK certificate has no SGX extension")
  return { leaf: { ...leaf, sgx }, authority, root }
}

/** The certificate that signs TCB info and QE identity: issued by the root itself, for exactly this purpose. */
export function verifyTcbSigner(
  chain: readonly Uint8Array[],
  rootKey: RootKey,
  rootCrl: Crl,
  time: number,
): Certificate {
  const [signer, root, ...rest] = chain.map(parseCertificate)
  if (!signer || !root || rest.length > 0)
    throw attestationError("CHAIN_LENGTH", `a TCB signing chain has two certificates, got ${chain.length}`)
  checkRoot(root, rootKey, time)
  checkEndEntity(signer, TCB_SIGNING, "TCB_SIGNER")
  checkIssuedBy(signer, root)
  checkValidity(signer, time)
  checkNotRevoked(signer, rootCrl)
  return signer
}

/**
 * A CRL that `issuer` signed and that is current at `time`. An empty list counts only when it is signed and fresh.
 * @throws CRL_MALFORMED, CRL_ISSUER, CRL_SIGNATURE, CRL_STALE
 */
export function verifyCrl(der: Uint8Array, issuer: Certificate, time: number): Crl {
  const crl = parseCrl(der)
  if (!sameBytes(crl.issuer, issuer.subject))
    throw attestationError("CRL_ISSUER", `the CRL does not name ${issuer.commonName} as issuer`)
  if (!verifyP256(crl.signature, crl.toBeSigned, issuer.publicKey))
    throw attestationError("CRL_SIGNATURE", `the CRL is not signed by ${issuer.commonName}`)
  if (time < crl.thisUpdate || time > crl.nextUpdate)
    throw attestationError(
      "CRL_STALE",
      `the CRL of ${issuer.commonName} is valid from ${crl.thisUpdate} to ${crl.nextUpdate}, not at ${time}`,
    )
  return crl
}

/** @throws CERTIFICATE_REVOKED */
export function checkNotRevoked(certificate: Certificate, crl: Crl): void {
  if (crl.revoked.has(certificate.serial))
    throw attestationError(
      "CERTIFICATE_REVOKED",
      `${certificate.commonName} with serial ${certificate.serial} is revoked`,
    )
}

/** A root key from its two coordinates. @throws ROOT_MISMATCH unless it has 64 bytes. */
export function parseRootKey(bytes: Uint8Array): RootKey {
  if (bytes.length !== 64)
    throw attestationError("ROOT_MISMATCH", `a root key has 64 bytes, got ${bytes.length}`)
  return concatBytes(bytes) as RootKey
}
