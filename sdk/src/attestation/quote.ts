/**
 * TDX quotes, version 4 and 5 (Intel TDX DCAP Quoting Library API, appendix A). Parsing only: nothing is verified.
 * A quote has exactly one canonical length; zero bytes after it are the padding of guest agents and are cut off.
 */
import { Reader, toHex } from "../protocol/codec.ts"
import { isProtocolError } from "../protocol/errors.ts"
import type { Hex } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"
import { parsePemChain } from "./pem.ts"

/** The measured trust domain. Registers are 48 bytes. */
export type TdReport = {
  readonly kind: "td10" | "td15"
  /** 16 SVNs: [0] the TDX module's, [1] its major version. */
  readonly teeTcbSvn: readonly number[]
  /** The same of the module that runs now, after an update under the running domain; TD 1.5 only. */
  readonly teeTcbSvn2: readonly number[] | null
  readonly mrSeam: Hex
  readonly mrSignerSeam: Hex
  readonly seamAttributes: Hex
  readonly tdAttributes: Hex
  readonly xfam: Hex
  readonly mrTd: Hex
  readonly mrConfigId: Hex
  readonly mrOwner: Hex
  readonly mrOwnerConfig: Hex
  readonly rtMr0: Hex
  readonly rtMr1: Hex
  readonly rtMr2: Hex
  readonly rtMr3: Hex
  /** 64 bytes chosen inside the trust domain. */
  readonly reportData: Hex
  /** Measurement of a bound service domain; all zero where there is none. */
  readonly mrServiceTd: Hex
}

/** The report of the quoting enclave. */
export type QeReport = {
  /** 384 bytes as signed by the PCK key. */
  readonly bytes: Uint8Array
  readonly miscSelect: Hex
  readonly attributes: Hex
  readonly mrSigner: Hex
  readonly isvProdId: number
  readonly isvSvn: number
  readonly reportData: Hex
}

export type Quote = {
  readonly version: 4 | 5
  readonly report: TdReport
  /** Header and body: what the attestation key signs. */
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
  /** x ‖ y. */
  readonly attestationKey: Uint8Array
  readonly qeReport: QeReport
  readonly qeReportSignature: Uint8Array
  readonly qeAuthData: Uint8Array
  /** DER: PCK certificate, intermediate CA, root as the quote carries them. */
  readonly chain: readonly Uint8Array[]
}

const HEADER_LENGTH = 48
const TD10_LENGTH = 584
const TD15_LENGTH = 648
export const QE_VENDOR = "0x939a7233f79c4ca9940a0db3957f0607"
const ZERO_REGISTER = toHex(new Uint8Array(48))
/** Real quotes have about 5 KB. */
export const QUOTE_LIMIT: number = 16 * 1024

const u16 = (reader: Reader) => reader.take(2).reduceRight((value, byte) => value * 256 + byte, 0)
const u32 = (reader: Reader) => reader.take(4).reduceRight((value, byte) => value * 256 + byte, 0)

function parseHeader(reader: Reader): 4 | 5 {
  const version = u16(reader)
  if (version !== 4 && version !== 5)
    throw attestationError("QUOTE_VERSION", `quote version must be 4 or 5, got ${version}`)
  const keyType = u16(reader)
  if (keyType !== 2)
    throw attestationError("QUOTE_KEY_TYPE", `attestation key type must be 2 (ECDSA P-256), got ${keyType}`)
  const teeType = u32(reader)
  if (teeType !== 0x81)
    throw attestationError("QUOTE_TEE_TYPE", `tee type must be 0x81 (TDX), got 0x${teeType.toString(16)}`)
  reader.take(4) // SVNs of quoting enclave and PCE, informative: the QE report and the PCK certificate count
  const vendor = reader.hex(16)
  if (vendor !== QE_VENDOR)
    throw attestationError("QUOTE_VENDOR", `quoting enclave vendor ${vendor} is not Intel`)
  reader.take(20) // user data, not interpreted
  return version
}

/** Version 5 announces type and length of the body. */
function parseBodyKind(reader: Reader): TdReport["kind"] {
  const type = u16(reader)
  const length = u32(reader)
  if (type === 2 && length === TD10_LENGTH) return "td10"
  if (type === 3 && length === TD15_LENGTH) return "td15"
  throw attestationError("QUOTE_BODY_TYPE", `body type ${type} with ${length} bytes is not a TDX report`)
}

function parseReport(reader: Reader, kind: TdReport["kind"]): TdReport {
  const fields = {
    kind,
    teeTcbSvn: [...reader.take(16)],
    mrSeam: reader.hex(48),
    mrSignerSeam: reader.hex(48),
    seamAttributes: reader.hex(8),
    tdAttributes: reader.hex(8),
    xfam: reader.hex(8),
    mrTd: reader.hex(48),
    mrConfigId: reader.hex(48),
    mrOwner: reader.hex(48),
    mrOwnerConfig: reader.hex(48),
    rtMr0: reader.hex(48),
    rtMr1: reader.hex(48),
    rtMr2: reader.hex(48),
    rtMr3: reader.hex(48),
    reportData: reader.hex(64),
  }
  if (kind === "td10") return { ...fields, teeTcbSvn2: null, mrServiceTd: ZERO_REGISTER }
  return { ...fields, teeTcbSvn2: [...reader.take(16)], mrServiceTd: reader.hex(48) }
}

