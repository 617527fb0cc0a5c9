/**
 * TCB info v3, QE identity v2 and CRLs of the simulated platform: same member order and spelling as Intel's
 * service, signed over exactly the bytes that are handed out. Every value that a verifier judges is a knob.
 */

import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type Issuer, issueCrl, toPem } from "./pki.ts"

const DAY = 86_400

export type TcbLevelSpec = {
  /** 16 SVNs that the PCK certificate must reach. */
  readonly sgx: readonly number[]
  readonly pceSvn: number
  /** 16 SVNs that the quote's teeTcbSvn must reach. */
  readonly tdx: readonly number[]
  readonly status: TcbStatus
  readonly advisories?: readonly string[]
}

export type IsvLevelSpec = {
  readonly isvSvn: number
  readonly status: TcbStatus
  readonly advisories?: readonly string[]
}

export type ModuleIdentitySpec = { readonly id: string; readonly levels: readonly IsvLevelSpec[] }

export type CollateralKnobs = {
  /** Unix seconds; the platform's `now` by default. */
  readonly issuedAt?: number
  /** Seconds until nextUpdate of TCB info, QE identity and PCK CRL; 30 days by default. */
  readonly lifetime?: number
  /** Seconds until nextUpdate of the root CRL; 365 days by default. */
  readonly rootCrlLifetime?: number
  readonly evaluationNumber?: number
  readonly qeEvaluationNumber?: number
  /** 12 hex characters, as Intel writes them (case is kept). */
  readonly fmspc?: string
  readonly pceId?: string
  readonly levels?: readonly TcbLevelSpec[]
  readonly modules?: readonly ModuleIdentitySpec[]
  readonly qeLevels?: readonly IsvLevelSpec[]
  /** Serials on the PCK CRL. */
  readonly revokedPck?: readonly Uint8Array[]
  /** Serials on the root CRL. */
  readonly revokedByRoot?: readonly Uint8Array[]
  /** Signs TCB info and QE identity instead of the TCB signing key, with its own certificate in the chain. */
  readonly signer?: { readonly issuer: Issuer; readonly certificate: Uint8Array }
}

/** What `createPlatform` fixes: keys, certificates and the moment of issue. */
export type CollateralSource = {
  readonly root: Issuer
  readonly rootCertificate: Uint8Array
  readonly platformCa: Issuer
  readonly platformCaCertificate: Uint8Array
  readonly tcbSigner: Issuer
  readonly tcbSigningCertificate: Uint8Array
  readonly fmspc: string
  readonly now: number
}

const sixteen = (...svns: readonly number[]): readonly number[] =>
  Array.from({ length: 16 }, (_, index) => svns[index] ?? 0)

/** SVNs of Intel's set 20 for a B0C06F platform: one current level and two that are out of date. */
export const DEFAULT_LEVELS: readonly TcbLevelSpec[] = [
  { sgx: sixteen(4, 4, 2, 2, 4, 1, 0, 5), pceSvn: 11, tdx: sixteen(5, 0, 4), status: "UpToDate" },
  {
    sgx: sixteen(3, 3, 2, 2, 4, 1, 0, 5),
    pceSvn: 11,
    tdx: sixteen(5, 0, 3),
    status: "OutOfDate",
    advisories: ["INTEL-SA-01245", "INTEL-SA-01312"],
  },
  {
    sgx: sixteen(2, 2, 2, 2, 3, 1, 0, 3),
    pceSvn: 5,
    tdx: sixteen(3, 0, 2),
    status: "OutOfDate",
    advisories: ["INTEL-SA-00837", "INTEL-SA-01036", "INTEL-SA-01245", "INTEL-SA-01312"],
  },
]

export const DEFAULT_MODULES: readonly ModuleIdentitySpec[] = [
  {
    id: "TDX_03",
    levels: [
      { isvSvn: 5, status: "UpToDate" },
      { isvSvn: 3, status: "OutOfDate", advisories: ["INTEL-SA-01245"] },
    ],
  },
  {
    id: "TDX_01",
    levels: [
      { isvSvn: 11, status: "UpToDate" },
      { isvSvn: 6, status: "OutOfDate", advisories: ["INTEL-SA-01192", "INTEL-SA-01245"] },
      { isvSvn: 2, status: "OutOfDate", advisories: ["INTEL-SA-01036", "INTEL-SA-01192"] },
    ],
  },
]

export const DEFAULT_QE_LEVELS: readonly IsvLevelSpec[] = [{ isvSvn: 4, status: "UpToDate" }]

