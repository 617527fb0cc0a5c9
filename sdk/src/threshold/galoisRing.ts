/**
 * R = GR(2^128, 4) = Z_{2^128}[X]/(X^4 + X + 1) (protocol §3), the ring of all sharings of the decryption key. Its 16
 * exceptional points α_0..α_15 differ pairwise by units, which is what makes Shamir sharing work over it.
 * Slow BigInt arithmetic, not constant time: for masked shares and tests. Secrets stay behind node/native.
 */
import { ProtocolError } from "../protocol/errors.ts"
import { fieldInvert } from "./galoisField.ts"

export type RingErrorCode = "RING_NOT_A_UNIT" | "RING_LENGTH" | "RING_POINT"

/** Coefficients of 1, X, X², X³, each in 0..2^128−1. */
export type RingElement = readonly [bigint, bigint, bigint, bigint]

export const RING_ELEMENT_BYTES = 64
const MASK = (1n << 128n) - 1n

export const ZERO: RingElement = [0n, 0n, 0n, 0n]
export const ONE: RingElement = [1n, 0n, 0n, 0n]

/** The integer `value` modulo 2^128 as a ring element. */
export const scalar = (value: bigint): RingElement => [BigInt.asUintN(128, value), 0n, 0n, 0n]

export const add = (a: RingElement, b: RingElement): RingElement => [
  (a[0] + b[0]) & MASK,
  (a[1] + b[1]) & MASK,
  (a[2] + b[2]) & MASK,
  (a[3] + b[3]) & MASK,
]

export const sub = (a: RingElement, b: RingElement): RingElement => [
  (a[0] - b[0]) & MASK,
  (a[1] - b[1]) & MASK,
  (a[2] - b[2]) & MASK,
  (a[3] - b[3]) & MASK,
]

/** a·b, reduced by X^4 = −X−1, X^5 = −X²−X, X^6 = −X³−X². */
export function mul(a: RingElement, b: RingElement): RingElement {
  const [a0, a1, a2, a3] = a
  const [b0, b1, b2, b3] = b
  const x4 = a1 * b3 + a2 * b2 + a3 * b1
  const x5 = a2 * b3 + a3 * b2
  const x6 = a3 * b3
  return [
    (a0 * b0 - x4) & MASK,
    (a0 * b1 + a1 * b0 - x4 - x5) & MASK,
    (a0 * b2 + a1 * b1 + a2 * b0 - x5 - x6) & MASK,
    (a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 - x6) & MASK,
  ]
}

/** a times the integer `factor`. */
export const scale = (a: RingElement, factor: bigint): RingElement => [
  (a[0] * factor) & MASK,
  (a[1] * factor) & MASK,
  (a[2] * factor) & MASK,
  (a[3] * factor) & MASK,
]

export const equal = (a: RingElement, b: RingElement): boolean =>
  a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]

/** Image in GF(16) of the element divided by 2^shift (all coefficients are read at bit `shift`). */
export const residue = (a: RingElement, shift = 0n): number =>
  Number((a[0] >> shift) & 1n) |
  (Number((a[1] >> shift) & 1n) << 1) |
  (Number((a[2] >> shift) & 1n) << 2) |
  (Number((a[3] >> shift) & 1n) << 3)

/** The element with 0/1 coefficients whose image in GF(16) is `value`. */
export const lift = (value: number): RingElement => [
  BigInt(value & 1),
  BigInt((value >> 1) & 1),
  BigInt((value >> 2) & 1),
  BigInt((value >> 3) & 1),
]

/** α_index = Σ bit_i(index)·X^i; α_0 = 0 holds the secret, party i holds α_i. @throws RING_POINT outside 0..15 */
export function alpha(index: number): RingElement {
  if (!Number.isInteger(index) || index < 0 || index > 15)
    throw new ProtocolError({ code: "RING_POINT", message: `exceptional points are 0..15, got ${index}` })
  return lift(index)
}

/** Inverse of a unit: in GF(16), then seven Newton steps x ← x(2 − a·x), 2^7 = 128 bits. @throws RING_NOT_A_UNIT */
export function invert(a: RingElement): RingElement {
  const image = residue(a)
  if (image === 0)
    throw new ProtocolError({ code: "RING_NOT_A_UNIT", message: "a multiple of 2 has no inverse" })
  let x = lift(fieldInvert(image))
  for (let step = 0; step < 7; step++) x = mul(x, sub(scalar(2n), mul(a, x)))
  return x
}

/** 64 bytes: four u128 little-endian. */
export function encode(a: RingElement): Uint8Array {
  const out = new Uint8Array(RING_ELEMENT_BYTES)
  const view = new DataView(out.buffer)
  a.forEach((coefficient, i) => {
    view.setBigUint64(16 * i, BigInt.asUintN(64, coefficient), true)
    view.setBigUint64(16 * i + 8, coefficient >> 64n, true)
  })
  return out
}

/** Element `index` of concatenated encodings. @throws RING_LENGTH */
export function decode(bytes: Uint8Array, index = 0): RingElement {
  const at = index * RING_ELEMENT_BYTES
  if (bytes.length < at + RING_ELEMENT_BYTES)
    throw new ProtocolError({
      code: "RING_LENGTH",
      message: `want ${RING_ELEMENT_BYTES} bytes at ${at}, have ${bytes.length} in all`,
    })
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RING_ELEMENT_BYTES)
  const word = (i: number) => view.getBigUint64(16 * i, true) | (view.getBigUint64(16 * i + 8, true) << 64n)
  return [word(0), word(1), word(2), word(3)]
}
