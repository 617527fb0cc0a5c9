import { X509Certificate } from "node:crypto"
import * as der from "@twinlock/devnet/platform/der"
import { deriveKey } from "@twinlock/devnet/platform/keys"
import {
  type CertificateFields,
  distinguishedName,
  extension,
  issueCertificate,
  issueCrl,
  ROOT_CRL_URL,
} from "@twinlock/devnet/platform/pki"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import fc from "fast-check"
import { expect, test } from "vitest"
import { toHex } from "../protocol/codec.ts"
import { parseCertificate } from "./certificate.ts"
import { parseCrl } from "./crl.ts"
import { verifyP256 } from "./p256.ts"

const platform = createPlatform({ seed: "certificates", now: 1_791_158_400 })
const key = deriveKey("certificates", "subject")
const issuer = { name: "Issuer", key: deriveKey("certificates", "issuer") }
const issue = (fields: Partial<CertificateFields> = {}) =>
  issueCertificate({
    name: "Subject",
    key,
    issuer,
    serial: Uint8Array.of(0x80, 1),
    notBefore: 1_000_000_000,
    notAfter: 2_500_000_000,
    pathLength: 3,
    crlUrl: ROOT_CRL_URL,
    ...fields,
  })

test("fields agree with another implementation", () => {
  for (const bytes of [
    platform.rootCertificate,
    platform.platformCaCertificate,
    platform.tcbSigningCertificate,
    platform.machine("alice").pckCertificate,
    issue(),
  ]) {
    const ours = parseCertificate(bytes)
    const theirs = new X509Certificate(bytes)
    expect(ours.serial).toBe(`0x${theirs.serialNumber.toLowerCase()}`)
    expect(theirs.subject).toContain(`CN=${ours.commonName}\n`)
    expect(ours.notBefore * 1000).toBe(theirs.validFromDate.getTime())
    expect(ours.notAfter * 1000).toBe(theirs.validToDate.getTime())
    expect(ours.ca).toBe(theirs.ca)
    const jwk = theirs.publicKey.export({ format: "jwk" })
    const point = Buffer.concat([
      Buffer.from(jwk.x ?? "", "base64url"),
      Buffer.from(jwk.y ?? "", "base64url"),
    ])
    expect(toHex(ours.publicKey)).toBe(toHex(point))
  }
})

test("an authority has its path length and key usage, an end entity neither", () => {
  expect(parseCertificate(issue())).toMatchObject({ ca: true, pathLength: 3, keyUsage: 0x06, sgx: null })
  expect(parseCertificate(issue({ pathLength: null }))).toMatchObject({
    ca: false,
    pathLength: null,
    keyUsage: 0xc0,
  })
})

test("the SGX extension names the machine, with SVNs above 127", () => {
  const machine = platform.machine({ name: "svn", cpuSvn: "0xff808100000000000000000000000001", pceSvn: 300 })
  expect(parseCertificate(machine.pckCertificate).sgx).toEqual({
    ppid: machine.ppid,
    piid: machine.piid,
    fmspc: machine.fmspc,
    pceId: "0x0000",
    cpuSvn: [255, 128, 129, ...Array.from({ length: 12 }, () => 0), 1],
    pceSvn: 300,
  })
})

test("the signature is over the certificate's body", () => {
  const certificate = parseCertificate(issue())
  expect(verifyP256(certificate.signature, certificate.toBeSigned, issuer.key.publicKey)).toBe(true)
  expect(verifyP256(certificate.signature, certificate.toBeSigned, key.publicKey)).toBe(false)
  expect(verifyP256(new Uint8Array(64), certificate.toBeSigned, key.publicKey)).toBe(false)
  expect(verifyP256(certificate.signature, certificate.toBeSigned, new Uint8Array(64))).toBe(false)
})

/** A certificate put together by hand, so that single parts can be wrong. */
function assembled(
  parts: Readonly<Record<string, Uint8Array>>,
  ...extensions: readonly Uint8Array[]
): Uint8Array {
  const algorithm = parts["algorithm"] ?? ecdsa
  const toBeSigned = der.sequence(
    parts["version"] ?? der.context(0, der.integer(2)),
    parts["serial"] ?? der.integer(1),
    parts["innerAlgorithm"] ?? algorithm,
    distinguishedName("Issuer"),
    parts["validity"] ?? der.sequence(der.time(1_000_000_000), der.time(1_000_000_001)),
    parts["subject"] ?? distinguishedName("Subject"),
    parts["publicKey"] ?? spki("1.2.840.10045.2.1", "1.2.840.10045.3.1.7"),
    der.context(3, der.sequence(...extensions), parts["afterExtensions"] ?? NOTHING),
    parts["afterFields"] ?? NOTHING,
  )
  return der.sequence(
    toBeSigned,
    algorithm,
    parts["signature"] ?? signature(Uint8Array.of(1), Uint8Array.of(1)),
    parts["afterSignature"] ?? NOTHING,
  )
}
const NOTHING = new Uint8Array(0)
const ecdsa = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"))
const point = new Uint8Array(65).fill(4)
const spki = (kind: string, curve: string, bits = der.bitString(point)) =>
  der.sequence(der.sequence(der.objectIdentifier(kind), der.objectIdentifier(curve)), bits)
