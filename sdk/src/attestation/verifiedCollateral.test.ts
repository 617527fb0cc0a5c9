import { deriveKey } from "@twinlock/devnet/platform/keys"
import { distinguishedName, PROCESSOR_CA, TCB_SIGNING, toPem } from "@twinlock/devnet/platform/pki"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  certificate,
  DAY,
  genuine,
  good,
  machine,
  NOW,
  options,
  pck,
  platform,
  quote,
  quoteWith,
  verifier,
  verify,
} from "../../../test/support/simulatedQuote.ts"
import { toHex } from "../protocol/codec.ts"
import { parseCertificate } from "./certificate.ts"
import { parseRootKey } from "./chain.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import type { AttestationErrorCode } from "./errors.ts"
import { evidenceOf } from "./evidence.ts"
import { type SignatureCheck, verifyP256 } from "./p256.ts"
import { quoteVerifierUnder } from "./underRoot.ts"
import { authenticateCollateral } from "./verifiedCollateral.ts"

const FLOORS = { tcb: 20, qe: 20 }
const terms = { time: NOW, floors: FLOORS }
const collateral = verifier.verifyCollateral(good, terms)

test("verified collateral gives the same verdicts, for quotes and for their parts", () => {
  const bytes = quote()
  expect(verifier.verify(bytes, { collateral, ...terms })).toEqual(verify(bytes))
  expect(verifier.verifyEvidence(evidenceOf(bytes), { collateral, ...terms })).toEqual(verify(bytes))
})

test("it counts for every verifier of the same root, and for no other", () => {
  const same = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
  expect(same.verify(quote(), { collateral, ...terms }).status).toBe("UpToDate")
  const other = createPlatform({ seed: "another root", now: NOW })
  const foreign = quoteVerifierUnder(parseRootKey(other.root.key.publicKey))
  expect(codeOf(() => foreign.verify(other.quote(), { collateral, ...terms }))).toBe("ROOT_MISMATCH")
})

test("a look-alike is not verified: it is judged as what it claims to be made from", () => {
  const forged = {
    ...collateral,
    ...collateral.bundle,
    tcb_info: good.tcb_info.replace("UpToDate", "Revoked"),
  }
  const use = (given: unknown) =>
    codeOf(() => verifier.verify(quote(), { collateral: given as CollateralBundle, ...terms }))
  expect(use(forged)).toBe("TCB_INFO_SIGNATURE")
  expect(use({ ...collateral })).toBe("COLLATERAL_SHAPE")
  expect(use({})).toBe("COLLATERAL_SHAPE")
  expect(use(null)).toBe("COLLATERAL_SHAPE")
  const evidence = evidenceOf(quote())
  const byParts = () => verifier.verifyEvidence(evidence, { collateral: {} as CollateralBundle, ...terms })
  expect(codeOf(byParts)).toBe("COLLATERAL_SHAPE")
})

test.each([
  [Number.NaN, 20, 20],
  [Number.POSITIVE_INFINITY, 20, 20],
  [-1, 20, 20],
  [NOW, Number.NaN, 20],
  [NOW, 20, Number.NaN],
])("time %d with floors %d and %d is none", (time, tcb, qe) => {
  const use = () => verifier.verify(quote(), { collateral, time, floors: { tcb, qe } })
  expect(codeOf(use)).toBe("COLLATERAL_TERMS")
})

