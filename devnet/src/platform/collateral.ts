/**
 * TCB info v3, QE identity v2 and CRLs of the simulated platform: same member order and spelling as Intel's
 * service, signed over exactly the bytes that are handed out. Every value that a verifier judges is a knob.
 */

import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type CrlFields, type Issuer, issueCrl, toPem } from "./pki.ts"
import {
  DEFAULT_LEVELS,
  DEFAULT_MODULES,
  DEFAULT_QE_LEVELS,
  type IsvLevelSpec,
  type ModuleIdentitySpec,
  type ModuleSpec,
  type TcbLevelSpec,
} from "./tcbLevels.ts"

const DAY = 86_400

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
  /** Identity of modules without an identity of their own version. */
  readonly module?: ModuleSpec
  readonly qeLevels?: readonly IsvLevelSpec[]
  /** Members of the two documents that differ from Intel's, at the place where Intel has them. */
  readonly tcbInfoMembers?: Readonly<Record<string, unknown>>
  readonly qeIdentityMembers?: Readonly<Record<string, unknown>>
  /** Edits the text before it is signed. */
  readonly tcbInfoText?: (text: string) => string
  readonly qeIdentityText?: (text: string) => string
  /** Serials on the PCK CRL. */
  readonly revokedPck?: readonly Uint8Array[]
  /** Serials on the root CRL. */
  readonly revokedByRoot?: readonly Uint8Array[]
  /** Fields of the two lists that differ, dates among them. */
  readonly pckCrl?: Partial<CrlFields>
  readonly rootCrl?: Partial<CrlFields>
  /** Signs TCB info and QE identity instead of the TCB signing key, with its own certificate in the chain. */
  readonly signer?: DocumentSigner
  /** Signs the QE identity alone. */
  readonly qeSigner?: DocumentSigner
}

export type DocumentSigner = { readonly issuer: Issuer; readonly certificate: Uint8Array }

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

const TCB_DATE = "2025-08-13T00:00:00Z"
const moduleIdentity = (spec: ModuleSpec) => ({
  mrsigner: spec.mrSigner ?? "00".repeat(48),
  attributes: spec.attributes ?? "0".repeat(16),
  attributesMask: spec.attributesMask ?? "F".repeat(16),
})
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

const verdict = (status: TcbStatus, advisories: readonly string[] | undefined, tcbDate?: number) => ({
  tcbDate: tcbDate === undefined ? TCB_DATE : date(tcbDate),
  tcbStatus: status,
  ...(advisories ? { advisoryIDs: advisories } : {}),
})

const isvLevel = (level: IsvLevelSpec) => ({
  tcb: { isvsvn: level.isvSvn },
  ...verdict(level.status, level.advisories, level.tcbDate),
})

/** The signed text of a TCB info; member order is part of the format. */
export function tcbInfoText(source: CollateralSource, knobs: CollateralKnobs): string {
  const issuedAt = knobs.issuedAt ?? source.now
  const text = JSON.stringify({
    id: "TDX",
    version: 3,
    issueDate: date(issuedAt),
    nextUpdate: date(issuedAt + (knobs.lifetime ?? 30 * DAY)),
    fmspc: knobs.fmspc ?? source.fmspc,
    pceId: knobs.pceId ?? "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: knobs.evaluationNumber ?? 20,
    tdxModule: moduleIdentity(knobs.module ?? {}),
    tdxModuleIdentities: (knobs.modules ?? DEFAULT_MODULES).map((identity) => ({
      id: identity.id,
      ...moduleIdentity(identity),
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
    ...knobs.tcbInfoMembers,
  })
  return knobs.tcbInfoText ? knobs.tcbInfoText(text) : text
}

/** The signed text of a QE identity; member order is part of the format. */
export function qeIdentityText(source: CollateralSource, knobs: CollateralKnobs): string {
  const issuedAt = knobs.issuedAt ?? source.now
  const text = JSON.stringify({
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
    ...knobs.qeIdentityMembers,
  })
  return knobs.qeIdentityText ? knobs.qeIdentityText(text) : text
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** The two lists of the bundle as DER. */
function makeCrls(source: CollateralSource, knobs: CollateralKnobs): { root: Uint8Array; pck: Uint8Array } {
  const thisUpdate = knobs.issuedAt ?? source.now
  return {
    root: issueCrl({
      issuer: source.root,
      thisUpdate,
      nextUpdate: thisUpdate + (knobs.rootCrlLifetime ?? 365 * DAY),
      revoked: knobs.revokedByRoot ?? [],
      ...knobs.rootCrl,
    }),
    pck: issueCrl({
      issuer: source.platformCa,
      thisUpdate,
      nextUpdate: thisUpdate + (knobs.lifetime ?? 30 * DAY),
      revoked: knobs.revokedPck ?? [],
      ...knobs.pckCrl,
    }),
  }
}

/** The whole bundle in the JSON shape of PCCS clients. */
export function makeCollateral(source: CollateralSource, knobs: CollateralKnobs = {}): CollateralBundle {
  const signer = knobs.signer ?? { issuer: source.tcbSigner, certificate: source.tcbSigningCertificate }
  const qeSigner = knobs.qeSigner ?? signer
  const root = toPem(source.rootCertificate)
  const crls = makeCrls(source, knobs)
  const tcbInfo = tcbInfoText(source, knobs)
  const qeIdentity = qeIdentityText(source, knobs)
  return {
    pck_crl_issuer_chain: toPem(source.platformCaCertificate) + root,
    root_ca_crl: hex(crls.root),
    pck_crl: hex(crls.pck),
    tcb_info_issuer_chain: toPem(signer.certificate) + root,
    tcb_info: tcbInfo,
    tcb_info_signature: hex(signer.issuer.key.sign(utf8ToBytes(tcbInfo))),
    qe_identity_issuer_chain: toPem(qeSigner.certificate) + root,
    qe_identity: qeIdentity,
    qe_identity_signature: hex(qeSigner.issuer.key.sign(utf8ToBytes(qeIdentity))),
  }
}
