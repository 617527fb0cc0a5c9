/** TCB levels by Intel's text, once more: on plain JSON values, with statuses as sets of demands. */
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import { calendarTime } from "./x509.ts"

const DEMANDS: Readonly<Record<string, number>> = {
  UpToDate: 0,
  SWHardeningNeeded: 1,
  ConfigurationNeeded: 2,
  ConfigurationAndSWHardeningNeeded: 3,
  OutOfDate: 4,
  OutOfDateConfigurationNeeded: 6,
  Revoked: 8,
}

export function mergedStatus(statuses: readonly string[]): string {
  const all = statuses.reduce((sum, status) => sum | (DEMANDS[status] ?? 16), 0)
  if (all & 16) return "unknown"
  if (all & 8) return "Revoked"
  const kept = all & 4 ? all & 6 : all
  return Object.keys(DEMANDS).find((status) => DEMANDS[status] === kept) ?? "unknown"
}

type Json = Readonly<Record<string, unknown>>
const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {})
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : [])
const lower = (value: unknown): string => (typeof value === "string" ? value.toLowerCase() : "?")

/** ISO 8601 in UTC with whole seconds, else NaN. */
const dateOf = (value: unknown): number => {
  const text = typeof value === "string" ? value : ""
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)
    ? calendarTime(text.replace(/[-T:Z]/g, ""))
    : Number.NaN
}

/** One matched level: `supersededAt` is the date of the first better level that is younger. */
export type Outcome = {
  readonly status: string
  readonly advisories: readonly string[]
  readonly tcbDate: number
  readonly supersededAt: number | null
}
export type Facts = {
  readonly faults: readonly AttestationErrorCode[]
  readonly outcomes: readonly Outcome[]
  readonly nextUpdate: number
  readonly evaluation: number
}

function outcomeOf(levels: readonly Json[], fits: (level: Json) => boolean): Outcome | undefined {
  const level = levels.find(fits)
  if (level === undefined) return undefined
  const tcbDate = dateOf(level["tcbDate"])
  const younger = levels
    .slice(0, levels.indexOf(level))
    .map((better) => dateOf(better["tcbDate"]))
    .filter((date) => date > tcbDate)
  return {
    status: String(level["tcbStatus"]),
    advisories: level["advisoryIDs"] === undefined ? [] : (level["advisoryIDs"] as string[]),
    tcbDate,
    supersededAt: younger.length === 0 ? null : Math.min(...younger),
  }
}

function parsed(text: string): Json | null {
  try {
    return object(JSON.parse(text))
  } catch {
    return null
  }
}

const bytesOf = (hex: string): readonly number[] => [...Buffer.from(hex, "hex")]
const matches = (value: string, mask: unknown, want: unknown): boolean => {
  const [masks, wanted] = [bytesOf(lower(mask)), bytesOf(lower(want))]
  return bytesOf(value).every((byte, index) => (byte & (masks[index] ?? 0)) === wanted[index])
}

const dated = (document: Json, time: number, floor: number) => {
  const [issued, next] = [dateOf(document["issueDate"]), dateOf(document["nextUpdate"])]
  const evaluation = Number(document["tcbEvaluationDataNumber"])
  const readable = !Number.isNaN(issued) && !Number.isNaN(next)
  const faultsOf = (prefix: "TCB_INFO" | "QE_IDENTITY"): AttestationErrorCode[] => [
    ...(time < issued ? [`${prefix}_NOT_YET_VALID` as const] : []),
    ...(time > next ? [`${prefix}_EXPIRED` as const] : []),
    ...(evaluation < floor ? [`${prefix}_BELOW_FLOOR` as const] : []),
  ]
  return { readable, next, evaluation, faultsOf, issued }
}

const isvLevel = (levels: readonly Json[], svn: number): Outcome | undefined =>
  outcomeOf(levels, (level) => svn >= Number(object(level["tcb"])["isvsvn"]))

