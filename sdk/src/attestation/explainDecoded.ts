/**
 * The fields of a quote and its collateral in readable form. Decoding says nothing about truth: what the checks of the
 * same report did not pass is only what somebody wrote there.
 */
import { fromHex, Reader } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import type { Level } from "./collateral.ts"
import type { ExplainedCollateral } from "./explainCollateral.ts"
import { isoDate } from "./explainFormat.ts"
import type { ExplainedLevels } from "./explainPlatform.ts"
import type { ExplainedChain } from "./explainQuote.ts"
import { imageIdOf } from "./policy.ts"
import type { Quote, TdReport } from "./quote.ts"
import type { TcbStatus } from "./tcbStatus.ts"

export type NamedBit = { readonly bit: number; readonly name: string; readonly set: boolean }

export type ConfigIdKind =
  | "none"
  | "compose-hash (version 1)"
  | "compose and key provider (version 2)"
  | "document (version 3)"
  | "unknown"

export type DecodedQuote = {
  readonly version: 4 | 5
  readonly body: "TD 1.0" | "TD 1.5"
  readonly qeSvn: number
  readonly pceSvn: number
  readonly userData: Hex
  readonly teeTcbSvn: readonly number[]
  readonly module: { readonly version: number; readonly svn: number }
  readonly mrSeam: Hex
  readonly mrSignerSeam: Hex
  readonly seamAttributes: Hex
  readonly tdAttributes: { readonly raw: Hex; readonly bits: readonly NamedBit[] }
  readonly xfam: { readonly raw: Hex; readonly bits: readonly NamedBit[] }
  readonly mrTd: Hex
  readonly rtMr0: Hex
  readonly rtMr1: Hex
  readonly rtMr2: Hex
  readonly rtMr3: Hex
  /** keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2): how allow-lists name an image. */
  readonly imageId: Digest
  readonly mrConfigId: { readonly raw: Hex; readonly kind: ConfigIdKind; readonly hash: Hex | null }
  readonly mrOwner: Hex
  readonly mrOwnerConfig: Hex
  readonly mrServiceTd: Hex | null
  readonly reportData: Hex
  readonly quotingEnclave: {
    readonly mrSigner: Hex
    readonly mrEnclave: Hex
    readonly isvProdId: number
    readonly isvSvn: number
    readonly attributes: Hex
    readonly miscSelect: Hex
  }
}

export type DecodedPlatform = {
  readonly fmspc: Hex
  readonly pceId: Hex
  readonly ppid: Hex
  readonly piid: Hex | null
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
  readonly pckSerial: Hex
  readonly pckAuthority: string
}

/** One of Intel's TCB levels. */
export type DecodedLevel = {
  readonly status: TcbStatus
  /** ISO 8601: what was disclosed up to this date was taken into account. */
  readonly tcbDate: string
  readonly advisories: readonly string[]
}

export type DecodedCollateral = {
  /** Status of each part, before they are merged. */
  readonly levels: {
    readonly platform: DecodedLevel | null
    readonly module: DecodedLevel | null
    readonly quotingEnclave: DecodedLevel | null
  }
  readonly evaluationNumber: number | null
  readonly qeEvaluationNumber: number | null
  /** ISO 8601 by name of what runs out. */
  readonly expiries: Readonly<Record<string, string>>
}

/** Intel TDX Module Base Architecture Specification, "ATTRIBUTES". */
const TD_ATTRIBUTES: Readonly<Record<number, string>> = {
  0: "DEBUG",
  4: "HGS_PLUS_PROF",
  5: "PERF_PROF",
  6: "PMT_PROF",
  27: "LASS",
  28: "SEPT_VE_DISABLE",
  29: "MIGRATABLE",
  30: "PKS",
  31: "KL",
  62: "TPA",
  63: "PERFMON",
}

/** Bits of XCR0 and IA32_XSS. */
const XFAM: Readonly<Record<number, string>> = {
  0: "X87",
  1: "SSE",
  2: "AVX",
  5: "AVX512_OPMASK",
  6: "AVX512_ZMM_HI256",
  7: "AVX512_HI16_ZMM",
  8: "PT",
  9: "PKRU",
  10: "PASID",
  11: "CET_U",
  12: "CET_S",
  13: "HDC",
  14: "UINTR",
  15: "LBR",
  16: "HWP",
  17: "AMX_TILECFG",
  18: "AMX_TILEDATA",
  19: "APX",
}

/** All named bits, and unnamed ones that are set. @param value 8 bytes, little-endian. */
export function namedBits(value: Hex, names: Readonly<Record<number, string>>): readonly NamedBit[] {
  return [...fromHex(value)].flatMap((byte, index) =>
    Array.from({ length: 8 }, (_, position) => {
      const bit = index * 8 + position
      return { bit, name: names[bit] ?? "reserved", set: (byte & (1 << position)) !== 0 }
    }).filter(({ bit, set }) => set || names[bit] !== undefined),
  )
}

