/**
 * From SVNs to a TCB status: the platform's level, the TDX module's identity and level, and the quoting enclave's
 * (Intel PCS API v4, "enumeration of TCB levels"; docs/attestation.md §3, 6 and 8).
 */
import { fromHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import type { Level, QeIdentity, TcbInfo } from "./collateral.ts"
import { attestationError } from "./errors.ts"
import type { QeReport, TdReport } from "./quote.ts"
import type { SgxExtension } from "./sgxExtension.ts"

/** The level that a part reaches. */
export type MatchedLevel = Level & {
  /** Unix seconds: since when Intel has had a better level; null where there is none. */
  readonly supersededAt: number | null
}

/** `value & mask === want`, byte by byte over equal lengths. */
function matches(value: Hex, mask: Hex, want: Hex): boolean {
  const [masks, wanted] = [fromHex(mask), fromHex(want)]
  return fromHex(value).every((byte, index) => (byte & (masks[index] ?? 0)) === wanted[index])
}

const reaches = (have: readonly number[], want: readonly number[]) =>
  want.every((svn, index) => (have[index] ?? 0) >= svn)

/**
 * The first level that fits; Intel lists best first. It was superseded when the first of the better levels with a
 * later date came out.
 */
function firstOf<T extends Level>(levels: readonly T[], fits: (level: T) => boolean): MatchedLevel | null {
  const index = levels.findIndex(fits)
  const level = levels[index]
  if (!level) return null
  const { status, advisories, tcbDate } = level
  const later = levels
    .slice(0, index)
    .map((better) => better.tcbDate)
    .filter((date) => date > tcbDate)
  return { status, advisories, tcbDate, supersededAt: later.length > 0 ? Math.min(...later) : null }
}

/**
 * The first level that certificate and report reach. The first two TDX components describe the module; where its
 * major version is not 0 the module identity judges them instead.
 * @throws TCB_LEVEL below every level.
 */
export function platformLevel(info: TcbInfo, sgx: SgxExtension, report: TdReport): MatchedLevel {
  const skip = (report.teeTcbSvn[1] ?? 0) > 0 ? 2 : 0
  const level = firstOf(
    info.levels,
    (candidate) =>
      reaches(sgx.cpuSvn, candidate.sgx) &&
      sgx.pceSvn >= candidate.pceSvn &&
      reaches(report.teeTcbSvn.slice(skip), candidate.tdx.slice(skip)),
  )
  if (!level)
    throw attestationError(
      "TCB_LEVEL",
      `no TCB level fits SVNs ${sgx.cpuSvn.join(".")}, PCE ${sgx.pceSvn}, TDX ${report.teeTcbSvn.join(".")}`,
    )
  return level
}

/**
 * Level of the TDX module that made the report. Modules of major version 0 have no levels of their own: the
 * platform's level judges them.
 * @throws MODULE_UNKNOWN, MODULE_TCB_LEVEL
 */
export function moduleLevel(info: TcbInfo, report: TdReport): MatchedLevel {
  const [isvSvn = 0, version = 0] = report.teeTcbSvn
  if (version === 0) return { status: "UpToDate", advisories: [], tcbDate: info.issuedAt, supersededAt: null }
  const levels = info.modules.get(version)
  if (!levels) throw attestationError("MODULE_UNKNOWN", `TDX module version ${version} has no identity`)
  const level = firstOf(levels, (candidate) => isvSvn >= candidate.isvSvn)
  if (!level)
    throw attestationError(
      "MODULE_TCB_LEVEL",
      `TDX module ${version} with SVN ${isvSvn} is below every level`,
    )
  return level
}

/**
 * True where the machine was updated under the running domain: the module that loaded it is out of date, the one that
 * runs now (`teeTcbSvn2`, TD 1.5) is not, so starting the domain again makes it current. Intel's library then says
 * "TD relaunch advised"; until then the status stays out of date.
 */
export function isRelaunchAdvised(
  info: TcbInfo,
  sgx: SgxExtension,
  report: TdReport,
  levels: { readonly module: Level; readonly quotingEnclave: Level },
): boolean {
  const [isvSvn = 0, version = 0, microcode = 0] = report.teeTcbSvn2 ?? []
  const machine = info.levels.find((level) => reaches(sgx.cpuSvn, level.sgx) && sgx.pceSvn >= level.pceSvn)
  const latest = info.levels[0]?.tdx ?? []
  const wanted = version === 0 ? latest[0] : info.modules.get(version)?.[0]?.isvSvn
  return (
    report.teeTcbSvn2 !== null &&
    levels.module.status === "OutOfDate" &&
    levels.quotingEnclave.status === "UpToDate" &&
    machine !== undefined &&
    !["OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"].includes(machine.status) &&
    wanted !== undefined &&
    isvSvn >= wanted &&
    microcode >= (latest[2] ?? 0)
  )
}

/** Level of the quoting enclave. @throws QE_SIGNER, QE_PRODUCT, QE_MISC_SELECT, QE_ATTRIBUTES, QE_TCB_LEVEL */
export function quotingEnclaveLevel(identity: QeIdentity, report: QeReport): MatchedLevel {
  if (report.mrSigner !== identity.mrSigner)
    throw attestationError("QE_SIGNER", `quoting enclave signer ${report.mrSigner} is not Intel's`)
  if (report.isvProdId !== identity.isvProdId)
    throw attestationError(
      "QE_PRODUCT",
      `quoting enclave product must be ${identity.isvProdId}, got ${report.isvProdId}`,
    )
  if (!matches(report.miscSelect, identity.miscSelectMask, identity.miscSelect))
    throw attestationError("QE_MISC_SELECT", `quoting enclave miscselect ${report.miscSelect} is not allowed`)
  if (!matches(report.attributes, identity.attributesMask, identity.attributes))
    throw attestationError("QE_ATTRIBUTES", `quoting enclave attributes ${report.attributes} are not allowed`)
  const level = firstOf(identity.levels, (candidate) => report.isvSvn >= candidate.isvSvn)
  if (!level)
    throw attestationError("QE_TCB_LEVEL", `quoting enclave with SVN ${report.isvSvn} is below every level`)
  return level
}