const TCB_DATE = "2025-08-13T00:00:00Z"
const MODULE_IDENTITY = {
  mrsigner: "00".repeat(48),
  attributes: "0".repeat(16),
  attributesMask: "F".repeat(16),
}
const SGX_LABELS: readonly (readonly [category: string, type?: string])[] = [
  ["BIOS", "Early Microcode Update"],
  ["OS/VMM", "SGX Late Microcode Update"],
  ["OS/VMM", "TXT SINIT"],
  ["BIOS"],
  ["BIOS"],
  ["BIOS"],
]
const TDX_LABELS: readonly (readonly [category: string, type?: string])[] = [
  ["OS/VMM", "TDX Module"],
  ["OS/VMM", "TDX Module"],
  ["OS/VMM", "TDX Late Microcode Update"],
]

const date = (time: number) => new Date(time * 1000).toISOString().replace(/\.\d+Z$/, "Z")

const component = (svn: number, label: readonly [category: string, type?: string] | undefined) => ({
  svn,
  ...(label ? { category: label[0] } : {}),
  ...(label?.[1] ? { type: label[1] } : {}),
})

const verdict = (status: TcbStatus, advisories: readonly string[] | undefined) => ({
  tcbDate: TCB_DATE,
  tcbStatus: status,
  ...(advisories ? { advisoryIDs: advisories } : {}),
})

const isvLevel = (level: IsvLevelSpec) => ({
  tcb: { isvsvn: level.isvSvn },
  ...verdict(level.status, level.advisories),
})

/** The signed text of a TCB info; member order is part of the format. */
export function tcbInfoText(source: CollateralSource, knobs: CollateralKnobs): string {
  const issuedAt = knobs.issuedAt ?? source.now
  return JSON.stringify({
    id: "TDX",
    version: 3,
    issueDate: date(issuedAt),
    nextUpdate: date(issuedAt + (knobs.lifetime ?? 30 * DAY)),
    fmspc: knobs.fmspc ?? source.fmspc,
    pceId: knobs.pceId ?? "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: knobs.evaluationNumber ?? 20,
    tdxModule: MODULE_IDENTITY,
    tdxModuleIdentities: (knobs.modules ?? DEFAULT_MODULES).map((identity) => ({
      id: identity.id,
      ...MODULE_IDENTITY,
      tcbLevels: identity.levels.map(isvLevel),
    })),
    tcbLevels: (knobs.levels ?? DEFAULT_LEVELS).map((level) => ({
      tcb: {
        sgxtcbcomponents: level.sgx.map((svn, index) => component(svn, SGX_LABELS[index])),
        pcesvn: level.pceSvn,
        tdxtcbcomponents: level.tdx.map((svn, index) => component(svn, TDX_LABELS[index])),
      },
      ...verdict(level.status, level.advisories),
    })),
  })
}

/** The signed text of a QE identity; member order is part of the format. */
export function qeIdentityText(source: CollateralSource, knobs: CollateralKnobs): string {
  const issuedAt = knobs.issuedAt ?? source.now
  return JSON.stringify({
    id: "TD_QE",
    version: 2,
    issueDate: date(issuedAt),
    nextUpdate: date(issuedAt + (knobs.lifetime ?? 30 * DAY)),
    tcbEvaluationDataNumber: knobs.qeEvaluationNumber ?? knobs.evaluationNumber ?? 20,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: "11000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: "DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5",
    isvprodid: 2,
    tcbLevels: (knobs.qeLevels ?? DEFAULT_QE_LEVELS).map(isvLevel),
  })
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** The whole bundle in the JSON shape of PCCS clients. */
export function makeCollateral(source: CollateralSource, knobs: CollateralKnobs = {}): CollateralBundle {
  const issuedAt = knobs.issuedAt ?? source.now
  const signer = knobs.signer ?? { issuer: source.tcbSigner, certificate: source.tcbSigningCertificate }
  const signerChain = toPem(signer.certificate) + toPem(source.rootCertificate)
  const tcbInfo = tcbInfoText(source, knobs)
  const qeIdentity = qeIdentityText(source, knobs)
  return {
    pck_crl_issuer_chain: toPem(source.platformCaCertificate) + toPem(source.rootCertificate),
    root_ca_crl: hex(
      issueCrl({
        issuer: source.root,
        thisUpdate: issuedAt,
        nextUpdate: issuedAt + (knobs.rootCrlLifetime ?? 365 * DAY),
        revoked: knobs.revokedByRoot ?? [],
      }),
    ),
    pck_crl: hex(
      issueCrl({
        issuer: source.platformCa,
        thisUpdate: issuedAt,
        nextUpdate: issuedAt + (knobs.lifetime ?? 30 * DAY),
        revoked: knobs.revokedPck ?? [],
      }),
    ),
    tcb_info_issuer_chain: signerChain,
    tcb_info: tcbInfo,
    tcb_info_signature: hex(signer.issuer.key.sign(utf8ToBytes(tcbInfo))),
    qe_identity_issuer_chain: signerChain,
    qe_identity: qeIdentity,
    qe_identity_signature: hex(signer.issuer.key.sign(utf8ToBytes(qeIdentity))),
  }
}