function parseQeReport(bytes: Uint8Array): QeReport {
  const reader = new Reader(bytes)
  reader.take(16)
  const miscSelect = reader.hex(4)
  reader.take(28)
  const attributes = reader.hex(16)
  reader.take(64) // MRENCLAVE and reserved bytes: the identity names the signer, not the build
  const mrSigner = reader.hex(32)
  reader.take(96)
  const [isvProdId, isvSvn] = [u16(reader), u16(reader)]
  reader.take(60)
  const reportData = reader.hex(64)
  reader.end()
  return { bytes, miscSelect, attributes, mrSigner, isvProdId, isvSvn, reportData }
}

/** Type, length and content of the last part of `reader`; the type must be `want`. */
function certified(reader: Reader, want: 5 | 6): Uint8Array {
  const type = u16(reader)
  if (type !== want)
    throw attestationError("QUOTE_CERTIFICATION_TYPE", `certification data type must be ${want}, got ${type}`)
  const content = reader.take(u32(reader))
  reader.end()
  return content
}

type SignedPart = Pick<Quote, "version" | "report" | "signedBytes">
type AuthPart = Pick<Quote, "signature" | "attestationKey" | "qeReport" | "qeReportSignature" | "qeAuthData">

/** Header and body at the start of `bytes`. */
function parseSignedPart(reader: Reader, bytes: Uint8Array): SignedPart {
  const version = parseHeader(reader)
  const kind = version === 4 ? "td10" : parseBodyKind(reader)
  const report = parseReport(reader, kind)
  const bodyLength = kind === "td10" ? TD10_LENGTH : TD15_LENGTH
  const length = HEADER_LENGTH + (version === 5 ? 6 : 0) + bodyLength
  return { version, report, signedBytes: bytes.slice(0, length) }
}

function parseWhole(bytes: Uint8Array): Quote {
  const reader = new Reader(bytes)
  const signedPart = parseSignedPart(reader, bytes)
  const authLength = u32(reader)
  const auth = new Reader(reader.take(authLength))
  const padding = bytes.subarray(signedPart.signedBytes.length + 4 + authLength)
  if (padding.some((byte) => byte !== 0))
    throw attestationError(
      "QUOTE_TRAILING",
      `${padding.length} bytes that are not padding stand after the quote`,
    )

  const signature = auth.take(64)
  const attestationKey = auth.take(64)
  const certification = new Reader(certified(auth, 6))
  const qeReport = parseQeReport(certification.take(384))
  const qeReportSignature = certification.take(64)
  const qeAuthData = certification.take(u16(certification))
  const chain = parsePemChain(String.fromCharCode(...certified(certification, 5)))
  return { ...signedPart, signature, attestationKey, qeReport, qeReportSignature, qeAuthData, chain }
}

function parseAuthPart(bytes: Uint8Array): AuthPart {
  const reader = new Reader(bytes)
  return {
    signature: reader.take(64),
    attestationKey: reader.take(64),
    qeReport: parseQeReport(reader.take(384)),
    qeReportSignature: reader.take(64),
    qeAuthData: reader.take(Math.max(bytes.length - 576, 0)),
  }
}

function sized<T>(bytes: Uint8Array, parse: () => T): T {
  if (bytes.length > QUOTE_LIMIT)
    throw attestationError("QUOTE_LENGTH", `a quote has at most ${QUOTE_LIMIT} bytes, got ${bytes.length}`)
  try {
    return parse()
  } catch (error) {
    if (!isProtocolError(error, "CODEC_SHORT", "CODEC_TRAILING")) throw error
    throw attestationError("QUOTE_LENGTH", `quote of ${bytes.length} bytes: ${error.detail.message}`, {
      cause: error,
    })
  }
}

/** @throws QUOTE_* where header or layout is wrong, PEM_MALFORMED where the certificates are. */
export const parseQuote = (bytes: Uint8Array): Quote => sized(bytes, () => parseWhole(bytes))

/**
 * A quote from the parts that contracts take (`evidence.ts`), exact in length.
 * @param chain DER, leaf first. @throws QUOTE_*
 */
export const parseQuoteParts = (
  signedBytes: Uint8Array,
  auth: Uint8Array,
  chain: readonly Uint8Array[],
): Quote =>
  sized(signedBytes, () => {
    const reader = new Reader(signedBytes)
    const signedPart = parseSignedPart(reader, signedBytes)
    reader.end()
    return { ...signedPart, ...sized(auth, () => parseAuthPart(auth)), chain }
  })
