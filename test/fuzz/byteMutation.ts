/** Changes of plain bytes that know nothing of their meaning. Inputs are never modified. */
import type { Rng } from "./rng.ts"

const BOUNDARIES = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xfe, 0xff]
const SIZES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0xffffff, 0x7fffffff, 0xffffffff]

/** All parts in one array. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** A copy with `value` at `offset`. */
export function withBytes(bytes: Uint8Array, offset: number, value: Uint8Array): Uint8Array {
  // Not `slice`, which shares the memory of a Buffer.
  const copy = new Uint8Array(bytes)
  copy.set(value.subarray(0, Math.max(0, bytes.length - offset)), offset)
  return copy
}

/** A copy with `value` instead of the bytes from `start` to `end`. */
export const spliced = (bytes: Uint8Array, start: number, end: number, value: Uint8Array): Uint8Array =>
  joined(bytes.subarray(0, start), value, bytes.subarray(end))

function changedByte(rng: Rng, byte: number): number {
  const value = rng.below(3)
  if (value === 0) return byte ^ (1 << rng.below(8))
  return value === 1 ? rng.pick(BOUNDARIES) : (byte + (rng.oneIn(2) ? 1 : 255)) & 0xff
}

/** One byte changed to a different value. */
export function mutateByte(rng: Rng, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return rng.bytes(1)
  const offset = rng.below(bytes.length)
  const before = bytes[offset] ?? 0
  const after = changedByte(rng, before)
  return withBytes(bytes, offset, Uint8Array.of(after === before ? before ^ 1 : after))
}

/** A little-endian integer of `length` bytes at `offset` replaced by one near a boundary or near itself. */
export function mutateInteger(rng: Rng, bytes: Uint8Array, offset: number, length: 2 | 4): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const now = length === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true)
  const next = rng.oneIn(2) ? now + rng.below(9) - 4 : rng.pick(SIZES)
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, next >>> 0, true)
  return withBytes(bytes, offset, value.subarray(0, length))
}

/** Any change: bytes, ranges, length. May give back equal bytes. */
export function mutateBytes(rng: Rng, bytes: Uint8Array): Uint8Array {
  const start = rng.below(bytes.length + 1)
  const end = Math.min(bytes.length, start + rng.below(40))
  switch (rng.below(8)) {
    case 0:
      return bytes.subarray(0, start)
    case 1:
      return spliced(bytes, start, end, new Uint8Array())
    case 2:
      return spliced(bytes, start, start, rng.bytes(1 + rng.below(40)))
    case 3:
      return spliced(bytes, start, start, bytes.subarray(start, end))
    case 4:
      return withBytes(bytes, Math.min(start, bytes.length), new Uint8Array(rng.below(40)))
    case 5:
      return joined(bytes, rng.oneIn(2) ? new Uint8Array(1 + rng.below(70)) : rng.bytes(1 + rng.below(70)))
    default:
      return mutateByte(rng, bytes)
  }
}

/** A fixed-width field: one bit, a boundary, all zero, all ones, neighbours of the value, or random. */
export function mutateField(rng: Rng, bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const field = bytes.subarray(offset, offset + length)
  switch (rng.below(5)) {
    case 0:
      return withBytes(bytes, offset, new Uint8Array(length))
    case 1:
      return withBytes(bytes, offset, new Uint8Array(length).fill(0xff))
    case 2:
      return withBytes(bytes, offset, rng.bytes(length))
    default:
      return withBytes(bytes, offset, mutateByte(rng, field))
  }
}
