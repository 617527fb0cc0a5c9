import { deriveKey } from "@twinlock/devnet/platform/keys"
import { issuePckCertificate } from "@twinlock/devnet/platform/pckCertificate"
import {
  type CertificateFields,
  issueCertificate,
  issueCrl,
  PCK,
  PLATFORM_CA,
  ROOT_CA,
  ROOT_CRL_URL,
  TCB_SIGNING,
  toPem,
} from "@twinlock/devnet/platform/pki"
import { createPlatform, type Platform } from "@twinlock/devnet/platform/platform"
import { makeQuote, type QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { describe, expect, test } from "vitest"
import { parseRootKey } from "./chain.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import type { AttestationErrorCode } from "./errors.ts"
import { evidenceOf } from "./evidence.ts"
import type { TcbStatus } from "./tcbStatus.ts"
import { quoteVerifierUnder, type VerifyOptions } from "./underRoot.ts"

const NOW = 1_791_158_400
const DAY = 86_400
const FAR = 2_500_000_000

const platform = createPlatform({ seed: "verify quote", now: NOW })
const machine = platform.machine("alice")
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const good = platform.collateral()

const options = (collateral: Partial<CollateralBundle> = {}, time = NOW): VerifyOptions => ({
  collateral: { ...good, ...collateral },
  time,
  floors: { tcb: 20, qe: 20 },
})
const verify = (quote: Uint8Array, collateral?: Partial<CollateralBundle>, time?: number) =>
  verifier.verify(quote, options(collateral, time))
const quote = (knobs?: QuoteKnobs) => platform.quote({ machine, ...knobs })

/** The code with which `run` refuses, or "accepted". */
function verdict(run: () => unknown): string {
  try {
    run()
    return "accepted"
  } catch (error) {
    return (error as { detail?: { code: string } }).detail?.code ?? String(error)
  }
}

/** A copy with one bit flipped at `offset`; negative offsets count from the end. */
function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = bytes.slice()
  const at = offset < 0 ? bytes.length + offset : offset
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

const certificate = (fields: Partial<CertificateFields>) =>
  issueCertificate({
    name: PLATFORM_CA,
    key: platform.platformCa.key,
    issuer: platform.root,
    serial: Uint8Array.of(1, 2, 3),
    notBefore: 0,
    notAfter: FAR,
    pathLength: 0,
    crlUrl: ROOT_CRL_URL,
    ...fields,
  })

/** A well-signed quote that carries another chain. */
const quoteWith = (chain: readonly Uint8Array[]) => makeQuote({ ...machine, chain })
const genuine = [machine.pckCertificate, platform.platformCaCertificate, platform.rootCertificate] as const
const pck = (issuer = platform.platformCa, changes: { notBefore?: number; notAfter?: number } = {}) =>
  issuePckCertificate({
    key: machine.pckKey,
    issuer,
    serial: machine.pckSerial,
    notBefore: 0,
    notAfter: FAR,
    ppid: machine.ppid,
    piid: machine.piid,
    fmspc: machine.fmspc,
    pceId: "0x0000",
    cpuSvn: machine.cpuSvn,
    pceSvn: machine.pceSvn,
    ...changes,
  })

test("a quote of the platform is accepted and names machine, status and first expiry", () => {
  const verified = verify(quote())
  expect(verified).toMatchObject({
    version: 4,
    status: "UpToDate",
    advisories: [],
    evaluationNumber: 20,
    expiresAt: NOW + 30 * DAY,
    platform: { ppid: machine.ppid, piid: machine.piid, fmspc: machine.fmspc },
  })
})

test("version 5 is accepted with a TD 1.5 body", () => {
  expect(verify(quote({ version: 5 }))).toMatchObject({ version: 5, report: { kind: "td15" } })
})

test("zero padding of guest agents is cut off, and the padded quote has the same id", () => {
  const bytes = quote()
  const padded = new Uint8Array(5_006)
  padded.set(bytes)
  expect(verify(padded).id).toBe(verify(bytes).id)
})

test("the parts that a contract takes verify like the whole quote", () => {
  const bytes = quote({ reportData: Uint8Array.of(7) })
  const evidence = evidenceOf(bytes)
  expect(verifier.verifyEvidence(evidence, options())).toEqual(verify(bytes))
  expect(evidence.quote.length).toBe(632)
  const otherAuthority = { ...evidence, caId: evidence.caId.replace(/.$/, "0") as typeof evidence.caId }
  expect(verdict(() => verifier.verifyEvidence(otherAuthority, options()))).toBe("CHAIN_ISSUER")
  const longer = { ...evidence, quote: new Uint8Array([...evidence.quote, 0]) }
  expect(verdict(() => verifier.verifyEvidence(longer, options()))).toBe("QUOTE_LENGTH")
})

const header: readonly [string, () => Uint8Array, AttestationErrorCode][] = [
  ["a version 3 header", () => quote({ header: { version: 3 } }), "QUOTE_VERSION"],
  ["another attestation key type", () => quote({ header: { attestationKeyType: 3 } }), "QUOTE_KEY_TYPE"],
  ["an SGX quote", () => quote({ header: { teeType: 0 } }), "QUOTE_TEE_TYPE"],
  ["another vendor", () => quote({ header: { qeVendorId: "0x00" } }), "QUOTE_VENDOR"],
  ["a version 5 body of an SGX enclave", () => flipped(quote({ version: 5 }), 48), "QUOTE_BODY_TYPE"],
  ["a cut quote", () => quote().slice(0, 3_000), "QUOTE_LENGTH"],
  ["an empty quote", () => new Uint8Array(0), "QUOTE_LENGTH"],
  ["bytes after the quote", () => new Uint8Array([...quote(), 1]), "QUOTE_LENGTH"],
  ["a huge quote", () => new Uint8Array(20_000), "QUOTE_LENGTH"],
  ["certification data of another type", () => flipped(quote(), 764), "QUOTE_CERTIFICATION_TYPE"],
  ["certificates in another form", () => flipped(quote(), 636 + 128 + 6 + 482), "QUOTE_CERTIFICATION_TYPE"],
  ["text between the certificates", () => flipped(quote(), 636 + 128 + 6 + 488), "PEM_MALFORMED"],
]

test.each(header)("layout: %s is refused", (_, make, code) => {
  expect(verdict(() => verify(make()))).toBe(code)
})

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
      "CHAIN_ROLE",
    ],
    [
      "an authority without the CA flag",
      () => [genuine[0], certificate({ pathLength: null }), genuine[2]],
      "CHAIN_ROLE",
    ],
    [
      "an authority of another name",
      () => [
        pck({ name: TCB_SIGNING, key: rogueKey }),
        certificate({ name: TCB_SIGNING, key: rogueKey }),
        genuine[2],
      ],
      "CHAIN_ROLE",
    ],
    [
      "a root that allows no authority below it",
      () => [genuine[0], genuine[1], certificate({ name: ROOT_CA, key: platform.root.key, pathLength: 0 })],
      "CHAIN_ROLE",
    ],
    [
      "an authority as leaf",
      () => [certificate({ name: PCK, issuer: platform.platformCa }), genuine[1], genuine[2]],
      "CHAIN_ROLE",
    ],
    [
      "a leaf without SGX extension",
      () => [
        certificate({ name: PCK, key: machine.pckKey, issuer: platform.platformCa, pathLength: null }),
        genuine[1],
        genuine[2],
      ],
      "CHAIN_ROLE",
    ],
    [
      "an expired leaf",
      () => [pck(undefined, { notAfter: NOW - 1 }), genuine[1], genuine[2]],
      "CHAIN_VALIDITY",
    ],
    [
      "a leaf of the future",
      () => [pck(undefined, { notBefore: NOW + 1 }), genuine[1], genuine[2]],
      "CHAIN_VALIDITY",
    ],
    [
      "an expired authority",
      () => [genuine[0], certificate({ notAfter: NOW - 1 }), genuine[2]],
      "CHAIN_VALIDITY",
    ],
    [
      "an expired root",
      () => [
        genuine[0],
        genuine[1],
        certificate({ name: ROOT_CA, key: platform.root.key, pathLength: 1, notAfter: NOW - 1 }),
      ],
      "CHAIN_VALIDITY",
    ],
    [
      "bytes that are no certificate",
      () => [flipped(genuine[0], 1), genuine[1], genuine[2]],
      "CERTIFICATE_MALFORMED",
    ],
  ]

  test.each(chains)("%s is refused", (_, make, code) => {
    expect(verdict(() => verify(quoteWith(make())))).toBe(code)
  })

  test("the same machinery accepts the genuine chain", () => {
    expect(verdict(() => verify(quoteWith(genuine)))).toBe("accepted")
    expect(verdict(() => verify(quoteWith([pck(), certificate({}), genuine[2]])))).toBe("accepted")
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

  const lists: readonly [string, Partial<CollateralBundle>, AttestationErrorCode | "accepted"][] = [
    [
      "empty but signed and fresh lists",
      { root_ca_crl: crl(platform.root), pck_crl: crl(platform.platformCa) },
      "accepted",
    ],
    [
      "another machine's serial",
      platform.collateral({ revokedPck: [platform.machine("bob").pckSerial] }),
      "accepted",
    ],
    ["the machine's serial", platform.collateral({ revokedPck: [machine.pckSerial] }), "CERTIFICATE_REVOKED"],
    [
      "the authority's serial",
      platform.collateral({ revokedByRoot: [platform.serials.platformCa] }),
      "CERTIFICATE_REVOKED",
    ],
    [
      "the TCB signer's serial",
      platform.collateral({ revokedByRoot: [platform.serials.tcbSigning] }),
      "CERTIFICATE_REVOKED",
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
    ["an expired PCK list", { pck_crl: crl(platform.platformCa, { nextUpdate: NOW - 1 }) }, "CRL_STALE"],
    ["an expired root list", { root_ca_crl: crl(platform.root, { nextUpdate: NOW - 1 }) }, "CRL_STALE"],
    ["a list of the future", { pck_crl: crl(platform.platformCa, { thisUpdate: NOW + 1 }) }, "CRL_STALE"],
    ["no list at all", { pck_crl: "" }, "CRL_MALFORMED"],
    ["a list that is not hex", { pck_crl: "zz" }, "COLLATERAL_SHAPE"],
  ]

  test.each(lists)("%s", (_, collateral, code) => {
    expect(verdict(() => verify(quote(), collateral))).toBe(code)
  })
})

describe("collateral", () => {
  const signedBy = (issuer: Platform["root"], signerCertificate: Uint8Array) =>
    platform.collateral({ signer: { issuer, certificate: signerCertificate } })
  const tcbInfo = (bundle: CollateralBundle) => ({
    tcb_info: bundle.tcb_info,
    tcb_info_signature: bundle.tcb_info_signature,
  })
  const qeIdentity = (bundle: CollateralBundle) => ({
    qe_identity: bundle.qe_identity,
    qe_identity_signature: bundle.qe_identity_signature,
  })
  const old = platform.collateral({ issuedAt: NOW - 31 * DAY })
  const early = platform.collateral({ issuedAt: NOW + 1 })
  const rogue = { name: TCB_SIGNING, key: deriveKey("rogue", "tcb") }
  const rogueCertificate = (fields: Partial<CertificateFields>) =>
    certificate({ name: TCB_SIGNING, key: rogue.key, pathLength: null, ...fields })

  const otherRoot = createPlatform({ seed: "x", now: NOW }).collateral()
  const documents: readonly [string, Partial<CollateralBundle>, AttestationErrorCode][] = [
    [
      "TCB info signed by a PCK key",
      signedBy({ name: PCK, key: machine.pckKey }, machine.pckCertificate),
      "TCB_SIGNER",
    ],
    ["a TCB signer that is an authority", signedBy(rogue, rogueCertificate({ pathLength: 0 })), "TCB_SIGNER"],
    [
      "a TCB signer under the platform CA",
      signedBy(rogue, rogueCertificate({ issuer: platform.platformCa })),
      "CHAIN_ISSUER",
    ],
    [
      "a TCB signer under a foreign key",
      signedBy(rogue, rogueCertificate({ issuer: { name: ROOT_CA, key: rogue.key } })),
      "CHAIN_SIGNATURE",
    ],
    [
      "a TCB signer without its root",
      { tcb_info_issuer_chain: toPem(platform.tcbSigningCertificate) },
      "CHAIN_LENGTH",
    ],
    [
      "a TCB signer with a third certificate",
      { tcb_info_issuer_chain: good.tcb_info_issuer_chain + toPem(platform.rootCertificate) },
      "CHAIN_LENGTH",
    ],
    [
      "a foreign root above the QE identity's signer",
      { qe_identity_issuer_chain: otherRoot.qe_identity_issuer_chain },
      "ROOT_MISMATCH",
    ],
    ["an expired TCB signer", signedBy(rogue, rogueCertificate({ notAfter: NOW - 1 })), "CHAIN_VALIDITY"],
    [
      "a foreign root above the TCB signer",
      { tcb_info_issuer_chain: createPlatform({ seed: "x", now: NOW }).collateral().tcb_info_issuer_chain },
      "ROOT_MISMATCH",
    ],
    [
      "an edited TCB info",
      { tcb_info: good.tcb_info.replace('"pcesvn":11', '"pcesvn":10') },
      "TCB_INFO_SIGNATURE",
    ],
    [
      "an edited QE identity",
      { qe_identity: good.qe_identity.replace('"isvsvn":4', '"isvsvn":3') },
      "QE_IDENTITY_SIGNATURE",
    ],
    ["a signature that is not 64 bytes", { tcb_info_signature: "00" }, "TCB_INFO_MALFORMED"],
    ["an expired TCB info", tcbInfo(old), "TCB_INFO_STALE"],
    ["a TCB info of the future", tcbInfo(early), "TCB_INFO_STALE"],
    ["an expired QE identity", qeIdentity(old), "QE_IDENTITY_STALE"],
    ["a QE identity of the future", qeIdentity(early), "QE_IDENTITY_STALE"],
    [
      "TCB info below the floor",
      platform.collateral({ evaluationNumber: 19, qeEvaluationNumber: 20 }),
      "TCB_INFO_BELOW_FLOOR",
    ],
    [
      "a QE identity below the floor",
      platform.collateral({ qeEvaluationNumber: 19 }),
      "QE_IDENTITY_BELOW_FLOOR",
    ],
    [
      "TCB info of another processor family",
      platform.collateral({ fmspc: "90C06F000000" }),
      "TCB_INFO_PLATFORM",
    ],
    ["TCB info of another PCE", platform.collateral({ pceId: "0001" }), "TCB_INFO_PLATFORM"],
  ]

  test.each(documents)("%s is refused", (_, collateral, code) => {
    expect(verdict(() => verify(quote(), collateral))).toBe(code)
  })

  test("letter case of the processor family does not matter", () => {
    expect(verdict(() => verify(quote(), platform.collateral({ fmspc: "b0c06f000000" })))).toBe("accepted")
  })
})

const reports: readonly [string, () => Uint8Array, AttestationErrorCode][] = [
  ["a QE report with a broken signature", () => flipped(quote(), 636 + 128 + 6 + 384), "QE_REPORT_SIGNATURE"],
  [
    "a QE report that binds another key",
    () => quote({ qe: { reportData: `0x${"11".repeat(32)}` } }),
    "QE_REPORT_BINDING",
  ],
  ["another attestation key", () => flipped(quote(), 636 + 64), "QE_REPORT_BINDING"],
  ["other QE authentication data", () => flipped(quote(), 636 + 128 + 6 + 384 + 64 + 2), "QE_REPORT_BINDING"],
  ["an edited body", () => flipped(quote(), 568), "QUOTE_SIGNATURE"],
  ["another QE signer", () => quote({ qe: { mrSigner: `0x${"22".repeat(32)}` } }), "QE_IDENTITY_MISMATCH"],
  ["another QE product", () => quote({ qe: { isvProdId: 1 } }), "QE_IDENTITY_MISMATCH"],
  ["another QE miscselect", () => quote({ qe: { miscSelect: "0x01000000" } }), "QE_IDENTITY_MISMATCH"],
  [
    "a QE in debug mode",
    () => quote({ qe: { attributes: "0x1700000000000000e700000000000000" } }),
    "QE_IDENTITY_MISMATCH",
  ],
  ["a QE below every level", () => quote({ qe: { isvSvn: 3 } }), "QE_TCB_LEVEL"],
  ["a module that Intel did not sign", () => quote({ mrSignerSeam: "0x01" }), "MODULE_SIGNER"],
  ["a module with attributes", () => quote({ seamAttributes: "0x01" }), "MODULE_IDENTITY"],
  ["a module version without identity", () => quote({ teeTcbSvn: "0x0b0904" }), "MODULE_IDENTITY"],
  ["a module below every level", () => quote({ teeTcbSvn: "0x010104" }), "MODULE_TCB_LEVEL"],
  ["a TDX component below every level", () => quote({ teeTcbSvn: "0x0b0101" }), "TCB_LEVEL"],
  ["debug mode", () => quote({ tdAttributes: "0x0100001000000000" }), "TD_DEBUG"],
  [
    "reserved attributes of the first byte",
    () => quote({ tdAttributes: "0x0200001000000000" }),
    "TD_ATTRIBUTES",
  ],
  ["a migratable domain", () => quote({ tdAttributes: "0x0000003000000000" }), "TD_ATTRIBUTES"],
  ["SEPT_VE_DISABLE off", () => quote({ tdAttributes: "0x0000000000000000" }), "TD_ATTRIBUTES"],
  ["a service domain", () => quote({ version: 5, mrServiceTd: "0x01" }), "TD_SERVICE"],
]

test.each(reports)("report: %s is refused", (_, make, code) => {
  expect(verdict(() => verify(make()))).toBe(code)
})

test("the zero tail of the QE's report data counts", () => {
  const bytes = quote()
  const report = bytes.slice(636 + 134, 636 + 134 + 384)
  const withTail = quote({ qe: { reportData: `0x${Buffer.from(report.slice(320, 352)).toString("hex")}01` } })
  expect(verdict(() => verify(withTail))).toBe("QE_REPORT_BINDING")
})

describe("levels", () => {
  const statusOf = (knobs: QuoteKnobs, collateral?: CollateralBundle) =>
    verify(quote(knobs), collateral).status
  const of = (name: string, changes: object) =>
    platform.quote({ machine: platform.machine({ name, ...changes }) })

  test("lower SVNs of certificate or report lead to a lower level", () => {
    expect(verify(of("old microcode", { cpuSvn: "0x03030202040100050000000000000000" }))).toMatchObject({
      status: "OutOfDate",
      advisories: ["INTEL-SA-01245", "INTEL-SA-01312"],
    })
    expect(verify(of("old PCE", { pceSvn: 5 })).status).toBe("OutOfDate")
    expect(statusOf({ teeTcbSvn: "0x0b0103" })).toBe("OutOfDate")
  })

  test("below every level there is no status", () => {
    expect(verdict(() => verify(of("older", { cpuSvn: "0x01030202040100050000000000000000" })))).toBe(
      "TCB_LEVEL",
    )
    expect(verdict(() => verify(of("older PCE", { pceSvn: 4 })))).toBe("TCB_LEVEL")
  })

  test("a module with a version is judged by its identity, not by the first two TDX components", () => {
    const modules = [{ id: "TDX_05", levels: [{ isvSvn: 1, status: "UpToDate" as const }] }]
    expect(statusOf({ teeTcbSvn: "0x010504" }, platform.collateral({ modules }))).toBe("UpToDate")
    expect(statusOf({ teeTcbSvn: "0x050004" })).toBe("UpToDate")
    expect(verdict(() => verify(quote({ teeTcbSvn: "0x020004" })))).toBe("TCB_LEVEL")
  })

  const merged: readonly [string, TcbStatus, TcbStatus, TcbStatus, TcbStatus][] = [
    ["an old module", "UpToDate", "OutOfDate", "UpToDate", "OutOfDate"],
    ["an old quoting enclave", "UpToDate", "UpToDate", "OutOfDate", "OutOfDate"],
    [
      "a wrong configuration with an old module",
      "ConfigurationNeeded",
      "OutOfDate",
      "UpToDate",
      "OutOfDateConfigurationNeeded",
    ],
    ["a revoked module", "UpToDate", "Revoked", "UpToDate", "Revoked"],
    ["a revoked quoting enclave", "SWHardeningNeeded", "UpToDate", "Revoked", "Revoked"],
    ["hardening needed", "SWHardeningNeeded", "UpToDate", "UpToDate", "SWHardeningNeeded"],
  ]
  test.each(merged)("%s: the worst status counts", (_, level, moduleStatus, qe, want) => {
    const sixteen = Array.from({ length: 16 }, () => 0)
    const collateral = platform.collateral({
      levels: [{ sgx: sixteen, pceSvn: 0, tdx: sixteen, status: level }],
      modules: [{ id: "TDX_01", levels: [{ isvSvn: 1, status: moduleStatus }] }],
      qeLevels: [{ isvSvn: 1, status: qe }],
    })
    expect(statusOf({}, collateral)).toBe(want)
  })
})
