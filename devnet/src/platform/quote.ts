/**
 * TDX quotes of a simulated machine, version 4 (TD 1.0 body) and 5 (TD 1.0 or 1.5 body), byte for byte in Intel's layout.
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
  /** Authentication data, bound together with the key; Intel's 32 bytes by default. */
  readonly authData?: Uint8Array
}

/** Numbers that announce lengths or types; true ones by default. */
export type QuoteLayout = {
  readonly bodyType?: number
  readonly bodyLength?: number
  readonly authLength?: number
  readonly certificationType?: number
  readonly certificationLength?: number
  readonly qeAuthLength?: number
  readonly chainType?: number
  readonly chainLength?: number
  /** Text of the certificate chain; PEM blocks and a NUL by default. */
  readonly chainText?: string
  /** Bytes after the certification data, inside the announced length. */
  readonly surplus?: Uint8Array
  /** Bytes after the quote. */
  readonly trailing?: Uint8Array
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
  /** Version 5 only: TD 1.5 by default. */
  readonly body?: "td10" | "td15"
  /** TD 1.5 only. */
  readonly mrServiceTd?: Hex
  readonly teeTcbSvn2?: Hex
  readonly qe?: QeKnobs
  readonly layout?: QuoteLayout
  /** DER certificates that the quote carries instead of the machine's. */
  readonly chain?: readonly Uint8Array[]
  /** Signs the quoting enclave's report instead of the PCK key. */
  readonly pckKey?: SigningKey
  /** Signs header and body and stands in the quote instead of the machine's attestation key. */
  readonly attestationKey?: SigningKey
  readonly header?: {
    readonly version?: number
    readonly attestationKeyType?: number
    readonly teeType?: number
    readonly qeVendorId?: Hex
    readonly qeSvn?: number
    readonly pceSvn?: number
    readonly userData?: Hex
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
    u16(header.qeSvn ?? 0),
    u16(header.pceSvn ?? 0),
    field(header.qeVendorId ?? QE_VENDOR, 16),
    field(header.userData, 20),
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
  const body =
    knobs.body === "td10"
      ? td10
      : concatBytes(td10, field(knobs.teeTcbSvn2 ?? teeTcbSvn, 16), field(knobs.mrServiceTd, 48))
  const { bodyType, bodyLength } = knobs.layout ?? {}
  return concatBytes(u16(bodyType ?? (knobs.body === "td10" ? 2 : 3)), u32(bodyLength ?? body.length), body)
}

/** The 64 bytes by which a quoting enclave's report vouches for an attestation key. */
export const bindingOf = (key: SigningKey, authData: Uint8Array = QE_AUTH): Uint8Array =>
  field(sha256(concatBytes(key.publicKey, authData)), 64)

function encodeQeReport(source: QuoteSource, knobs: QeKnobs): Uint8Array {
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
    field(knobs.reportData ?? bindingOf(source.attestationKey, knobs.authData), 64),
  )
}

/** A complete quote with its certificate chain. */
export function makeQuote(machine: QuoteSource, knobs: QuoteKnobs = {}): Uint8Array {
  const source = { ...machine, attestationKey: knobs.attestationKey ?? machine.attestationKey }
  const layout = knobs.layout ?? {}
  const signedPart = concatBytes(encodeHeader(knobs), encodeBody(knobs, knobs.teeTcbSvn ?? source.teeTcbSvn))
  const qeReport = encodeQeReport(source, knobs.qe ?? {})
  const qeAuth = knobs.qe?.authData ?? QE_AUTH
  const pem = (knobs.chain ?? source.chain).map(toPem).join("")
  const chain = utf8ToBytes(layout.chainText ?? `${pem}\0`)
  const certification = concatBytes(
    qeReport,
    (knobs.pckKey ?? source.pckKey).sign(qeReport),
    u16(layout.qeAuthLength ?? qeAuth.length),
    qeAuth,
    u16(layout.chainType ?? 5),
    u32(layout.chainLength ?? chain.length),
    chain,
  )
  const auth = concatBytes(
    source.attestationKey.sign(signedPart),
    source.attestationKey.publicKey,
    u16(layout.certificationType ?? 6),
    u32(layout.certificationLength ?? certification.length),
    certification,
    layout.surplus ?? zeros(0),
  )
  return concatBytes(signedPart, u32(layout.authLength ?? auth.length), auth, layout.trailing ?? zeros(0))
}
