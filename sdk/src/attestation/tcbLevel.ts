/**
 * From SVNs to a TCB status: the platform's level, the TDX module's identity and level, and the quoting enclave's
 * (Intel PCS API v4, "enumeration of TCB levels"; attestation.md §3.5 items 6 and 8).
 */
import { fromHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import type { IsvLevel, Level, ModuleIdentity, QeIdentity, TcbInfo, TcbLevel } from "./collateral.ts"
import { attestationError } from "./errors.ts"
import type { QeReport, TdReport } from "./quote.ts"
import type { SgxExtension } from "./sgxExtension.ts"

const UP_TO_DATE: Level = { status: "UpToDate", advisories: [] }

/** `value & mask === want`, byte by byte over equal lengths. */
function matches(value: Hex, mask: Hex, want: Hex): boolean {
  const [masks, wanted] = [fromHex(mask), fromHex(want)]
  return fromHex(value).every((byte, index) => (byte & (masks[index] ?? 0)) === wanted[index])
}

const reaches = (have: readonly number[], want: readonly number[]) =>
  want.every((svn, index) => (have[index] ?? 0) >= svn)

/** The highest level whose ISV SVN is reached; Intel lists best first. */
const isvLevelOf = (levels: readonly IsvLevel[], isvSvn: number): IsvLevel | undefined =>
  levels.find((level) => isvSvn >= level.isvSvn)

/**
 * The first level that certificate and report reach. The first two TDX components describe the module; where its
 * major version is not 0 the module identity judges them instead.
 * @throws TCB_LEVEL below every level.
 */
export function platformLevel(info: TcbInfo, sgx: SgxExtension, report: TdReport): TcbLevel {
  const skip = (report.teeTcbSvn[1] ?? 0) > 0 ? 2 : 0
  const level = info.levels.find(
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

function checkModule(identity: ModuleIdentity, report: TdReport): void {
  if (report.mrSignerSeam !== identity.mrSigner)
    throw attestationError("MODULE_SIGNER", `TDX module signer ${report.mrSignerSeam} is not Intel`)
  if (!matches(report.seamAttributes, identity.attributesMask, identity.attributes))
    throw attestationError(
      "MODULE_IDENTITY",
      `TDX module attributes ${report.seamAttributes} are not those of its identity`,
    )
}

/**
 * Level of the TDX module that made the report. Modules of major version 0 have no levels of their own.
 * @throws MODULE_SIGNER, MODULE_IDENTITY, MODULE_TCB_LEVEL
 */
export function moduleLevel(info: TcbInfo, report: TdReport): Level {
  const [isvSvn = 0, version = 0] = report.teeTcbSvn
  if (version === 0) {
    checkModule(info.module, report)
    return UP_TO_DATE
  }
  const identity = info.modules.get(version)
  if (!identity) throw attestationError("MODULE_IDENTITY", `TDX module version ${version} has no identity`)
  checkModule(identity, report)
  const level = isvLevelOf(identity.levels, isvSvn)
  if (!level)
    throw attestationError(
      "MODULE_TCB_LEVEL",
      `TDX module ${version} with SVN ${isvSvn} is below every level`,
    )
  return level
}

/** Level of the quoting enclave. @throws QE_IDENTITY_MISMATCH, QE_TCB_LEVEL */
export function quotingEnclaveLevel(identity: QeIdentity, report: QeReport): Level {
  if (report.mrSigner !== identity.mrSigner)
    throw attestationError("QE_IDENTITY_MISMATCH", `quoting enclave signer ${report.mrSigner} is not Intel's`)
  if (report.isvProdId !== identity.isvProdId)
    throw attestationError(
      "QE_IDENTITY_MISMATCH",
      `quoting enclave product must be ${identity.isvProdId}, got ${report.isvProdId}`,
    )
  if (!matches(report.miscSelect, identity.miscSelectMask, identity.miscSelect))
    throw attestationError(
      "QE_IDENTITY_MISMATCH",
      `quoting enclave miscselect ${report.miscSelect} is not allowed`,
    )
  if (!matches(report.attributes, identity.attributesMask, identity.attributes))
    throw attestationError(
      "QE_IDENTITY_MISMATCH",
      `quoting enclave attributes ${report.attributes} are not allowed`,
    )
  const level = isvLevelOf(identity.levels, report.isvSvn)
  if (!level)
    throw attestationError("QE_TCB_LEVEL", `quoting enclave with SVN ${report.isvSvn} is below every level`)
  return level
}
