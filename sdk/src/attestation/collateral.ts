/**
 * TCB info v3 for TDX and QE identity v2 (Intel PCS API v4): what Intel says about the SVNs of a platform, of the
 * TDX module and of the quoting enclave. Parsed from, and verified over, the exact bytes that Intel signed.
 */
import { fromHex, utf8ToBytes } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import type { Certificate } from "./certificate.ts"
import { attestationError, type CollateralCode, type MalformedCode } from "./errors.ts"
import { type JsonObject, parseJsonObject } from "./json.ts"
import { type SignatureCheck, verifyP256 } from "./p256.ts"
import { isTcbStatus, type TcbStatus } from "./tcbStatus.ts"

export type Level = {
  readonly status: TcbStatus
  readonly advisories: readonly string[]
  /** Unix seconds: what Intel disclosed up to this date was taken into account. */
  readonly tcbDate: number
}

/** A platform reaches a level when each of its SVNs is at least the level's. */
export type TcbLevel = Level & {
  readonly sgx: readonly number[]
  readonly pceSvn: number
  readonly tdx: readonly number[]
}

export type IsvLevel = Level & { readonly isvSvn: number }

export type TcbInfo = {
  readonly issuedAt: number
  readonly nextUpdate: number
  readonly evaluationNumber: number
  readonly fmspc: Hex
  readonly pceId: Hex
  /** Levels by major version of the TDX module. */
  readonly modules: ReadonlyMap<number, readonly IsvLevel[]>
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

/** Maxima of the contract's parser; Intel's documents had at most 2 modules, 5 module levels and 4 levels so far. */
const MAX_LEVELS = 32
const MAX_MODULES = 8
const MAX_MODULE_LEVELS = 16
const MAX_ADVISORIES = 256
const MAX_EVALUATION_NUMBER = 0xffff

const LEVEL_MEMBERS = [["tcb", "tcbDate", "tcbStatus"], ["advisoryIDs"]] as const
const MODULE_MEMBERS = ["mrsigner", "attributes", "attributesMask"] as const

function parseLevel(object: JsonObject, code: MalformedCode): Level {
  const status = object.only(...LEVEL_MEMBERS).text("tcbStatus")
  if (!isTcbStatus(status)) throw attestationError(code, `unknown TCB status ${JSON.stringify(status)}`)
  return { status, advisories: object.texts("advisoryIDs", MAX_ADVISORIES), tcbDate: object.date("tcbDate") }
}

type IsvLimits = { readonly levels: number; readonly isvSvn: number }

/** In Intel's order: the first level that is reached counts, here as in the contract. */
const parseIsvLevels = (object: JsonObject, limits: IsvLimits, code: MalformedCode): readonly IsvLevel[] =>
  object.objects("tcbLevels", limits.levels).map((level) => ({
    ...parseLevel(level, code),
    isvSvn: level.object("tcb").only(["isvsvn"]).number("isvsvn", limits.isvSvn),
  }))

function parseComponents(tcb: JsonObject, name: string): readonly number[] {
  const components = tcb.objects(name, 16)
  if (components.length !== 16)
    throw attestationError("TCB_INFO_MALFORMED", `${name} must have 16 items, got ${components.length}`)
  return components.map((component) => component.only(["svn"], ["category", "type"]).number("svn", 0xff))
}

function parseTcbLevel(level: JsonObject): TcbLevel {
  const tcb = level.object("tcb").only(["sgxtcbcomponents", "pcesvn", "tdxtcbcomponents"])
  return {
    ...parseLevel(level, "TCB_INFO_MALFORMED"),
    sgx: parseComponents(tcb, "sgxtcbcomponents"),
    pceSvn: tcb.number("pcesvn", 0xffff),
    tdx: parseComponents(tcb, "tdxtcbcomponents"),
  }
}

/** A module that Intel signs itself, without attributes: the contract's template knows no other. */
const INTEL_MODULE = {
  mrsigner: "0".repeat(96),
  attributes: "0".repeat(16),
  attributesMask: "F".repeat(16),
} as const

function checkModule(object: JsonObject): void {
  for (const name of MODULE_MEMBERS)
    if (object.text(name) !== INTEL_MODULE[name])
      throw attestationError(
        "TCB_INFO_MALFORMED",
        `${name} of a TDX module must be ${INTEL_MODULE[name]}, got ${object.text(name)}`,
      )
}

function parseModules(document: JsonObject): TcbInfo["modules"] {
  const modules = new Map<number, readonly IsvLevel[]>()
  for (const object of document.objects("tdxModuleIdentities", MAX_MODULES)) {
    const id = object.only(["id", ...MODULE_MEMBERS, "tcbLevels"]).text("id")
    const digits = /^TDX_([0-9A-F]{2})$/.exec(id)?.[1]
    if (digits === undefined)
      throw attestationError("TCB_INFO_MALFORMED", `module identity ${JSON.stringify(id)} is not TDX_xx`)
    const version = Number.parseInt(digits, 16)
    if (modules.has(version))
      throw attestationError("TCB_INFO_MALFORMED", `module identity ${id} stands twice`)
    checkModule(object)
    const limits = { levels: MAX_MODULE_LEVELS, isvSvn: 0xff }
    modules.set(version, parseIsvLevels(object, limits, "TCB_INFO_MALFORMED"))
  }
  return modules
}

const TCB_INFO_MEMBERS =
  "id version issueDate nextUpdate fmspc pceId tcbType tcbEvaluationDataNumber tdxModule tdxModuleIdentities tcbLevels".split(
    " ",
  )
const QE_IDENTITY_MEMBERS =
  "id version issueDate nextUpdate tcbEvaluationDataNumber miscselect miscselectMask attributes attributesMask mrsigner isvprodid tcbLevels".split(
    " ",
  )

/** Parses the text of a TCB info; no signature is checked. @throws TCB_INFO_MALFORMED */
export function parseTcbInfo(text: string): TcbInfo {
  const document = parseJsonObject(text, "TCB_INFO_MALFORMED").only(TCB_INFO_MEMBERS)
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
  checkModule(document.object("tdxModule").only(MODULE_MEMBERS))
  return {
    issuedAt: document.date("issueDate"),
    nextUpdate: document.date("nextUpdate"),
    evaluationNumber: document.number("tcbEvaluationDataNumber", MAX_EVALUATION_NUMBER),
    fmspc: document.hex("fmspc", 6),
    pceId: document.hex("pceId", 2),
    modules: parseModules(document),
    levels: document.objects("tcbLevels", MAX_LEVELS).map(parseTcbLevel),
  }
}

/** Parses the text of a QE identity; no signature is checked. @throws QE_IDENTITY_MALFORMED */
export function parseQeIdentity(text: string): QeIdentity {
  const document = parseJsonObject(text, "QE_IDENTITY_MALFORMED").only(QE_IDENTITY_MEMBERS)
  const [id, version] = [document.text("id"), document.number("version", 99)]
  if (id !== "TD_QE" || version !== 2)
    throw attestationError("QE_IDENTITY_MALFORMED", `want TD_QE identity version 2, got ${id} ${version}`)
  return {
    issuedAt: document.date("issueDate"),
    nextUpdate: document.date("nextUpdate"),
    evaluationNumber: document.number("tcbEvaluationDataNumber", MAX_EVALUATION_NUMBER),
    miscSelect: document.hex("miscselect", 4),
    miscSelectMask: document.hex("miscselectMask", 4),
    attributes: document.hex("attributes", 16),
    attributesMask: document.hex("attributesMask", 16),
    mrSigner: document.hex("mrsigner", 32),
    isvProdId: document.number("isvprodid", 0xffff),
    levels: parseIsvLevels(document, { levels: MAX_LEVELS, isvSvn: 0xffff }, "QE_IDENTITY_MALFORMED"),
  }
}

type Dated = { readonly issuedAt: number; readonly nextUpdate: number; readonly evaluationNumber: number }

export type DocumentInput = {
  /** As signed. */
  readonly text: string
  /** r ‖ s, hex without 0x. */
  readonly signature: string
  readonly signer: Certificate
  readonly verify?: SignatureCheck
}

function verifyDocument<T extends Dated>(
  { text, signature, signer, verify = verifyP256 }: DocumentInput,
  parse: (text: string) => T,
  malformed: MalformedCode,
  unsigned: CollateralCode,
): T {
  if (!/^[0-9a-fA-F]{128}$/.test(signature))
    throw attestationError(malformed, "a signature must be 64 bytes of hex")
  if (!verify(fromHex(`0x${signature}`), utf8ToBytes(text), signer.publicKey))
    throw attestationError(unsigned, `the document is not signed by ${signer.commonName}`)
  return parse(text)
}

/** Checks the signature, whatever the time. @throws TCB_INFO_SIGNATURE, TCB_INFO_MALFORMED */
export const verifyTcbInfo = (input: DocumentInput): TcbInfo =>
  verifyDocument(input, parseTcbInfo, "TCB_INFO_MALFORMED", "TCB_INFO_SIGNATURE")

/** Checks the signature, whatever the time. @throws QE_IDENTITY_SIGNATURE, QE_IDENTITY_MALFORMED */
export const verifyQeIdentity = (input: DocumentInput): QeIdentity =>
  verifyDocument(input, parseQeIdentity, "QE_IDENTITY_MALFORMED", "QE_IDENTITY_SIGNATURE")

/**
 * Validity and floor of one of the two documents.
 * @param time unix seconds; both ends of the period count.
 * @param floor smallest evaluation number that policy accepts.
 * @throws prefix _NOT_YET_VALID, _EXPIRED, _BELOW_FLOOR
 */
export function checkCurrent(
  document: Dated,
  prefix: "TCB_INFO" | "QE_IDENTITY",
  time: number,
  floor: number,
): void {
  const { issuedAt, nextUpdate, evaluationNumber } = document
  const what = prefix === "TCB_INFO" ? "the TCB info" : "the QE identity"
  if (time < issuedAt)
    throw attestationError(`${prefix}_NOT_YET_VALID`, `${what} is valid from ${issuedAt}, not at ${time}`)
  if (time > nextUpdate)
    throw attestationError(`${prefix}_EXPIRED`, `${what} was valid until ${nextUpdate}, not at ${time}`)
  if (evaluationNumber < floor)
    throw attestationError(
      `${prefix}_BELOW_FLOOR`,
      `evaluation number ${evaluationNumber} of ${what} is below the floor ${floor}`,
    )
}
