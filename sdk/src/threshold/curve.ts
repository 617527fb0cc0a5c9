/**
 * secp256k1 as FROST uses it: points of 33 bytes, scalars of 32 bytes big-endian. Whatever is costly goes through a
 * {@link CurveKernel}, so that a node can bring a faster one; property tests hold each against noble's.
 */
import { mulAddUnsafe } from "@noble/curves/abstract/curve.js"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { bytesToNumberBE } from "@noble/curves/utils.js"
import { keccakBytes, toHex } from "../protocol/codec.ts"
import { type Address, parseAddress } from "../protocol/ids.ts"

export const Point: typeof secp256k1.Point = secp256k1.Point
export const Fn: typeof secp256k1.Point.Fn = secp256k1.Point.Fn
export type CurvePoint = InstanceType<typeof secp256k1.Point>

const N = Fn.ORDER
export const POINT_BYTES = 33
export const SCALAR_BYTES = 32

/** A compressed point, not the identity. @returns null where the bytes are none. */
export function parsePoint(bytes: Uint8Array): CurvePoint | null {
  if (bytes.length !== POINT_BYTES) return null
  try {
    const point = Point.fromBytes(bytes)
    return point.is0() ? null : point
  } catch {
    return null
  }
}

/** A canonical scalar of 32 bytes, or null. */
export function scalarOf(bytes: Uint8Array): bigint | null {
  if (bytes.length !== SCALAR_BYTES) return null
  const value = bytesToNumberBE(bytes)
  return value < N ? value : null
}

/** What ecrecover returns for a point. */
export const addressOfPoint = (point: CurvePoint): Address =>
  parseAddress(toHex(keccakBytes(point.toBytes(false).subarray(1)).subarray(12)))

/**
 * Σ scalars[i]·points[i], compressed.
 * @param points 33 bytes each @param scalars as many, 32 bytes big-endian each, below n
 * @returns null where an input is malformed or the sum is the identity
 */
export type WeightedSum = (points: Uint8Array, scalars: Uint8Array) => Uint8Array | null

const slices = (bytes: Uint8Array, size: number): readonly Uint8Array[] =>
  Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

/** The sum with noble's points; not constant time. */
export const nobleSum: WeightedSum = (points, scalars) => {
  const count = points.length / POINT_BYTES
  if (!Number.isInteger(count) || count < 1 || scalars.length !== count * SCALAR_BYTES) return null
  const parsed = slices(points, POINT_BYTES).flatMap((bytes) => parsePoint(bytes) ?? [])
  const factors = slices(scalars, SCALAR_BYTES).flatMap((bytes) => scalarOf(bytes) ?? [])
  if (parsed.length !== count || factors.length !== count) return null
  // A factor of one costs an addition only.
  const plain = parsed.filter((_, i) => factors[i] === 1n)
  const weighted = parsed.filter((_, i) => factors[i] !== 1n && factors[i] !== 0n)
  const weights = factors.filter((factor) => factor > 1n)
  const product = weighted.length === 0 ? Point.ZERO : mulAddUnsafe(Point, weighted, weights)
  const sum = plain.reduce((total, point) => total.add(point), product)
  return sum.is0() ? null : sum.toBytes()
}

/** Another implementation of the same arithmetic, equal in every answer. */
export type CurveKernel = {
  readonly sum: WeightedSum
  /** k·G compressed, of a secret k in 1..n−1; null for any other. */
  readonly multiple: (scalar: Uint8Array) => Uint8Array | null
  /** What ecrecover returns for a compressed point; null where the bytes are none. */
  readonly addressOf: (point: Uint8Array) => Address | null
}

/** By noble's points; not constant time. */
export const nobleCurve: CurveKernel = {
  sum: nobleSum,
  multiple(scalar) {
    const k = scalarOf(scalar)
    return k === null || k === 0n ? null : Point.BASE.multiply(k).toBytes()
  },
  addressOf(bytes) {
    const point = parsePoint(bytes)
    return point === null ? null : addressOfPoint(point)
  },
}
