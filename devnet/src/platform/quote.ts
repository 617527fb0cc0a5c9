/**
 * TDX quotes of a simulated machine, version 4 (TD 1.0 body) and 5 (TD 1.5 body), byte for byte in Intel's layout.
 * Every field that a verifier judges is a knob; signatures are always made last, so a knob yields a well-signed
 * quote that breaks exactly one rule.
 */
import { sha256, sha384 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import type { SigningKey } from "./keys.ts"
import { toPem } from "./pki.ts"

/** 48-byte registers of a trust domain; absent ones are zero. */
export type Measurements = {
  readonly mrTd?: Hex
  readonly rtMr0?: Hex
  readonly rtMr1?: Hex
  readonly rtMr2?: Hex
  readonly rtMr3?: Hex
  readonly mrConfigId?: Hex
  readonly mrOwner?: Hex
  readonly mrOwnerConfig?: Hex
}

/** Fields of the quoting enclave's report that a verifier judges. */
export type QeKnobs = {
  readonly miscSelect?: Hex
  readonly attributes?: Hex
  readonly mrSigner?: Hex
  readonly isvProdId?: number
  readonly isvSvn?: number
  /** Replaces the 64 bytes that bind the attestation key. */
  readonly reportData?: Hex
}

export type QuoteKnobs = {
  readonly measurements?: Measurements
  /** 64 bytes; shorter values are padded with zeros on the right. */
  readonly reportData?: Uint8Array
  readonly version?: 4 | 5
  readonly tdAttributes?: Hex
  readonly xfam?: Hex
  readonly teeTcbSvn?: Hex
  readonly mrSeam?: Hex
  readonly mrSignerSeam?: Hex
  readonly seamAttributes?: Hex
  /** Version 5 only. */
  readonly mrServiceTd?: Hex
  readonly qe?: QeKnobs
  readonly header?: {
    readonly version?: number
    readonly attestationKeyType?: number
    readonly teeType?: number
    readonly qeVendorId?: Hex
  }
}

/** What signs: the machine's keys and the certificates that its quote carries. */
export type QuoteSource = {
  readonly pckKey: SigningKey
  readonly attestationKey: SigningKey
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly cpuSvn: Hex
  readonly teeTcbSvn: Hex
}

const QE_VENDOR: Hex = "0x939a7233f79c4ca9940a0db3957f0607"
const TD_QE_SIGNER: Hex = "0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"
const QE_AUTH = Uint8Array.from({ length: 32 }, (_, index) => index)

const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number) =>
  Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24)
const zeros = (length: number) => new Uint8Array(length)

/** Bytes of a fixed-width field, zero-padded on the right. */
function field(value: Hex | Uint8Array | undefined, length: number): Uint8Array {
  const bytes = value === undefined ? zeros(0) : typeof value === "string" ? fromHex(value) : value
  if (bytes.length > length) throw new RangeError(`a field of ${length} bytes cannot hold ${bytes.length}`)
  const out = zeros(length)
  out.set(bytes)
  return out
}

function encodeHeader(knobs: QuoteKnobs): Uint8Array {
  const header = knobs.header ?? {}
  return concatBytes(
    u16(header.version ?? knobs.version ?? 4),
    u16(header.attestationKeyType ?? 2),
    u32(header.teeType ?? 0x81),
    u16(0),
    u16(0),
    field(header.qeVendorId ?? QE_VENDOR, 16),
    zeros(20),
  )
}

function encodeBody(knobs: QuoteKnobs, teeTcbSvn: Hex): Uint8Array {
  const measured = knobs.measurements ?? {}
  const td10 = concatBytes(
    field(teeTcbSvn, 16),
    field(knobs.mrSeam ?? sha384(utf8ToBytes("simulated TDX module")), 48),
    field(knobs.mrSignerSeam, 48),
    field(knobs.seamAttributes, 8),
    field(knobs.tdAttributes ?? "0x0000001000000000", 8),
    field(knobs.xfam ?? "0xe702060000000000", 8),
    field(measured.mrTd, 48),
    field(measured.mrConfigId, 48),
    field(measured.mrOwner, 48),
    field(measured.mrOwnerConfig, 48),
    field(measured.rtMr0, 48),
    field(measured.rtMr1, 48),
    field(measured.rtMr2, 48),
    field(measured.rtMr3, 48),
    field(knobs.reportData, 64),
  )
  if (knobs.version !== 5) return td10
  return concatBytes(u16(3), u32(648), td10, field(teeTcbSvn, 16), field(knobs.mrServiceTd, 48))
}

function encodeQeReport(source: QuoteSource, knobs: QeKnobs): Uint8Array {
  const binding = sha256(concatBytes(source.attestationKey.publicKey, QE_AUTH))
  return concatBytes(
    field(source.cpuSvn, 16),
    field(knobs.miscSelect, 4),
    zeros(28),
    field(knobs.attributes ?? "0x1500000000000000e700000000000000", 16),
    sha256(utf8ToBytes("simulated TD quoting enclave")),
    zeros(32),
    field(knobs.mrSigner ?? TD_QE_SIGNER, 32),
    zeros(96),
    u16(knobs.isvProdId ?? 2),
    u16(knobs.isvSvn ?? 4),
    zeros(60),
    field(knobs.reportData ?? binding, 64),
  )
}

/** A complete quote with its certificate chain. */
export function makeQuote(source: QuoteSource, knobs: QuoteKnobs = {}): Uint8Array {
  const signedPart = concatBytes(encodeHeader(knobs), encodeBody(knobs, knobs.teeTcbSvn ?? source.teeTcbSvn))
  const qeReport = encodeQeReport(source, knobs.qe ?? {})
  const chain = utf8ToBytes(`${source.chain.map(toPem).join("")}\0`)
  const certification = concatBytes(
    qeReport,
    source.pckKey.sign(qeReport),
    u16(QE_AUTH.length),
    QE_AUTH,
    u16(5),
    u32(chain.length),
    chain,
  )
  const auth = concatBytes(
    source.attestationKey.sign(signedPart),
    source.attestationKey.publicKey,
    u16(6),
    u32(certification.length),
    certification,
  )
  return concatBytes(signedPart, u32(auth.length), auth)
}
