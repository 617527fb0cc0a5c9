import { deriveKey } from "@twinlock/devnet/platform/keys"
import {
  distinguishedName,
  issueCrl,
  PCK,
  PLATFORM_CA,
  ROOT_CA,
  TCB_SIGNING,
} from "@twinlock/devnet/platform/pki"
import { createPlatform, type Platform } from "@twinlock/devnet/platform/platform"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  certificate,
  DAY,
  flipped,
  genuine,
  machine,
  NOW,
  pck,
  platform,
  quote,
  quoteWith,
  verify,
} from "../../../test/support/simulatedQuote.ts"
import { parseRootKey } from "./chain.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import type { AttestationErrorCode } from "./errors.ts"

/** The common name with another organisation. */
const elsewhere = (commonName: string) => {
  const name = Buffer.from(distinguishedName(commonName))
  name.write("Entel", name.indexOf("Intel Corporation"))
  return new Uint8Array(name)
}

/** Key usage digitalSignature and nonRepudiation. */
const DATA_ONLY = Uint8Array.of(6, 0xc0)

describe("chain", () => {
  const other = createPlatform({ seed: "another root", now: NOW })
  const rogueKey = deriveKey("rogue", "ca")

  const chains: readonly [string, () => readonly Uint8Array[], AttestationErrorCode][] = [
    [
      "another root",
      () => [other.machine("alice").pckCertificate, other.platformCaCertificate, other.rootCertificate],
      "ROOT_MISMATCH",
    ],
    ["a chain without its root", () => genuine.slice(0, 2), "CHAIN_LENGTH"],
    [
      "a leaf that names another issuer",
      () => [pck({ name: "Mallory", key: platform.platformCa.key }), genuine[1], genuine[2]],
      "CHAIN_ISSUER",
    ],
    [
      "a leaf signed by a foreign key",
      () => [pck({ name: PLATFORM_CA, key: rogueKey }), genuine[1], genuine[2]],
      "CHAIN_SIGNATURE",
    ],
    [
      "an authority signed by a foreign key",
      () => [genuine[0], certificate({ issuer: { name: ROOT_CA, key: rogueKey } }), genuine[2]],
      "CHAIN_SIGNATURE",
    ],
    [
      "a root that is not signed by itself",
      () => [
        genuine[0],
        genuine[1],
        certificate({
          name: ROOT_CA,
          key: platform.root.key,
          pathLength: 1,
          issuer: { name: ROOT_CA, key: rogueKey },
        }),
      ],
      "CHAIN_SIGNATURE",
    ],
    [
      "a PCK certificate that issues another one",
      () => [pck({ name: PCK, key: machine.pckKey }), machine.pckCertificate, genuine[2]],
      "CHAIN_SUBJECT",
    ],
    [
      "an authority without the CA flag",
      () => [genuine[0], certificate({ pathLength: null }), genuine[2]],
      "CHAIN_AUTHORITY",
    ],
    [
      "an authority that may not sign certificates",
      () => [genuine[0], certificate({ keyUsage: DATA_ONLY }), genuine[2]],
      "CHAIN_AUTHORITY",
    ],
    [
      "an authority that may not sign lists",
      () => [genuine[0], certificate({ keyUsage: Uint8Array.of(2, 0x04) }), genuine[2]],
      "CHAIN_AUTHORITY",
    ],
    [
      "an end entity that may sign certificates, as authority",
      () => [genuine[0], certificate({ pathLength: null, keyUsage: Uint8Array.of(1, 0x06) }), genuine[2]],
      "CHAIN_AUTHORITY",
    ],
    [
      "an authority of another name",
      () => [
        pck({ name: TCB_SIGNING, key: rogueKey }),
        certificate({ name: TCB_SIGNING, key: rogueKey }),
        genuine[2],
      ],
      "CHAIN_SUBJECT",
    ],
    [
      "an authority of another organisation",
      () => [genuine[0], certificate({ subject: elsewhere(PLATFORM_CA) }), genuine[2]],
      "CHAIN_SUBJECT",
    ],
    [
      "a leaf of another organisation",
      () => [pck(undefined, { certificate: { subject: elsewhere(PCK) } }), genuine[1], genuine[2]],
      "CHAIN_SUBJECT",
    ],
    [
      "a root of another organisation",
      () => [
        genuine[0],
        genuine[1],
        certificate({
          name: ROOT_CA,
          key: platform.root.key,
          pathLength: 1,
          subject: elsewhere(ROOT_CA),
          issuerName: elsewhere(ROOT_CA),
        }),
      ],
      "CHAIN_SUBJECT",
    ],
    [
      "an authority that may sign data, too",
      () => [genuine[0], certificate({ keyUsage: Uint8Array.of(1, 0x86) }), genuine[2]],
      "CHAIN_AUTHORITY",
    ],
    [
      "an authority that allows another one below it",
      () => [genuine[0], certificate({ pathLength: 1 }), genuine[2]],
      "CHAIN_PATH_LENGTH",
    ],
    [
      "a leaf that may sign certificates",
      () => [pck(undefined, { certificate: { keyUsage: Uint8Array.of(1, 0xc6) } }), genuine[1], genuine[2]],
      "CHAIN_END_ENTITY",
    ],
    [
      "a leaf with less key usage",
      () => [pck(undefined, { certificate: { keyUsage: Uint8Array.of(7, 0x80) } }), genuine[1], genuine[2]],
      "CHAIN_END_ENTITY",
    ],
    [
      "a leaf with a CA flag",
      () => [pck(undefined, { certificate: { pathLength: 0, keyUsage: DATA_ONLY } }), genuine[1], genuine[2]],
      "CHAIN_END_ENTITY",
    ],
    [
      "a root that allows no authority below it",
      () => [genuine[0], genuine[1], certificate({ name: ROOT_CA, key: platform.root.key, pathLength: 0 })],
      "CHAIN_PATH_LENGTH",
    ],
    [
      "an authority as leaf",
      () => [certificate({ name: PCK, issuer: platform.platformCa }), genuine[1], genuine[2]],
      "CHAIN_END_ENTITY",
    ],
    [
      "a leaf without SGX extension",
      () => [
        certificate({ name: PCK, key: machine.pckKey, issuer: platform.platformCa, pathLength: null }),
        genuine[1],
        genuine[2],
      ],
      "PCK_EXTENSION_MISSING",
    ],
    [
      "an expired leaf",
      () => [pck(undefined, { notAfter: NOW - 1 }), genuine[1], genuine[2]],
      "CERTIFICATE_EXPIRED",
    ],
    [
      "a leaf of the future",
      () => [pck(undefined, { notBefore: NOW + 1 }), genuine[1], genuine[2]],
      "CERTIFICATE_NOT_YET_VALID",
    ],
    [
      "an expired authority",
      () => [genuine[0], certificate({ notAfter: NOW - 1 }), genuine[2]],
      "CERTIFICATE_EXPIRED",
    ],
    [
      "an expired root",
      () => [
        genuine[0],
        genuine[1],
        certificate({ name: ROOT_CA, key: platform.root.key, pathLength: 1, notAfter: NOW - 1 }),
      ],
      "CERTIFICATE_EXPIRED",
    ],
    [
      "bytes that are no certificate",
      () => [flipped(genuine[0], 1), genuine[1], genuine[2]],
      "CERTIFICATE_MALFORMED",
    ],
  ]

  test.each(chains)("%s is refused", (_, make, code) => {
    expect(codeOf(() => verify(quoteWith(make())))).toBe(code)
  })

  test("the same machinery accepts the genuine chain", () => {
    expect(codeOf(() => verify(quoteWith(genuine)))).toBe("none")
    expect(codeOf(() => verify(quoteWith([pck(), certificate({}), genuine[2]])))).toBe("none")
  })

  test("a certificate that ends before the collateral ends the evidence", () => {
    const notAfter = NOW + DAY
    expect(verify(quoteWith([pck(undefined, { notAfter }), genuine[1], genuine[2]])).expiresAt).toBe(notAfter)
    expect(verify(quoteWith([genuine[0], certificate({ notAfter }), genuine[2]])).expiresAt).toBe(notAfter)
  })
})

