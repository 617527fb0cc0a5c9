/**
 * TCB info v3 for TDX and QE identity v2 (Intel PCS API v4): what Intel says about the SVNs of a platform, of the
 * TDX module and of the quoting enclave. Parsed from, and verified over, the exact bytes that Intel signed.
 */
import { fromHex, utf8ToBytes } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { type Certificate, verifyP256 } from "./certificate.ts"
import { attestationError, type CollateralCode, type MalformedCode } from "./errors.ts"
import { type JsonObject, parseJsonObject } from "./json.ts"
import { isTcbStatus, type TcbStatus } from "./tcbStatus.ts"

export type Level = { readonly status: TcbStatus; readonly advisories: readonly string[] }

/** A platform reaches a level when each of its SVNs is at least the level's. */
export type TcbLevel = Level & {
  readonly sgx: readonly number[]
  readonly pceSvn: number
  readonly tdx: readonly number[]
}

export type IsvLevel = Level & { readonly isvSvn: number }

export type ModuleIdentity = {
  readonly mrSigner: Hex
  readonly attributes: Hex
  readonly attributesMask: Hex
}

export type TcbInfo = {
  readonly issuedAt: number
  readonly nextUpdate: number
  readonly evaluationNumber: number
  readonly fmspc: Hex
  readonly pceId: Hex
  /** Identity of modules that have no identity of their own version. */
  readonly module: ModuleIdentity
  /** By major version of the TDX module. */
  readonly modules: ReadonlyMap<number, ModuleIdentity & { readonly levels: readonly IsvLevel[] }>
  /** Best first, in Intel's order. */
  readonly levels: readonly TcbLevel[]
}

export type QeIdentity = {
  readonly issuedAt: number
  readonly nextUpdate: number
  readonly evaluationNumber: number
  readonly miscSelect: Hex
  readonly miscSelectMask: Hex
  readonly attributes: Hex
  readonly attributesMask: Hex
  readonly mrSigner: Hex
  readonly isvProdId: number
  readonly levels: readonly IsvLevel[]
}

const MAX_LEVELS = 64

function parseLevel(object: JsonObject, code: MalformedCode): Level {
  const status = object.text("tcbStatus")
  if (!isTcbStatus(status)) throw attestationError(code, `unknown TCB status ${JSON.stringify(status)}`)
  return { status, advisories: object.texts("advisoryIDs", 256) }
}

const parseIsvLevels = (object: JsonObject, code: MalformedCode): readonly IsvLevel[] =>
  object.objects("tcbLevels", MAX_LEVELS).map((level) => ({
    isvSvn: level.object("tcb").number("isvsvn", 0xffff),
    ...parseLevel(level, code),
  }))

function parseComponents(tcb: JsonObject, name: string): readonly number[] {
  const components = tcb.objects(name, 16)
  if (components.length !== 16)
    throw attestationError("TCB_INFO_MALFORMED", `${name} must have 16 items, got ${components.length}`)
  return components.map((component) => component.number("svn", 0xff))
}

const parseModule = (object: JsonObject): ModuleIdentity => ({
  mrSigner: object.hex("mrsigner", 48),
  attributes: object.hex("attributes", 8),
  attributesMask: object.hex("attributesMask", 8),
})

function parseModules(document: JsonObject): TcbInfo["modules"] {
  const modules = new Map<number, ModuleIdentity & { readonly levels: readonly IsvLevel[] }>()
  for (const object of document.objects("tdxModuleIdentities", 32)) {
    const id = object.text("id")
    const digits = /^TDX_([0-9A-F]{2})$/.exec(id)?.[1]
    if (digits === undefined)
      throw attestationError("TCB_INFO_MALFORMED", `module identity ${JSON.stringify(id)} is not TDX_xx`)
    const version = Number.parseInt(digits, 16)
    if (modules.has(version))
      throw attestationError("TCB_INFO_MALFORMED", `module identity ${id} stands twice`)
    modules.set(version, { ...parseModule(object), levels: parseIsvLevels(object, "TCB_INFO_MALFORMED") })
  }
  return modules
}

