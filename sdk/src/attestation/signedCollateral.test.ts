import { deriveKey } from "@twinlock/devnet/platform/keys"
import { type CertificateFields, PCK, ROOT_CA, TCB_SIGNING, toPem } from "@twinlock/devnet/platform/pki"
import { createPlatform, type Platform } from "@twinlock/devnet/platform/platform"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  certificate,
  DAY,
  good,
  machine,
  NOW,
  platform,
  quote,
  verify,
} from "../../../test/support/simulatedQuote.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import type { AttestationErrorCode } from "./errors.ts"

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
    [
      "a TCB signer that may not sign data",
      signedBy(rogue, rogueCertificate({ keyUsage: Uint8Array.of(1, 0x02) })),
      "TCB_SIGNER",
    ],
    [
      "a TCB signer that may sign certificates",
      signedBy(rogue, rogueCertificate({ keyUsage: Uint8Array.of(1, 0x86) })),
      "TCB_SIGNER",
    ],
    [
      "an expired TCB signer",
      signedBy(rogue, rogueCertificate({ notAfter: NOW - 1 })),
      "CERTIFICATE_EXPIRED",
    ],
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
    ["an expired TCB info", tcbInfo(old), "TCB_INFO_EXPIRED"],
    ["a TCB info of the future", tcbInfo(early), "TCB_INFO_NOT_YET_VALID"],
    ["an expired QE identity", qeIdentity(old), "QE_IDENTITY_EXPIRED"],
    ["a QE identity of the future", qeIdentity(early), "QE_IDENTITY_NOT_YET_VALID"],
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
      "TCB_INFO_FMSPC",
    ],
    ["TCB info of another PCE", platform.collateral({ pceId: "0001" }), "TCB_INFO_PCE"],
  ]

  test.each(documents)("%s is refused", (_, collateral, code) => {
    expect(codeOf(() => verify(quote(), collateral))).toBe(code)
  })

  test("letter case of the processor family does not matter", () => {
    expect(codeOf(() => verify(quote(), platform.collateral({ fmspc: "b0c06f000000" })))).toBe("none")
  })
})