describe("is judged again at each use", () => {
  const made = (knobs: Parameters<typeof platform.collateral>[0]) =>
    verifier.verifyCollateral(platform.collateral(knobs), terms)
  const short = { thisUpdate: NOW - 5, nextUpdate: NOW + 5 }
  const signer = { name: TCB_SIGNING, key: deriveKey("short", "signer") }
  const shortSigner = {
    issuer: signer,
    certificate: certificate({ name: TCB_SIGNING, key: signer.key, pathLength: null, notAfter: NOW + 5 }),
  }

  test.each<[string, Parameters<typeof platform.collateral>[0], number, AttestationErrorCode | "none"]>([
    ["inside every period", { pckCrl: short, rootCrl: short }, NOW + 5, "none"],
    ["after the PCK CRL", { pckCrl: short }, NOW + 6, "CRL_EXPIRED"],
    ["before the PCK CRL", { pckCrl: short }, NOW - 6, "CRL_NOT_YET_VALID"],
    ["after the root CRL", { rootCrl: short }, NOW + 6, "CRL_EXPIRED"],
    ["after the documents", { pckCrl: { nextUpdate: NOW + 60 * DAY } }, NOW + 31 * DAY, "TCB_INFO_EXPIRED"],
    [
      "before the documents",
      { pckCrl: { thisUpdate: NOW - 60 }, rootCrl: { thisUpdate: NOW - 60 } },
      NOW - 1,
      "TCB_INFO_NOT_YET_VALID",
    ],
    ["after the TCB signer", { signer: shortSigner }, NOW + 6, "CERTIFICATE_EXPIRED"],
    ["after the QE identity's signer", { qeSigner: shortSigner }, NOW + 6, "CERTIFICATE_EXPIRED"],
  ])("%s", (_, knobs, time, code) => {
    const use = () => verifier.verify(quote(), { collateral: made(knobs), floors: FLOORS, time })
    expect(codeOf(use)).toBe(code)
  })

  test("floors", () => {
    const use = (floors: { tcb: number; qe: number }) =>
      codeOf(() => verifier.verify(quote(), { collateral, time: NOW, floors }))
    expect(use({ tcb: 21, qe: 20 })).toBe("TCB_INFO_BELOW_FLOOR")
    expect(use({ tcb: 20, qe: 21 })).toBe("QE_IDENTITY_BELOW_FLOOR")
    expect(use({ tcb: 0, qe: 0 })).toBe("none")
  })

  test("revocation", () => {
    const revoked = made({ revokedPck: [machine.pckSerial] })
    expect(codeOf(() => verifier.verify(quote(), { collateral: revoked, ...terms }))).toBe("PCK_REVOKED")
    const bob = platform.quote({ machine: platform.machine("bob") })
    expect(codeOf(() => verifier.verify(bob, { collateral: revoked, ...terms }))).toBe("none")
  })

  test("the first end of any part ends the evidence", () => {
    const use = (knobs: Parameters<typeof platform.collateral>[0]) =>
      verifier.verify(quote(), { collateral: made(knobs), ...terms }).expiresAt
    expect(use({ rootCrl: short })).toBe(NOW + 5)
    expect(use({ pckCrl: short })).toBe(NOW + 5)
    expect(use({ signer: shortSigner })).toBe(NOW + 5)
    expect(use({ qeSigner: shortSigner })).toBe(NOW + 5)
  })
})

describe("is refused at once", () => {
  test.each<[string, Partial<CollateralBundle>, AttestationErrorCode]>([
    ["an edited document", { tcb_info: good.tcb_info.replace("20", "21") }, "TCB_INFO_SIGNATURE"],
    ["a stale document", platform.collateral({ issuedAt: NOW - 31 * DAY }), "CRL_EXPIRED"],
    ["a low evaluation number", platform.collateral({ evaluationNumber: 19 }), "TCB_INFO_BELOW_FLOOR"],
    ["a revoked CA", platform.collateral({ revokedByRoot: [platform.serials.platformCa] }), "PCK_CA_REVOKED"],
    [
      "a revoked TCB signer",
      platform.collateral({ revokedByRoot: [platform.serials.tcbSigning] }),
      "TCB_SIGNER_REVOKED",
    ],
    ["CAs without root", { pck_crl_issuer_chain: toPem(platform.platformCaCertificate) }, "CHAIN_LENGTH"],
    [
      "CAs in another order",
      { pck_crl_issuer_chain: toPem(platform.rootCertificate) + toPem(platform.platformCaCertificate) },
      "ROOT_MISMATCH",
    ],
    ["no CA at all", { pck_crl_issuer_chain: "" }, "PEM_MALFORMED"],
  ])("%s", (_, changed, code) => {
    expect(codeOf(() => verifier.verifyCollateral({ ...good, ...changed }, terms))).toBe(code)
  })
})

