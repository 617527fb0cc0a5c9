/**
 * X.509 certificates and CRLs in the exact shape of Intel's SGX PKI (same fields, order and criticality), so that
 * one strict parser serves both. Tests build rogue chains from the same functions.
 */
import { sha1 } from "@noble/hashes/legacy.js"
import { concatBytes, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import * as der from "./der.ts"
import type { SigningKey } from "./keys.ts"

export const ROOT_CA = "Intel SGX Root CA"
export const PLATFORM_CA = "Intel SGX PCK Platform CA"
export const PROCESSOR_CA = "Intel SGX PCK Processor CA"
export const PCK = "Intel SGX PCK Certificate"
export const TCB_SIGNING = "Intel SGX TCB Signing"
export const ROOT_CRL_URL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
export const PCK_CRL_URL =
  "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der"

export const ECDSA_WITH_SHA256: Uint8Array = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"))

/** Who signs: the key and the common name that goes into the issuer field. */
export type Issuer = { readonly name: string; readonly key: SigningKey }

export type CertificateFields = {
  readonly name: string
  readonly key: SigningKey
  readonly issuer: Issuer
  /** Big-endian, 20 bytes. */
  readonly serial: Uint8Array
  /** Unix seconds, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
  /** Path length of a CA; null for an end entity. */
  readonly pathLength: number | null
  readonly crlUrl: string
  /** BIT STRING content (unused bits, then bits); by role otherwise. */
  readonly keyUsage?: Uint8Array
  /** Encoded extensions after the five standard ones. */
  readonly extensions?: readonly Uint8Array[]
  /** Encoded extensions in place of the five standard ones; see `standardExtensions`. */
  readonly standard?: readonly Uint8Array[]
  /** Encoded names in place of Intel's with `name` and `issuer.name`. */
  readonly subject?: Uint8Array
  readonly issuerName?: Uint8Array
  /** Encoded times in place of the two UTCTimes. */
  readonly validity?: readonly Uint8Array[]
  /** 3 by default. */
  readonly version?: number
  /** Encoded algorithm identifier, in both places. */
  readonly algorithm?: Uint8Array
}

export type CrlFields = {
  readonly issuer: Issuer
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revoked?: readonly Uint8Array[]
  /** Encoded issuer in place of Intel's name with `issuer.name`. */
  readonly issuerName?: Uint8Array
  /** Encoded times in place of the two UTCTimes. */
  readonly times?: readonly Uint8Array[]
  /** 2 by default. */
  readonly version?: number
  /** Encoded extensions after Intel's two. */
  readonly extensions?: readonly Uint8Array[]
  /** Encoded extensions of every entry in place of the reason. */
  readonly entryExtensions?: readonly Uint8Array[]
}

const attribute = (oid: string, value: Uint8Array) => der.set(der.sequence(der.objectIdentifier(oid), value))

/** Distinguished name with Intel's order of attributes. */
export const distinguishedName = (commonName: string): Uint8Array =>
  der.sequence(
    attribute("2.5.4.3", der.utf8String(commonName)),
    attribute("2.5.4.10", der.utf8String("Intel Corporation")),
    attribute("2.5.4.7", der.utf8String("Santa Clara")),
    attribute("2.5.4.8", der.utf8String("CA")),
    attribute("2.5.4.6", der.printableString("US")),
  )

export const extension = (oid: string, critical: boolean, value: Uint8Array): Uint8Array =>
  der.sequence(der.objectIdentifier(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value))

const uncompressed = (key: SigningKey) => concatBytes(Uint8Array.of(4), key.publicKey)
const keyIdentifier = (key: SigningKey) => sha1(uncompressed(key))
const authorityKey = (issuer: Issuer) =>
  extension("2.5.29.35", false, der.sequence(der.tlv(0x80, keyIdentifier(issuer.key))))

const publicKeyInfo = (key: SigningKey) =>
  der.sequence(
    der.sequence(der.objectIdentifier("1.2.840.10045.2.1"), der.objectIdentifier("1.2.840.10045.3.1.7")),
    der.bitString(uncompressed(key)),
  )

const signed = (toBeSigned: Uint8Array, issuer: Issuer, algorithm = ECDSA_WITH_SHA256) =>
  der.sequence(toBeSigned, algorithm, der.bitString(issuer.key.signDer(toBeSigned)))

/** The five extensions of Intel's certificates by name, in Intel's order. */
export function standardExtensions(fields: CertificateFields): {
  readonly authorityKey: Uint8Array
  readonly crlDistribution: Uint8Array
  readonly subjectKey: Uint8Array
  readonly keyUsage: Uint8Array
  readonly basicConstraints: Uint8Array
} {
  const ca = fields.pathLength !== null
  const usage = fields.keyUsage ?? (ca ? Uint8Array.of(1, 0x06) : Uint8Array.of(6, 0xc0))
  const constraints =
    fields.pathLength === null
      ? der.sequence()
      : der.sequence(der.boolean(true), der.integer(fields.pathLength))
  const distribution = der.context(0, der.context(0, der.tlv(0x86, utf8ToBytes(fields.crlUrl))))
  return {
    authorityKey: authorityKey(fields.issuer),
    crlDistribution: extension("2.5.29.31", false, der.sequence(der.sequence(distribution))),
    subjectKey: extension("2.5.29.14", false, der.octetString(keyIdentifier(fields.key))),
    keyUsage: extension("2.5.29.15", true, der.tlv(0x03, usage)),
    basicConstraints: extension("2.5.29.19", true, constraints),
  }
}

/** DER of a certificate: five standard extensions in Intel's order, then the given ones. */
export function issueCertificate(fields: CertificateFields): Uint8Array {
  const algorithm = fields.algorithm ?? ECDSA_WITH_SHA256
  const validity = fields.validity ?? [der.time(fields.notBefore), der.time(fields.notAfter)]
  const standard = fields.standard ?? Object.values(standardExtensions(fields))
  const toBeSigned = der.sequence(
    der.context(0, der.integer((fields.version ?? 3) - 1)),
    der.integer(fields.serial),
    algorithm,
    fields.issuerName ?? distinguishedName(fields.issuer.name),
    der.sequence(...validity),
    fields.subject ?? distinguishedName(fields.name),
    publicKeyInfo(fields.key),
    der.context(3, der.sequence(...standard, ...(fields.extensions ?? []))),
  )
  return signed(toBeSigned, fields.issuer, algorithm)
}

/** DER of a version 2 CRL: number 1 like Intel's, every entry with reason keyCompromise. */
export function issueCrl(fields: CrlFields): Uint8Array {
  const reason = [extension("2.5.29.21", false, der.enumerated(1))]
  const entries = (fields.revoked ?? []).map((serial) =>
    der.sequence(
      der.integer(serial),
      der.time(fields.thisUpdate),
      der.sequence(...(fields.entryExtensions ?? reason)),
    ),
  )
  const number = extension("2.5.29.20", false, der.integer(1))
  const toBeSigned = der.sequence(
    der.integer((fields.version ?? 2) - 1),
    ECDSA_WITH_SHA256,
    fields.issuerName ?? distinguishedName(fields.issuer.name),
    ...(fields.times ?? [der.time(fields.thisUpdate), der.time(fields.nextUpdate)]),
    ...(entries.length > 0 ? [der.sequence(...entries)] : []),
    der.context(0, der.sequence(number, authorityKey(fields.issuer), ...(fields.extensions ?? []))),
  )
  return signed(toBeSigned, fields.issuer)
}

/** PEM with 64 characters per line. */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`
}
