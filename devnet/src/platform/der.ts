/** DER encoders for the subset of X.690 that Intel's certificates and CRLs use. Public data only. */
import { concatBytes, utf8ToBytes } from "@twinlock/sdk/protocol/codec"

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  if (length < 0x100) return Uint8Array.of(0x81, length)
  if (length < 0x10000) return Uint8Array.of(0x82, length >> 8, length & 0xff)
  if (length < 0x1000000) return Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
  throw new RangeError(`a DER value of ${length} bytes is longer than this encoder writes`)
}

/** Tag, length and the concatenated parts. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts)
  return concatBytes(Uint8Array.of(tag), encodeLength(content.length), content)
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x31, ...parts)
export const octetString = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes)
export const boolean = (value: boolean): Uint8Array => tlv(0x01, Uint8Array.of(value ? 0xff : 0))
export const enumerated = (value: number): Uint8Array => tlv(0x0a, Uint8Array.of(value))
export const utf8String = (text: string): Uint8Array => tlv(0x0c, utf8ToBytes(text))
export const printableString = (text: string): Uint8Array => tlv(0x13, utf8ToBytes(text))
/** A bit string of whole bytes. */
export const bitString = (bytes: Uint8Array): Uint8Array => tlv(0x03, Uint8Array.of(0), bytes)
/** Context-specific, constructed. */
export const context = (number: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  tlv(0xa0 | number, ...parts)

/** Non-negative INTEGER from big-endian bytes: shortest form, a zero byte in front of a set top bit. */
export function integer(value: number | Uint8Array): Uint8Array {
  let bytes = typeof value === "number" ? bigEndian(value) : value
  while (bytes.length > 1 && bytes[0] === 0) bytes = bytes.subarray(1)
  return (bytes[0] ?? 0) & 0x80 ? tlv(0x02, Uint8Array.of(0), bytes) : tlv(0x02, bytes)
}

function bigEndian(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Uint8Array.from(bytes.length === 0 ? [0] : bytes)
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128))
      digits.unshift(0x80 | (high & 0x7f))
    bytes.push(...digits)
  }
  return tlv(0x06, Uint8Array.from(bytes))
}

/** UTCTime until 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). @param time unix seconds */
export function time(time: number): Uint8Array {
  const date = new Date(time * 1000)
  const digits = `${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050
    ? tlv(0x17, utf8ToBytes(digits.slice(2)))
    : tlv(0x18, utf8ToBytes(digits))
}