function configIdOf(raw: Hex): DecodedQuote["mrConfigId"] {
  if (/^0x0*$/.test(raw)) return { raw, kind: "none", hash: null }
  const kinds: Readonly<Record<string, ConfigIdKind>> = {
    "01": "compose-hash (version 1)",
    "02": "compose and key provider (version 2)",
    "03": "document (version 3)",
  }
  const kind = kinds[raw.slice(2, 4)]
  return kind === undefined
    ? { raw, kind: "unknown", hash: null }
    : { raw, kind, hash: `0x${raw.slice(4, 68)}` }
}

const registers = ({ mrTd, rtMr0, rtMr1, rtMr2, rtMr3 }: TdReport) => ({ mrTd, rtMr0, rtMr1, rtMr2, rtMr3 })

export function decodeQuote({ version, report, signedBytes, qeReport }: Quote): DecodedQuote {
  const header = new Reader(signedBytes.slice(8, 48))
  const little = (bytes: Uint8Array) => bytes.reduceRight((value, byte) => value * 256 + byte, 0)
  const [qeSvn, pceSvn] = [little(header.take(2)), little(header.take(2))]
  header.take(16)
  const userData = header.hex(20)
  const [svn = 0, moduleVersion = 0] = report.teeTcbSvn
  const { mrSeam, mrSignerSeam, seamAttributes, mrOwner, mrOwnerConfig, reportData, teeTcbSvn } = report
  const { mrSigner, isvProdId, isvSvn, attributes, miscSelect, bytes } = qeReport
  return {
    ...{ version, body: report.kind === "td10" ? "TD 1.0" : "TD 1.5", qeSvn, pceSvn, userData, teeTcbSvn },
    module: { version: moduleVersion, svn },
    ...{ mrSeam, mrSignerSeam, seamAttributes },
    tdAttributes: { raw: report.tdAttributes, bits: namedBits(report.tdAttributes, TD_ATTRIBUTES) },
    xfam: { raw: report.xfam, bits: namedBits(report.xfam, XFAM) },
    ...registers(report),
    imageId: imageIdOf(report),
    mrConfigId: configIdOf(report.mrConfigId),
    ...{
      mrOwner,
      mrOwnerConfig,
      mrServiceTd: report.kind === "td10" ? null : report.mrServiceTd,
      reportData,
    },
    quotingEnclave: {
      ...{ mrSigner, isvProdId, isvSvn, attributes, miscSelect },
      mrEnclave: new Reader(bytes.slice(64, 96)).hex(32),
    },
  }
}

/** Of a certificate whose chain is good. */
export function decodePlatform({ leaf, issuers }: ExplainedChain): DecodedPlatform | null {
  if (leaf === null) return null
  const { fmspc, pceId, ppid, piid, cpuSvn, pceSvn } = leaf.sgx
  const pckAuthority = issuers?.authority.commonName ?? ""
  return { fmspc, pceId, ppid, piid, cpuSvn, pceSvn, pckSerial: leaf.serial, pckAuthority }
}

const decodeLevel = (level: Level | null): DecodedLevel | null =>
  level === null
    ? null
    : { status: level.status, tcbDate: isoDate(level.tcbDate), advisories: level.advisories }

export function decodeCollateral(
  { leaf }: ExplainedChain,
  collateral: ExplainedCollateral,
  levels: ExplainedLevels,
): DecodedCollateral {
  const { issuers, rootCrl, pckCrl, tcbSigner, qeSigner, tcbInfo, qeIdentity } = collateral
  const ends: readonly (readonly [string, number | undefined])[] = [
    ["TCB info", tcbInfo?.nextUpdate],
    ["QE identity", qeIdentity?.nextUpdate],
    ["PCK CRL", pckCrl?.nextUpdate],
    ["root CRL", rootCrl?.nextUpdate],
    ["PCK certificate", leaf?.notAfter],
    ["PCK authority", issuers?.authority.notAfter],
    ["TCB info signer", tcbSigner?.signer.notAfter],
    ["QE identity signer", qeSigner?.signer.notAfter],
    ["root", issuers?.root.notAfter],
  ]
  return {
    levels: {
      platform: decodeLevel(levels.platform),
      module: decodeLevel(levels.module),
      quotingEnclave: decodeLevel(levels.quotingEnclave),
    },
    evaluationNumber: tcbInfo?.evaluationNumber ?? null,
    qeEvaluationNumber: qeIdentity?.evaluationNumber ?? null,
    expiries: Object.fromEntries(
      ends.flatMap(([name, end]) => (end === undefined ? [] : [[name, isoDate(end)] as const])),
    ),
  }
}
