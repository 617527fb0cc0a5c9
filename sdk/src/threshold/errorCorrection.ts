/**
 * Error correction of ring sharings, bit by bit (protocol §3): decode the residues in GF(16), lift them with 0/1
 * coefficients, subtract, drop the shares that are no longer divisible, shrink the budget. One decoding mod 2 would not see
 * a lie in bit 90 alone. Inputs are masked, public shares.
 */
import { add, alpha, equal, lift, type RingElement, residue, scale, sub, ZERO } from "./galoisRing.ts"
import { decodeField, evaluate } from "./polynomial.ts"
import type { RingShare } from "./shamir.ts"

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
    const decoded = budget < 0 ? null : decodeField(points, t + 1, budget)
    if (decoded === null) return null
    const digit = decoded.map(lift)
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