/** The only identity that a TDX module may have: Intel's own, without attributes. */
const intelModule = (identity: Json): boolean =>
  identity["mrsigner"] === "0".repeat(96) &&
  identity["attributes"] === "0".repeat(16) &&
  identity["attributesMask"] === "F".repeat(16)

export type PlatformSvns = {
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
  readonly fmspc: string
  readonly pceId: string
  readonly teeTcbSvn: readonly number[]
}

/** Level of the platform and of the TDX module. */
export function judgeTcbInfo(text: string, svns: PlatformSvns, time: number, floor: number): Facts | null {
  const info = parsed(text)
  if (info === null || info["id"] !== "TDX" || info["version"] !== 3 || info["tcbType"] !== 0) return null
  const { readable, next, evaluation, faultsOf, issued } = dated(info, time, floor)
  if (!readable) return null
  const faults = faultsOf("TCB_INFO")
  const modules = objects(info["tdxModuleIdentities"])
  const inForm = [object(info["tdxModule"]), ...modules].every(intelModule)
  if (!inForm || modules.length === 0 || objects(info["tcbLevels"]).length === 0)
    faults.push("TCB_INFO_MALFORMED")
  if (lower(info["fmspc"]) !== svns.fmspc) faults.push("TCB_INFO_FMSPC")
  if (lower(info["pceId"]) !== svns.pceId) faults.push("TCB_INFO_PCE")
  const [isv = 0, version = 0] = svns.teeTcbSvn
  const reached = (have: readonly number[], list: unknown, from: number) =>
    objects(list).every((component, index) => index < from || (have[index] ?? 0) >= Number(component["svn"]))
  const platform = outcomeOf(objects(info["tcbLevels"]), (level) => {
    const tcb = object(level["tcb"])
    return (
      reached(svns.cpuSvn, tcb["sgxtcbcomponents"], 0) &&
      svns.pceSvn >= Number(tcb["pcesvn"]) &&
      reached(svns.teeTcbSvn, tcb["tdxtcbcomponents"], version > 0 ? 2 : 0)
    )
  })
  if (platform === undefined) faults.push("TCB_LEVEL")
  const name = `TDX_${version.toString(16).toUpperCase().padStart(2, "0")}`
  const own = modules.find((identity) => identity["id"] === name)
  const none = { status: "UpToDate", advisories: [], tcbDate: issued, supersededAt: null }
  const module = version === 0 ? none : isvLevel(objects(own?.["tcbLevels"]), isv)
  if (version !== 0 && own === undefined) faults.push("MODULE_UNKNOWN")
  if (module === undefined) faults.push("MODULE_TCB_LEVEL")
  const outcomes = [platform, module].filter((level) => level !== undefined)
  return { faults, outcomes, nextUpdate: next, evaluation }
}

export type EnclaveFacts = {
  /** Hex. */
  readonly miscSelect: string
  readonly attributes: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
}

/** Level of the quoting enclave. */
export function judgeQeIdentity(
  text: string,
  enclave: EnclaveFacts,
  time: number,
  floor: number,
): Facts | null {
  const identity = parsed(text)
  if (identity === null || identity["id"] !== "TD_QE" || identity["version"] !== 2) return null
  const { readable, next, evaluation, faultsOf } = dated(identity, time, floor)
  if (!readable) return null
  const faults = faultsOf("QE_IDENTITY")
  if (lower(identity["mrsigner"]) !== enclave.mrSigner) faults.push("QE_SIGNER")
  if (identity["isvprodid"] !== enclave.isvProdId) faults.push("QE_PRODUCT")
  if (!matches(enclave.miscSelect, identity["miscselectMask"], identity["miscselect"]))
    faults.push("QE_MISC_SELECT")
  if (!matches(enclave.attributes, identity["attributesMask"], identity["attributes"]))
    faults.push("QE_ATTRIBUTES")
  const level = isvLevel(objects(identity["tcbLevels"]), enclave.isvSvn)
  if (level === undefined) faults.push("QE_TCB_LEVEL")
  return { faults, outcomes: level === undefined ? [] : [level], nextUpdate: next, evaluation }
}