describe("revocation", () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
  const crl = (issuer: Platform["root"], changes: { thisUpdate?: number; nextUpdate?: number } = {}) =>
    hex(issueCrl({ issuer, thisUpdate: NOW - 5, nextUpdate: NOW + 5, ...changes }))
  const foreign = deriveKey("foreign", "key")

  const lists: readonly [string, Partial<CollateralBundle>, AttestationErrorCode | "none"][] = [
    [
      "empty but signed and fresh lists",
      { root_ca_crl: crl(platform.root), pck_crl: crl(platform.platformCa) },
      "none",
    ],
    [
      "another machine's serial",
      platform.collateral({ revokedPck: [platform.machine("bob").pckSerial] }),
      "none",
    ],
    ["the machine's serial", platform.collateral({ revokedPck: [machine.pckSerial] }), "PCK_REVOKED"],
    [
      "the machine's serial, on the root's list",
      platform.collateral({ revokedByRoot: [machine.pckSerial] }),
      "PCK_REVOKED",
    ],
    [
      "the authority's serial",
      platform.collateral({ revokedByRoot: [platform.serials.platformCa] }),
      "PCK_CA_REVOKED",
    ],
    [
      "the TCB signer's serial",
      platform.collateral({ revokedByRoot: [platform.serials.tcbSigning] }),
      "TCB_SIGNER_REVOKED",
    ],
    ["a list of another issuer", { pck_crl: crl(platform.root) }, "CRL_ISSUER"],
    [
      "a PCK list signed by a foreign key",
      { pck_crl: crl({ name: PLATFORM_CA, key: foreign }) },
      "CRL_SIGNATURE",
    ],
    [
      "a root list signed by a foreign key",
      { root_ca_crl: crl({ name: ROOT_CA, key: foreign }) },
      "CRL_SIGNATURE",
    ],
    ["an expired PCK list", { pck_crl: crl(platform.platformCa, { nextUpdate: NOW - 1 }) }, "CRL_EXPIRED"],
    ["an expired root list", { root_ca_crl: crl(platform.root, { nextUpdate: NOW - 1 }) }, "CRL_EXPIRED"],
    [
      "a list of the future",
      { pck_crl: crl(platform.platformCa, { thisUpdate: NOW + 1 }) },
      "CRL_NOT_YET_VALID",
    ],
    ["no list at all", { pck_crl: "" }, "CRL_MALFORMED"],
    ["a list that is not hex", { pck_crl: "zz" }, "COLLATERAL_SHAPE"],
  ]

  test.each(lists)("%s", (_, collateral, code) => {
    expect(codeOf(() => verify(quote(), collateral))).toBe(code)
  })
})

test("a root key has exactly two coordinates", () => {
  expect(parseRootKey(new Uint8Array(64))).toHaveLength(64)
  expect(() => parseRootKey(new Uint8Array(63))).toThrow("ROOT_MISMATCH")
  expect(() => parseRootKey(new Uint8Array(65))).toThrow("ROOT_MISMATCH")
})