const signature = (r: Uint8Array, s: Uint8Array) =>
  der.bitString(der.sequence(der.integer(r), der.integer(s)))
const basicConstraints = extension("2.5.29.19", true, der.sequence())
const keyUsage = extension("2.5.29.15", true, der.tlv(3, Uint8Array.of(6, 0xc0)))
const attribute = (value: string) =>
  der.set(der.sequence(der.objectIdentifier("2.5.4.3"), der.utf8String(value)))

test("the certificate put together by hand is a good one", () => {
  expect(parseCertificate(assembled({}, basicConstraints, keyUsage)).commonName).toBe("Subject")
})

test.each<[string, Readonly<Record<string, Uint8Array>>, string]>([
  ["version 1", { version: der.context(0, der.integer(0)) }, "must have version 3"],
  ["a serial of 21 bytes", { serial: der.integer(new Uint8Array(21).fill(1)) }, "has 21 bytes"],
  ["RSA", { algorithm: der.sequence(der.objectIdentifier("1.2.840.113549.1.1.11")) }, "must be ECDSA"],
  [
    "another algorithm inside",
    { innerAlgorithm: der.sequence(der.objectIdentifier("1.2.840.10045.4.3.3")) },
    "must be ECDSA",
  ],
  ["no common name", { subject: der.sequence() }, "one common name, got 0"],
  [
    "two common names",
    { subject: der.sequence(attribute("one"), attribute("two")) },
    "one common name, got 2",
  ],
  ["a key of another curve", { publicKey: spki("1.2.840.10045.2.1", "1.3.132.0.34") }, "want a P-256 key"],
  [
    "a key of another kind",
    { publicKey: spki("1.2.840.113549.1.1.1", "1.2.840.10045.3.1.7") },
    "want a P-256 key",
  ],
  [
    "a compressed key",
    { publicKey: spki("1.2.840.10045.2.1", "1.2.840.10045.3.1.7", der.bitString(point.subarray(32))) },
    "uncompressed",
  ],
  [
    "a key of another form",
    {
      publicKey: spki("1.2.840.10045.2.1", "1.2.840.10045.3.1.7", der.bitString(new Uint8Array(65).fill(6))),
    },
    "uncompressed",
  ],
  [
    "a scalar of 33 bytes",
    { signature: signature(new Uint8Array(33).fill(1), Uint8Array.of(1)) },
    "33 bytes",
  ],
  [
    "unused bits in the signature",
    { signature: der.tlv(3, Uint8Array.of(1), der.sequence(der.integer(1), der.integer(1))) },
    "unused bits",
  ],
  [
    "unused zero bits in the signature",
    { signature: der.tlv(3, Uint8Array.of(1), der.sequence(der.integer(1), der.integer(2))) },
    "unused bits",
  ],
])("a certificate with %s is refused", (_, parts, message) => {
  expect(() => parseCertificate(assembled(parts, basicConstraints, keyUsage))).toThrow(message)
})

test("basic constraints and key usage are required", () => {
  expect(() => parseCertificate(assembled({}, keyUsage))).toThrow("basic constraints are missing")
  expect(() => parseCertificate(assembled({}, basicConstraints))).toThrow("key usage is missing")
})

const unknown = (critical: boolean) => extension("1.2.3.4", critical, der.sequence())

test("unknown extensions may stand there unless they are critical", () => {
  expect(parseCertificate(issue({ extensions: [unknown(false)] })).commonName).toBe("Subject")
  expect(() => parseCertificate(issue({ extensions: [unknown(true)] }))).toThrow(
    "extension 2a0304 must not be critical",
  )
  expect(() => parseCertificate(issue({ extensions: [unknown(false), unknown(false)] }))).toThrow(
    "stands twice",
  )
})

const usage = (...content: readonly number[]) =>
  extension("2.5.29.15", true, der.tlv(3, Uint8Array.from(content)))
const constraints = (...items: readonly Uint8Array[]) => extension("2.5.29.19", true, der.sequence(...items))
const NO = der.tlv(1, Uint8Array.of(0))

