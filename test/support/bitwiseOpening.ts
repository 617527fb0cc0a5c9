/**
 * The rule of robust opening (protocol §3) to the letter and without memory: after every arrival all shares are corrected
 * anew, bit by bit: decode the residues in GF(16), lift them with 0/1 coefficients, subtract, drop the shares that are no
 * longer divisible, shrink the budget. Slow; the kernels must say the same.
 */
import type { PartyIndex } from "../../sdk/src/protocol/ids.ts"
import { type FieldElement, fieldAdd, fieldInvert, fieldMul } from "../../sdk/src/threshold/galoisField.ts"
import {
  add,
  alpha,
  decode,
  equal,
  lift,
  type RingElement,
  residue,
  scale,
  sub,
  ZERO,
} from "../../sdk/src/threshold/galoisRing.ts"
import { evaluate, type FieldPoint, fieldErrors } from "../../sdk/src/threshold/polynomial.ts"
import type { RingShare } from "../../sdk/src/threshold/shamir.ts"

/** What the rule decides. */
export type Decision = {
  readonly values: readonly RingElement[]
  /** Parties off a polynomial, ascending. */
  readonly liars: readonly PartyIndex[]
}

/** The decision on the first shares of these parties; null where it has to wait, or where more than t lied. */
export function openBitwise(
  heard: ReadonlyMap<PartyIndex, Uint8Array>,
  t: number,
  blocks: number,
): Decision | null {
  const count = heard.size
  const budget = Math.min(count - (2 * t + 1), t, Math.floor((count - t - 1) / 2))
  if (budget < 0) return null
  const liars = new Set<PartyIndex>()
  const values: RingElement[] = []
  for (let k = 0; k < blocks; k++) {
    const shares = [...heard].map(([party, bytes]): RingShare => ({ party, value: decode(bytes, k) }))
    const coefficients = correctErrors(shares, t, budget)
    if (coefficients === null) return null
    const off = offPolynomial(shares, coefficients)
    if (count - off.length <= 2 * t) return null
    for (const party of off) liars.add(party)
    values.push(coefficients[0] ?? ZERO)
  }
  return liars.size > t ? null : { values, liars: [...liars].sort((a, b) => a - b) }
}

/**
 * Coefficients of the one polynomial of degree ≤ t from which at most `maxErrors` shares differ; null where there is none.
 * The caller guarantees distinct parties and 2·maxErrors ≤ shares.length − t − 1.
 */
export function correctErrors(
  shares: readonly RingShare[],
  t: number,
  maxErrors: number,
): readonly RingElement[] | null {
  let coefficients: readonly RingElement[] = new Array<RingElement>(t + 1).fill(ZERO)
  let active = shares
  for (let bit = 0n; bit < 128n; bit++) {
    const budget = maxErrors - (shares.length - active.length)
    const points = active.map(({ party, value }) => ({ x: party, y: residue(value, bit) }))
    const wrong = budget < 0 ? null : fieldErrors(points, t + 1, budget)
    if (wrong === null) return null
    const right = points.filter((point) => !wrong.includes(point))
    const digit = interpolated(right.slice(0, t + 1)).map(lift)
    coefficients = coefficients.map((sum, k) => add(sum, scale(digit[k] ?? ZERO, 1n << bit)))
    active = active
      .map(({ party, value }) => ({
        party,
        value: sub(value, scale(evaluate(digit, alpha(party)), 1n << bit)),
      }))
      .filter(({ value }) => isDivisible(value, bit + 1n))
  }
  return active.length >= shares.length - maxErrors ? coefficients : null
}

/** Coefficients of the polynomial of degree < points.length through the points, as Lagrange gives them. */
function interpolated(points: readonly FieldPoint[]): readonly FieldElement[] {
  const sum: FieldElement[] = points.map(() => 0)
  for (const { x, y } of points) {
    let basis: readonly FieldElement[] = [y]
    for (const other of points) {
      if (other.x === x) continue
      // Times (Z + other) / (x + other): plus and minus are one in GF(16).
      const scaled = fieldInvert(fieldAdd(x, other.x))
      const shifted = [0, ...basis]
      basis = shifted.map((high, k) => fieldMul(scaled, fieldAdd(high, fieldMul(other.x, basis[k] ?? 0))))
    }
    for (const [k, coefficient] of basis.entries()) sum[k] = fieldAdd(sum[k] ?? 0, coefficient)
  }
  return sum
}

/** The value is a multiple of 2^bits. */
const isDivisible = (value: RingElement, bits: bigint): boolean =>
  value.every((coefficient) => BigInt.asUintN(Number(bits), coefficient) === 0n)

/** Parties whose shares are off the polynomial. */
export const offPolynomial = (
  shares: readonly RingShare[],
  coefficients: readonly RingElement[],
): RingShare["party"][] =>
  shares
    .filter(({ party, value }) => !equal(evaluate(coefficients, alpha(party)), value))
    .map(({ party }) => party)
