/**
 * X.509 certificates of Intel's SGX PKI: version 3, P-256 keys, ECDSA with SHA-256 (RFC 5280 and Intel SGX PCK
 * Certificate and CRL Profile). Strict subset: known critical extensions only, none twice, basic constraints and key
 * usage required. The caller checks chain, dates and revocation (`chain.ts`).
 */
import { concatBytes, toHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { DerReader, TAG } from "./der.ts"
import { attestationError, within } from "./errors.ts"
import { parseSgxExtension, SGX_EXTENSION_ID, type SgxExtension } from "./sgxExtension.ts"

export type Certificate = {
  readonly der: Uint8Array
  /** The bytes under the issuer's signature. */
  readonly toBeSigned: Uint8Array
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array
  /** Shortest big-endian form, at most 20 bytes. */
  readonly serial: Hex
  /** Distinguished names as encoded, compared byte for byte. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** For messages; `subject` is what counts. */
  readonly commonName: string
  /** Unix seconds, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
  /** x ‖ y, 64 bytes. */
  readonly publicKey: Uint8Array
  readonly ca: boolean
  readonly pathLength: number | null
  /** The one byte of key usage bits: 0x80 digitalSignature, 0x40 nonRepudiation, 0x04 keyCertSign, 0x02 cRLSign. */
  readonly keyUsage: number
  /** Present on PCK certificates. */
  readonly sgx: SgxExtension | null
}

const ECDSA_WITH_SHA256 = "2a8648ce3d040302"
const EC_PUBLIC_KEY = "2a8648ce3d0201"
const PRIME256V1 = "2a8648ce3d030107"
const COMMON_NAME = "550403"
const KEY_USAGE = "551d0f"
const BASIC_CONSTRAINTS = "551d13"

const malformed = (message: string) => attestationError("CERTIFICATE_MALFORMED", message)

export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

/** SEQUENCE { ecdsa-with-SHA256 }. */
export function readSignatureAlgorithm(reader: DerReader): void {
  const algorithm = reader.inside(TAG.sequence)
  const identifier = algorithm.objectIdentifier()
  if (identifier !== ECDSA_WITH_SHA256)
    throw attestationError(
      "DER_MALFORMED",
      `signature algorithm must be ECDSA with SHA-256, got ${identifier}`,
    )
  algorithm.end()
}

/** The BIT STRING with an ECDSA signature in DER, as r ‖ s. */
export function readSignature(reader: DerReader): Uint8Array {
  const { unused, bytes } = reader.bitString()
  if (unused !== 0) throw attestationError("DER_MALFORMED", "a signature has unused bits")
  const outer = new DerReader(bytes)
  const pair = outer.inside(TAG.sequence)
  outer.end()
  const scalars = [pair.unsigned(), pair.unsigned()].map((scalar) => {
    if (scalar.length > 32) throw attestationError("DER_MALFORMED", `a scalar has ${scalar.length} bytes`)
    const padded = new Uint8Array(32)
    padded.set(scalar, 32 - scalar.length)
    return padded
  })
  pair.end()
  return concatBytes(...scalars)
}

/** Names that count are plain ASCII; anything else only has to be harmless in a message. */
const readAscii = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?")).join("")

function readCommonName(name: Uint8Array): string {
  const attributes = new DerReader(name).inside(TAG.sequence)
  const names: string[] = []
  while (attributes.peek() !== null) {
    const attribute = attributes.inside(TAG.set).inside(TAG.sequence)
    if (attribute.objectIdentifier() === COMMON_NAME) names.push(readAscii(attribute.content(TAG.utf8String)))
  }
  const [commonName] = names
  if (commonName === undefined || names.length > 1)
    throw malformed(`a name must have one common name, got ${names.length}`)
  return commonName
}

function readPublicKey(reader: DerReader): Uint8Array {
  const info = reader.inside(TAG.sequence)
  const algorithm = info.inside(TAG.sequence)
  const [kind, curve] = [algorithm.objectIdentifier(), algorithm.objectIdentifier()]
  algorithm.end()
  if (kind !== EC_PUBLIC_KEY || curve !== PRIME256V1)
    throw malformed(`want a P-256 key, got ${kind} ${curve}`)
  const { unused, bytes } = info.bitString()
  info.end()
  if (unused !== 0 || bytes.length !== 65 || bytes[0] !== 4)
    throw malformed("the public key is not an uncompressed point")
  return bytes.slice(1)
}

type Extensions = Pick<Certificate, "ca" | "pathLength" | "keyUsage" | "sgx">

/** Extensions that are critical on every certificate of Intel's; no others may be. */
const CRITICAL: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE]

