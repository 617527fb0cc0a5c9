/**
 * Certificate chains of Intel's SGX PKI and their revocation lists (docs/attestation.md §3, 2 to 4). A chain is
 * accepted only in its exact shape: name, role, key usage and issuer of every certificate are fixed, so that no end
 * entity can act as an authority and no provisioning key can sign TCB statements.
 *
 * Inputs are public. What does not depend on time (form, names, roles, signatures) and what does (validity,
 * freshness) are separate functions, so that verified collateral can be used again; nothing here reads a clock.
 */
import { concatBytes, fromHex, toHex, utf8ToBytes } from "../protocol/codec.ts"
import { type Certificate, parseCertificate, sameBytes } from "./certificate.ts"
import { type Crl, parseCrl } from "./crl.ts"
import { TAG } from "./der.ts"
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

/** digitalSignature and nonRepudiation; keyCertSign and cRLSign. Intel sets exactly these. */
const SIGN_DATA = 0xc0
const SIGN_CERTIFICATES_AND_CRLS = 0x06

/** O = Intel Corporation, L = Santa Clara, ST = CA, C = US, as they follow the common name in every name. */
const INTEL = fromHex(
  "0x311a3018060355040a0c11496e74656c20436f72706f726174696f6e31143012060355040" +
    "70c0b53616e746120436c617261310b300906035504080c024341310b3009060355040613025553",
)

/** The DER name with which Intel issues a certificate for `commonName`. */
function nameOf(commonName: string): Uint8Array {
  const wrap = (tag: number, content: Uint8Array) => concatBytes(Uint8Array.of(tag, content.length), content)
  const text = wrap(TAG.utf8String, utf8ToBytes(commonName))
  const attribute = concatBytes(fromHex("0x0603550403"), text)
  return wrap(TAG.sequence, concatBytes(wrap(TAG.set, wrap(TAG.sequence, attribute)), INTEL))
}

const isNamed = (certificate: Certificate, commonName: string): boolean =>
  sameBytes(certificate.subject, nameOf(commonName))

/** The whole name of a certificate whose common name is right may still be another one. */
const wrongName = ({ commonName, subject }: Certificate, ...names: readonly string[]): string =>
  `want the name of ${names.join(" or ")}, got ${commonName} (${toHex(subject)})`

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
 * An authority may sign certificates and CRLs and nothing else, with exactly `below` levels of authorities under it.
 * @throws CHAIN_SUBJECT, CHAIN_AUTHORITY, CHAIN_PATH_LENGTH
 */
export function checkAuthority(certificate: Certificate, names: readonly string[], below: number): void {
  const { commonName, ca, keyUsage, pathLength } = certificate
  if (!names.some((name) => isNamed(certificate, name)))
    throw attestationError("CHAIN_SUBJECT", wrongName(certificate, ...names))
  if (!ca || keyUsage !== SIGN_CERTIFICATES_AND_CRLS)
    throw attestationError(
      "CHAIN_AUTHORITY",
      `${commonName} must sign certificates and CRLs only: CA flag ${ca}, key usage 0x${keyUsage.toString(16)}`,
    )
  if (pathLength !== below)
    throw attestationError(
      "CHAIN_PATH_LENGTH",
      `${commonName} must allow ${below} authorities below it, allows ${pathLength ?? "any number"}`,
    )
}

/** An end entity signs data only. @throws `code`, CHAIN_SUBJECT where that is CHAIN_END_ENTITY and the name is wrong */
export function checkEndEntity(
  certificate: Certificate,
  name: string,
  code: "CHAIN_END_ENTITY" | "TCB_SIGNER",
): void {
  const { commonName, ca, keyUsage, pathLength } = certificate
  if (!isNamed(certificate, name))
    throw attestationError(code === "TCB_SIGNER" ? code : "CHAIN_SUBJECT", wrongName(certificate, name))
  if (ca || pathLength !== null || keyUsage !== SIGN_DATA)
    throw attestationError(
      code,
      `${commonName} must sign data only: CA flag ${ca}, key usage 0x${keyUsage.toString(16)}`,
    )
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
 * @param verified a root that was checked under this anchor: the same certificate is not checked again.
 * @throws CHAIN_*, ROOT_MISMATCH, TCB_SIGNER, CERTIFICATE_MALFORMED
 */
export function verifyTcbSigner(
  chain: readonly Uint8Array[],
  anchor: TrustAnchor,
  verified?: Certificate,
): TcbSignerChain {
  const [signerDer, rootDer, ...rest] = chain
  if (!signerDer || !rootDer || rest.length > 0)
    throw attestationError("CHAIN_LENGTH", `a TCB signing chain has two certificates, got ${chain.length}`)
  const root = verified && sameBytes(rootDer, verified.der) ? verified : verifyRoot(rootDer, anchor)
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