/** Parses the text of a TCB info; no signature is checked. @throws TCB_INFO_MALFORMED */
export function parseTcbInfo(text: string): TcbInfo {
  const document = parseJsonObject(text, "TCB_INFO_MALFORMED")
  const [id, version, type] = [
    document.text("id"),
    document.number("version", 99),
    document.number("tcbType", 99),
  ]
  if (id !== "TDX" || version !== 3 || type !== 0)
    throw attestationError(
      "TCB_INFO_MALFORMED",
      `want TDX TCB info version 3 type 0, got ${id} ${version} ${type}`,
    )
  return {
    issuedAt: document.date("issueDate"),
    nextUpdate: document.date("nextUpdate"),
    evaluationNumber: document.number("tcbEvaluationDataNumber", 0xffffffff),
    fmspc: document.hex("fmspc", 6),
    pceId: document.hex("pceId", 2),
    module: parseModule(document.object("tdxModule")),
    modules: parseModules(document),
    levels: document.objects("tcbLevels", MAX_LEVELS).map((level) => {
      const tcb = level.object("tcb")
      return {
        sgx: parseComponents(tcb, "sgxtcbcomponents"),
        pceSvn: tcb.number("pcesvn", 0xffff),
        tdx: parseComponents(tcb, "tdxtcbcomponents"),
        ...parseLevel(level, "TCB_INFO_MALFORMED"),
      }
    }),
  }
}

/** Parses the text of a QE identity; no signature is checked. @throws QE_IDENTITY_MALFORMED */
export function parseQeIdentity(text: string): QeIdentity {
  const document = parseJsonObject(text, "QE_IDENTITY_MALFORMED")
  const [id, version] = [document.text("id"), document.number("version", 99)]
  if (id !== "TD_QE" || version !== 2)
    throw attestationError("QE_IDENTITY_MALFORMED", `want TD_QE identity version 2, got ${id} ${version}`)
  return {
    issuedAt: document.date("issueDate"),
    nextUpdate: document.date("nextUpdate"),
    evaluationNumber: document.number("tcbEvaluationDataNumber", 0xffffffff),
    miscSelect: document.hex("miscselect", 4),
    miscSelectMask: document.hex("miscselectMask", 4),
    attributes: document.hex("attributes", 16),
    attributesMask: document.hex("attributesMask", 16),
    mrSigner: document.hex("mrsigner", 32),
    isvProdId: document.number("isvprodid", 0xffff),
    levels: parseIsvLevels(document, "QE_IDENTITY_MALFORMED"),
  }
}

type DocumentCodes = {
  readonly malformed: MalformedCode
  readonly signature: CollateralCode
  readonly stale: CollateralCode
  readonly belowFloor: CollateralCode
}

type Dated = { readonly issuedAt: number; readonly nextUpdate: number; readonly evaluationNumber: number }

export type DocumentInput = {
  /** As signed. */
  readonly text: string
  /** r ‖ s, hex without 0x. */
  readonly signature: string
  readonly signer: Certificate
  /** Unix seconds. */
  readonly time: number
  /** Smallest evaluation number that policy accepts. */
  readonly floor: number
}

function verifyDocument<T extends Dated>(
  input: DocumentInput,
  parse: (text: string) => T,
  codes: DocumentCodes,
): T {
  const { text, signature, signer, time, floor } = input
  if (!/^[0-9a-fA-F]{128}$/.test(signature))
    throw attestationError(codes.malformed, "a signature must be 64 bytes of hex")
  if (!verifyP256(fromHex(`0x${signature}`), utf8ToBytes(text), signer.publicKey))
    throw attestationError(codes.signature, `the document is not signed by ${signer.commonName}`)
  const document = parse(text)
  if (time < document.issuedAt || time > document.nextUpdate)
    throw attestationError(
      codes.stale,
      `the document is valid from ${document.issuedAt} to ${document.nextUpdate}, not at ${time}`,
    )
  if (document.evaluationNumber < floor)
    throw attestationError(
      codes.belowFloor,
      `evaluation number ${document.evaluationNumber} is below the floor ${floor}`,
    )
  return document
}

/** @throws TCB_INFO_SIGNATURE, TCB_INFO_STALE, TCB_INFO_BELOW_FLOOR, TCB_INFO_MALFORMED */
export const verifyTcbInfo = (input: DocumentInput): TcbInfo =>
  verifyDocument(input, parseTcbInfo, {
    malformed: "TCB_INFO_MALFORMED",
    signature: "TCB_INFO_SIGNATURE",
    stale: "TCB_INFO_STALE",
    belowFloor: "TCB_INFO_BELOW_FLOOR",
  })

/** @throws QE_IDENTITY_SIGNATURE, QE_IDENTITY_STALE, QE_IDENTITY_BELOW_FLOOR, QE_IDENTITY_MALFORMED */
export const verifyQeIdentity = (input: DocumentInput): QeIdentity =>
  verifyDocument(input, parseQeIdentity, {
    malformed: "QE_IDENTITY_MALFORMED",
    signature: "QE_IDENTITY_SIGNATURE",
    stale: "QE_IDENTITY_STALE",
    belowFloor: "QE_IDENTITY_BELOW_FLOOR",
  })
