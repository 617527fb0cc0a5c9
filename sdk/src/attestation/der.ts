/**
 * Strict DER reader for the subset of X.690 that Intel's certificates and CRLs use: low tag numbers, definite and
 * shortest lengths, nothing left over. Works on views of the given bytes. Public data only, not constant time.
 */
import { bytesToHex } from "@noble/hashes/utils.js"
import type { ProtocolError } from "../protocol/errors.ts"
import { attestationError } from "./errors.ts"

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const

const malformed = (message: string): ProtocolError => attestationError("DER_MALFORMED", message)

type Span = { readonly tag: number; readonly start: number; readonly end: number }

export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  #byte(offset: number): number {
    const byte = this.#bytes[offset]
    if (byte === undefined) throw malformed(`a value is cut off at byte ${offset}`)
    return byte
  }

  #span(): Span {
    const tag = this.#byte(this.#offset)
    if ((tag & 0x1f) === 0x1f) throw malformed(`tag 0x${tag.toString(16)} has more than one byte`)
    let length = this.#byte(this.#offset + 1)
    let start = this.#offset + 2
    if (length >= 0x80) {
      const size = length & 0x7f
      if (size === 0 || size > 3) throw malformed(`a length of ${size} bytes is not supported`)
      length = 0
      for (let index = 0; index < size; index++) length = length * 256 + this.#byte(start + index)
      start += size
      if (length < 0x80 || length < 256 ** (size - 1))
        throw malformed(`length ${length} is not in shortest form`)
    }
    const end = start + length
    if (end > this.#bytes.length)
      throw malformed(`want ${length} bytes at ${start}, have ${this.#bytes.length - start}`)
    return { tag, start, end }
  }

  #expect(tag: number): Span {
    const span = this.#span()
    if (span.tag !== tag)
      throw malformed(
        `want tag 0x${tag.toString(16)} at byte ${this.#offset}, got 0x${span.tag.toString(16)}`,
      )
    return span
  }

  /** The next tag, or null at the end. */
  peek(): number | null {
    return this.#bytes[this.#offset] ?? null
  }

  /** Content of the next value. @throws DER_MALFORMED unless it has that tag. */
  content(tag: number): Uint8Array {
    const span = this.#expect(tag)
    this.#offset = span.end
    return this.#bytes.subarray(span.start, span.end)
  }

  /** The next value with its tag and length. */
  whole(tag: number): Uint8Array {
    const from = this.#offset
    const span = this.#expect(tag)
    this.#offset = span.end
    return this.#bytes.subarray(from, span.end)
  }

  /** A reader over the content of the next value. */
  inside(tag: number): DerReader {
    return new DerReader(this.content(tag))
  }

  /** OBJECT IDENTIFIER as the hex of its content. */
  objectIdentifier(): string {
    return bytesToHex(this.content(TAG.objectIdentifier))
  }

  /** Non-negative INTEGER as shortest big-endian bytes (one zero byte for zero). */
  unsigned(): Uint8Array {
    const content = this.content(TAG.integer)
    const [first, second] = content
    if (first === undefined) throw malformed("an integer has no bytes")
    if (first & 0x80) throw malformed("an integer is negative")
    if (first !== 0 || second === undefined) return content
    if (!(second & 0x80)) throw malformed("an integer is not in shortest form")
    return content.subarray(1)
  }

  /** INTEGER of at most six bytes. */
  smallUnsigned(): number {
    const bytes = this.unsigned()
    if (bytes.length > 6) throw malformed(`an integer of ${bytes.length} bytes is too large here`)
    return bytes.reduce((value, byte) => value * 256 + byte, 0)
  }

  /** DEFAULT FALSE: DER leaves a false value out, so what stands there must be true. */
  optionalTrue(): boolean {
    if (this.peek() !== TAG.boolean) return false
    const content = this.content(TAG.boolean)
    if (content.length !== 1 || content[0] !== 0xff)
      throw malformed(`a boolean that is written must be ff, got ${bytesToHex(content)}`)
    return true
  }

  /** BIT STRING; `unused` counts the missing bits of the last byte, which are zero. */
  bitString(): { readonly unused: number; readonly bytes: Uint8Array } {
    const content = this.content(TAG.bitString)
    const unused = content[0]
    if (unused === undefined || unused > 7 || (unused > 0 && content.length === 1))
      throw malformed("a bit string has a wrong count of unused bits")
    if ((content.at(-1) ?? 0) & ((1 << unused) - 1) && content.length > 1)
      throw malformed("a bit string has unused bits that are not zero")
    return { unused, bytes: content.subarray(1) }
  }

  /** UTCTime (2000 to 2049, ending in Z) as unix seconds (RFC 5280 §4.1.2.5.1): Intel uses no other form. */
  time(): number {
    const content = this.content(TAG.utcTime)
    const text = String.fromCharCode(...content.subarray(0, 14))
    if (!/^\d{12}Z$/.test(text))
      throw malformed(`time ${JSON.stringify(text)} is not of the form YYMMDDhhmmssZ`)
    const [year, month, day, hour, minute, second] = (text.match(/\d\d/g) ?? []).map(Number)
    const time = Date.UTC(2000 + (year ?? 0), (month ?? 0) - 1, day, hour, minute, second)
    if (new Date(time).toISOString().replace(/\D/g, "").slice(2, 14) !== text.slice(0, 12) || text >= "50")
      throw malformed(`time ${JSON.stringify(text)} does not exist`)
    return time / 1000
  }

  /** @throws DER_MALFORMED if anything is left. */
  end(): void {
    if (this.#offset !== this.#bytes.length)
      throw malformed(`${this.#bytes.length - this.#offset} bytes are left over`)
  }
}