describe("a quote's own CA certificate", () => {
  const use = (chain: readonly Uint8Array[], time = NOW) =>
    codeOf(() => verifier.verify(quoteWith(chain), { ...options(), collateral, time }))

  test("may be another one of the same key, and is judged completely", () => {
    const renewed = (changes: Parameters<typeof certificate>[0]) => [
      genuine[0],
      certificate(changes),
      genuine[2],
    ]
    expect(use(renewed({}))).toBe("none")
    expect(use(renewed({ notAfter: NOW + 1 }), NOW + 2)).toBe("CERTIFICATE_EXPIRED")
    expect(
      use(renewed({ serial: platform.serials.platformCa, issuer: { name: "x", key: machine.pckKey } })),
    ).toBe("CHAIN_ISSUER")
    const listed = verifier.verifyCollateral(
      platform.collateral({ revokedByRoot: [Uint8Array.of(1, 2, 3)] }),
      terms,
    )
    const revoked = () => verifier.verify(quoteWith(renewed({})), { ...terms, collateral: listed })
    expect(codeOf(revoked)).toBe("PCK_CA_REVOKED")
  })

  test("must be of the CA whose list the collateral has", () => {
    const key = deriveKey("processor", "ca")
    const processor = certificate({ name: PROCESSOR_CA, key })
    expect(use([pck({ name: PROCESSOR_CA, key }), processor, genuine[2]])).toBe("CRL_ISSUER")
    const namesake = certificate({ key })
    expect(use([pck({ name: "Intel SGX PCK Platform CA", key }), namesake, genuine[2]])).toBe("CRL_ISSUER")
  })

  test("comes with the root and nothing else", () => {
    expect(use(genuine.slice(0, 2))).toBe("CHAIN_LENGTH")
  })
})

test("a TCB signer needs Intel's whole name", () => {
  const subject = Buffer.from(distinguishedName(TCB_SIGNING))
  subject.write("Entel", subject.indexOf("Intel Corporation"))
  const signer = { name: TCB_SIGNING, key: deriveKey("other", "signer") }
  const own = certificate({
    name: TCB_SIGNING,
    key: signer.key,
    pathLength: null,
    subject: new Uint8Array(subject),
  })
  const bundle = platform.collateral({ signer: { issuer: signer, certificate: own } })
  expect(codeOf(() => verifier.verifyCollateral(bundle, terms))).toBe("TCB_SIGNER")
})

test.each(["signer", "qeSigner"] as const)("the root's list counts for the %s alone", (which) => {
  const key = deriveKey("second", "signer")
  const own = certificate({ name: TCB_SIGNING, key, pathLength: null, serial: Uint8Array.of(7, 7) })
  const second = { issuer: { name: TCB_SIGNING, key }, certificate: own }
  const first = { issuer: platform.tcbSigner, certificate: platform.tcbSigningCertificate }
  const knobs = { signer: first, qeSigner: first, [which]: second }
  const under = (revokedByRoot: readonly Uint8Array[]) =>
    codeOf(() => verifier.verifyCollateral(platform.collateral({ ...knobs, revokedByRoot }), terms))
  expect(under([])).toBe("none")
  expect(under([Uint8Array.of(7, 7)])).toBe("TCB_SIGNER_REVOKED")
})

test("a root that two chains share is checked once; another one of the same key is checked as well", () => {
  let rootChecks = 0
  const count: SignatureCheck = (signature, message, key) => {
    if (toHex(message) === toHex(parseCertificate(platform.rootCertificate).toBeSigned)) rootChecks++
    return verifyP256(signature, message, key)
  }
  const anchor = { rootKey: parseRootKey(platform.root.key.publicKey), verify: count }
  authenticateCollateral(good, anchor)
  expect(rootChecks).toBe(1)
  const spoiled = platform.rootCertificate.slice()
  spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 1
  const chain = toPem(platform.tcbSigningCertificate) + toPem(spoiled)
  for (const name of ["tcb_info_issuer_chain", "qe_identity_issuer_chain"] as const)
    expect(codeOf(() => authenticateCollateral({ ...good, [name]: chain }, anchor))).toBe("CHAIN_SIGNATURE")
})