function readExtensions(reader: DerReader): Extensions {
  const seen = new Set<string>()
  const list = reader.inside(TAG.sequence)
  let constraints: Pick<Certificate, "ca" | "pathLength"> | null = null
  let keyUsage: number | null = null
  let sgx: SgxExtension | null = null
  while (list.peek() !== null) {
    const item = list.inside(TAG.sequence)
    const identifier = item.objectIdentifier()
    if (seen.has(identifier)) throw malformed(`extension ${identifier} stands twice`)
    seen.add(identifier)
    const critical = item.optionalTrue()
    const value = item.content(TAG.octetString)
    item.end()
    if (critical !== CRITICAL.includes(identifier))
      throw malformed(`extension ${identifier} must ${critical ? "not " : ""}be critical`)
    if (identifier === BASIC_CONSTRAINTS) constraints = readBasicConstraints(value)
    else if (identifier === KEY_USAGE) keyUsage = readKeyUsage(value)
    else if (identifier === SGX_EXTENSION_ID) sgx = parseSgxExtension(value)
  }
  if (!constraints) throw malformed("basic constraints are missing")
  if (keyUsage === null) throw malformed("key usage is missing")
  return { ...constraints, keyUsage, sgx }
}

function readBasicConstraints(value: Uint8Array): Pick<Certificate, "ca" | "pathLength"> {
  const outer = new DerReader(value)
  const constraints = outer.inside(TAG.sequence)
  outer.end()
  const ca = constraints.optionalTrue()
  const pathLength = constraints.peek() === TAG.integer ? constraints.smallUnsigned() : null
  constraints.end()
  return { ca, pathLength }
}

/** DER cuts zero bits off the end, so the last bit that stands there is set. */
function readKeyUsage(value: Uint8Array): number {
  const outer = new DerReader(value)
  const { unused, bytes } = outer.bitString()
  outer.end()
  const [usage = 0, ...rest] = bytes
  if (rest.length > 0 || !((usage >> unused) & 1))
    throw malformed(`key usage ${toHex(bytes)} with ${unused} unused bits is not one byte in shortest form`)
  return usage
}

function parse(der: Uint8Array): Certificate {
  const outer = new DerReader(der)
  const certificate = outer.inside(TAG.sequence)
  outer.end()
  const toBeSigned = certificate.whole(TAG.sequence)
  readSignatureAlgorithm(certificate)
  const signature = readSignature(certificate)
  certificate.end()

  const fields = new DerReader(toBeSigned).inside(TAG.sequence)
  const version = fields.inside(TAG.context0)
  if (version.smallUnsigned() !== 2) throw malformed("a certificate must have version 3")
  version.end()
  const serial = fields.unsigned()
  if (serial.length > 20) throw malformed(`a serial number has ${serial.length} bytes, the maximum is 20`)
  readSignatureAlgorithm(fields)
  const issuer = fields.whole(TAG.sequence)
  const validity = fields.inside(TAG.sequence)
  const [notBefore, notAfter] = [validity.time(), validity.time()]
  validity.end()
  const subject = fields.whole(TAG.sequence)
  const publicKey = readPublicKey(fields)
  const wrapper = fields.inside(TAG.context3)
  const extensions = readExtensions(wrapper)
  wrapper.end()
  fields.end()
  return {
    der,
    toBeSigned,
    signature,
    serial: toHex(serial),
    issuer,
    subject,
    commonName: readCommonName(subject),
    notBefore,
    notAfter,
    publicKey,
    ...extensions,
  }
}

/** Parses one DER certificate; no signature is checked. @throws CERTIFICATE_MALFORMED */
export const parseCertificate = (der: Uint8Array): Certificate =>
  within("CERTIFICATE_MALFORMED", "certificate", () => parse(der))