test.each<[string, Uint8Array, Uint8Array, string]>([
  [
    "basic constraints that are not critical",
    extension("2.5.29.19", false, der.sequence()),
    keyUsage,
    "extension 551d13 must be critical",
  ],
  [
    "key usage that is not critical",
    basicConstraints,
    extension("2.5.29.15", false, der.tlv(3, Uint8Array.of(6, 0xc0))),
    "extension 551d0f must be critical",
  ],
  ["a CA flag that is written as false", constraints(NO), keyUsage, "that is written must be ff"],
  [
    "a negative path length",
    constraints(der.boolean(true), der.tlv(2, Uint8Array.of(0xff))),
    keyUsage,
    "negative",
  ],
  [
    "further basic constraints",
    constraints(der.boolean(true), der.integer(0), der.integer(0)),
    keyUsage,
    "left over",
  ],
  ["no key usage bits", basicConstraints, usage(0), "not one byte"],
  ["key usage of zero", basicConstraints, usage(0, 0), "not one byte"],
  ["key usage of two bytes", basicConstraints, usage(7, 0xc0, 0x80), "not one byte"],
  ["key usage with uncut zero bits", basicConstraints, usage(5, 0xc0), "not one byte"],
  ["key usage with set unused bits", basicConstraints, usage(7, 0xc0), "unused bits that are not zero"],
])("%s is refused", (_, first, second, message) => {
  expect(() => parseCertificate(assembled({}, first, second))).toThrow(message)
})

test("a criticality that is written as false is refused", () => {
  const written = der.sequence(der.objectIdentifier("1.2.3.4"), NO, der.octetString(der.sequence()))
  expect(() => parseCertificate(assembled({}, basicConstraints, keyUsage, written))).toThrow("must be ff")
})

const MORE = der.integer(1)
const p256Key = [der.objectIdentifier("1.2.840.10045.2.1"), der.objectIdentifier("1.2.840.10045.3.1.7")]
const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

test.each<[string, Readonly<Record<string, Uint8Array>>]>([
  [
    "a signature algorithm with parameters",
    { algorithm: der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"), MORE) },
  ],
  ["a signature of three numbers", { signature: der.bitString(der.sequence(MORE, MORE, MORE)) }],
  [
    "bytes after the signature's numbers",
    { signature: der.bitString(joined(der.sequence(MORE, MORE), MORE)) },
  ],
  ["a version with more after it", { version: der.context(0, der.integer(2), MORE) }],
  ["three times", { validity: der.sequence(der.time(1_000_000_000), der.time(1_000_000_001), MORE) }],
  [
    "a key algorithm of three parts",
    { publicKey: der.sequence(der.sequence(...p256Key, MORE), der.bitString(point)) },
  ],
  [
    "a key with more after it",
    { publicKey: der.sequence(der.sequence(...p256Key), der.bitString(point), MORE) },
  ],
  ["more after the extensions", { afterExtensions: MORE }],
  ["more after the fields", { afterFields: MORE }],
  ["more after the signature", { afterSignature: MORE }],
])("a certificate with %s is refused", (_, parts) => {
  expect(() => parseCertificate(assembled(parts, basicConstraints, keyUsage))).toThrow("left over")
})

test.each<[string, Uint8Array]>([
  ["a third part", der.sequence(der.objectIdentifier("1.2.3.4"), der.octetString(MORE), MORE)],
  ["bytes after basic constraints", extension("2.5.29.19", true, joined(der.sequence(), MORE))],
  ["bytes after key usage", extension("2.5.29.15", true, joined(der.tlv(3, Uint8Array.of(6, 0xc0)), MORE))],
])("an extension with %s is refused", (_, item) => {
  expect(() => parseCertificate(assembled({}, item))).toThrow("left over")
})

test("a certificate with bytes after it is refused", () => {
  expect(() => parseCertificate(new Uint8Array([...issue(), 0]))).toThrow("CERTIFICATE_MALFORMED")
})

test("a revocation list gives serials in the certificates' form", () => {
  const list = issueCrl({
    issuer,
    thisUpdate: 1_000_000_005,
    nextUpdate: 1_000_000_009,
    revoked: [Uint8Array.of(0x80, 1), Uint8Array.of(7)],
  })
  const crl = parseCrl(list)
  expect([...crl.revoked]).toEqual([parseCertificate(issue()).serial, "0x07"])
  expect(crl).toMatchObject({ thisUpdate: 1_000_000_005, nextUpdate: 1_000_000_009 })
  expect(
    parseCrl(issueCrl({ issuer, thisUpdate: 1_000_000_005, nextUpdate: 1_000_000_009 })).revoked.size,
  ).toBe(0)
})

test("a name that is no UTF-8 is no reason for another kind of error", () => {
  const source = issue({ name: "Subjec\u00e9" })
  const at = Buffer.from(source).indexOf("Subjec") + 6
  source[at + 1] = 0x20
  expect(parseCertificate(source).commonName).toBe("Subjec? ")
})

test("changed bytes are parsed or refused with a typed error, never another one", () => {
  const source = platform.machine("alice").pckCertificate
  fc.assert(
    fc.property(fc.nat(source.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const bytes = source.slice()
      bytes[at] = (bytes[at] ?? 0) ^ mask
      try {
        parseCertificate(bytes)
      } catch (error) {
        expect(error).toMatchObject({ detail: { code: "CERTIFICATE_MALFORMED" } })
      }
    }),
    { numRuns: 1_000 },
  )
})
