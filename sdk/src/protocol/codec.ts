/**
 * Encodings (protocol §1): hex, the static ABI words that are hashed, and a strict binary reader and writer.
 * Everything is public data; nothing here is constant time.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { keccak_256 } from "@noble/hashes/sha3.js"
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import { ProtocolError } from "./errors.ts"
import type { Digest, Hex } from "./ids.ts"

export type CodecErrorCode =
  | "CODEC_HEX"
  | "CODEC_SHORT"
  | "CODEC_TRAILING"
  | "CODEC_RANGE"
  | "CODEC_LIMIT"
  | "CODEC_VERSION"

/** 0x-prefixed lower-case hex. */
export const toHex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`

/** @throws CODEC_HEX unless 0x-prefixed and of even length. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^0x[0-9a-fA-F]*$/.test(hex))
    throw new ProtocolError({
      code: "CODEC_HEX",
      message: `not 0x-prefixed hex: ${JSON.stringify(hex.slice(0, 80))}`,
    })
  return hexToBytes(hex.slice(2))
}

export { concatBytes, utf8ToBytes }
export const keccak = (bytes: Uint8Array): Digest => toHex(keccak_256(bytes)) as Digest
export const keccakBytes = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)
export const sha256Digest = (bytes: Uint8Array): Digest => toHex(sha256(bytes)) as Digest

/** One static ABI word: a bigint or number (uint256), a bool, or hex of at most 32 bytes. */
export type Word = bigint | number | boolean | Hex

/** uint256 for numbers and booleans; addresses (20 bytes) left-padded, bytesN right-padded, as Solidity's `abi.encode`. */
export function abiWord(word: Word): Uint8Array {
  const out = new Uint8Array(32)
  if (typeof word === "string") {
    const bytes = fromHex(word)
    if (bytes.length > 32)
      throw new ProtocolError({
        code: "CODEC_RANGE",
        message: `an ABI word has at most 32 bytes, got ${bytes.length}`,
      })
    out.set(bytes, bytes.length === 20 ? 12 : 0)
    return out
  }
  if (typeof word === "number" && !Number.isSafeInteger(word))
    throw new ProtocolError({ code: "CODEC_RANGE", message: `not an integer of at most 53 bits: ${word}` })
  let value = typeof word === "bigint" ? word : BigInt(word)
  if (value < 0n || value >> 256n)
    throw new ProtocolError({ code: "CODEC_RANGE", message: `uint256 out of range: ${value}` })
  for (let i = 31; i >= 0 && value > 0n; i--, value >>= 8n) out[i] = Number(value & 255n)
  return out
}

/** `abi.encode` of static words. */
export const abiEncode = (...words: readonly Word[]): Uint8Array => concatBytes(...words.map(abiWord))

/** keccak256 of an UTF-8 domain tag such as "twinlock/session/v1". */
export const tagHash = (tag: string): Digest => keccak(utf8ToBytes(tag))

/** keccak256(abi.encode(keccak256(tag), words…)): what a contract recomputes or a party signs (protocol §1). */
export const taggedHash = (tag: string, ...words: readonly Word[]): Digest =>
  keccak(abiEncode(tagHash(tag), ...words))

/** keccak256 over 32-byte words without length or padding, as `keccak256(abi.encodePacked(bytes32[]))`. */
export const hashWords = (words: readonly Hex[]): Digest => keccak(concatBytes(...words.map(abiWord)))

/** Strict reader: big-endian integers, explicit lengths with hard maxima, nothing may be left over. */
export class Reader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws CODEC_SHORT. The result is a copy. */
  take(length: number): Uint8Array {
    if (this.#offset + length > this.#bytes.length)
      throw new ProtocolError({
        code: "CODEC_SHORT",
        message: `want ${length} bytes at ${this.#offset}, have ${this.#bytes.length - this.#offset}`,
      })
    const out = this.#bytes.slice(this.#offset, this.#offset + length)
    this.#offset += length
    return out
  }

  uint(bytes: 1 | 2 | 4 | 8): number {
    let value = 0
    for (const byte of this.take(bytes)) value = value * 256 + byte
    if (!Number.isSafeInteger(value))
      throw new ProtocolError({ code: "CODEC_RANGE", message: `integer above 2^53` })
    return value
  }

  hex(length: number): Hex {
    return toHex(this.take(length))
  }

  /** u32 length, then the bytes. @throws CODEC_LIMIT above `max`, before anything is allocated. */
  bytes(max: number): Uint8Array {
    const length = this.uint(4)
    if (length > max)
      throw new ProtocolError({
        code: "CODEC_LIMIT",
        message: `length ${length} is above the maximum ${max}`,
      })
    return this.take(length)
  }

  /** u16 count, then the items. */
  list<T>(max: number, item: (reader: Reader) => T): T[] {
    const count = this.uint(2)
    if (count > max)
      throw new ProtocolError({ code: "CODEC_LIMIT", message: `count ${count} is above the maximum ${max}` })
    return Array.from({ length: count }, () => item(this))
  }

  /** @throws CODEC_TRAILING if bytes are left. */
  end(): void {
    if (this.#offset !== this.#bytes.length)
      throw new ProtocolError({
        code: "CODEC_TRAILING",
        message: `${this.#bytes.length - this.#offset} trailing bytes`,
      })
  }
}

/** Mirror of {@link Reader}. */
export class Writer {
  readonly #parts: Uint8Array[] = []

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  uint(bytes: 1 | 2 | 4 | 8, value: number): this {
    if (!Number.isSafeInteger(value) || value < 0 || (bytes < 8 && value >= 2 ** (8 * bytes)))
      throw new ProtocolError({ code: "CODEC_RANGE", message: `${value} does not fit in ${bytes} bytes` })
    const out = new Uint8Array(bytes)
    for (let i = bytes - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) out[i] = rest % 256
    return this.raw(out)
  }

  hex(hex: Hex): this {
    return this.raw(fromHex(hex))
  }

  bytes(bytes: Uint8Array): this {
    return this.uint(4, bytes.length).raw(bytes)
  }

  list<T>(items: readonly T[], item: (writer: Writer, value: T) => void): this {
    this.uint(2, items.length)
    for (const value of items) item(this, value)
    return this
  }

  done(): Uint8Array {
    return concatBytes(...this.#parts)
  }
}
