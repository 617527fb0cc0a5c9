/**
 * Polynomials over GF(16) and Gao's decoder for Reed–Solomon codes (S. Gao, "A new algorithm for decoding Reed–Solomon
 * codes", 2003), and evaluation over the ring. Inputs are masked, public shares. Coefficients ascend by power.
 */
import { type FieldElement, fieldAdd, fieldInvert, fieldMul } from "./galoisField.ts"
import { add, mul, type RingElement, ZERO } from "./galoisRing.ts"

/** Coefficients of a polynomial of degree below 16. */
type FieldPolynomial = Uint8Array
const SIZE = 16

export type FieldPoint<X extends FieldElement = FieldElement> = { readonly x: X; readonly y: FieldElement }

const constant = (value: FieldElement): FieldPolynomial => {
  const p = new Uint8Array(SIZE)
  p[0] = value
  return p
}

/** Degree, −1 for the zero polynomial. */
function degree(p: FieldPolynomial): number {
  let top = SIZE - 1
  while (top >= 0 && p[top] === 0) top--
  return top
}

function fieldEvaluate(p: FieldPolynomial, x: FieldElement): FieldElement {
  let sum = 0
  for (let i = SIZE - 1; i >= 0; i--) sum = fieldAdd(fieldMul(sum, x), p[i] ?? 0)
  return sum
}

/** sum + factor·p·Z^shift; the caller guarantees a degree below 16. */
function addScaled(sum: FieldPolynomial, factor: FieldElement, p: FieldPolynomial, shift: number): void {
  for (let i = 0; i + shift < SIZE; i++)
    sum[i + shift] = fieldAdd(sum[i + shift] ?? 0, fieldMul(factor, p[i] ?? 0))
}

/** p·(Z − x); the caller guarantees a degree below 15. */
function withRoot(p: FieldPolynomial, x: FieldElement): FieldPolynomial {
  const product = new Uint8Array(SIZE)
  addScaled(product, x, p, 0)
  addScaled(product, 1, p, 1)
  return product
}

/** p / (Z − x), where x is a root. */
function withoutRoot(p: FieldPolynomial, x: FieldElement): FieldPolynomial {
  const quotient = new Uint8Array(SIZE)
  let carry = 0
  for (let i = SIZE - 1; i > 0; i--) {
    carry = fieldAdd(p[i] ?? 0, fieldMul(carry, x))
    quotient[i - 1] = carry
  }
  return quotient
}

/** The caller guarantees b ≠ 0. */
function divide(
  a: FieldPolynomial,
  b: FieldPolynomial,
): { quotient: FieldPolynomial; rest: FieldPolynomial } {
  const [quotient, rest] = [new Uint8Array(SIZE), Uint8Array.from(a)]
  const top = degree(b)
  const inverse = fieldInvert(b[top] ?? 0)
  for (let at = degree(rest); at >= top; at = degree(rest)) {
    const factor = fieldMul(rest[at] ?? 0, inverse)
    quotient[at - top] = factor
    addScaled(rest, factor, b, at - top)
  }
  return { quotient, rest }
}

/** Product of Z − x over the points, and the polynomial of degree < points.length through them; their x are distinct. */
function interpolate(points: readonly FieldPoint[]): { zeros: FieldPolynomial; through: FieldPolynomial } {
  const zeros = points.reduce((product, { x }) => withRoot(product, x), constant(1))
  const through = new Uint8Array(SIZE)
  for (const { x, y } of points) {
    const basis = withoutRoot(zeros, x)
    addScaled(through, fieldMul(y, fieldInvert(fieldEvaluate(basis, x))), basis, 0)
  }
  return { zeros, through }
}

function decode(points: readonly FieldPoint[], size: number, maxErrors: number): FieldPolynomial | null {
  const stop = Math.floor((points.length + size) / 2)
  let { zeros: high, through: low } = interpolate(points)
  let previous = constant(0)
  let locator = constant(1)
  while (degree(low) >= stop) {
    const { quotient, rest } = divide(high, low)
    high = low
    low = rest
    const next = previous
    quotient.forEach((factor, shift) => {
      if (factor !== 0) addScaled(next, factor, locator, shift)
    })
    previous = locator
    locator = next
  }
  if (degree(locator) > maxErrors) return null
  const { quotient, rest } = divide(low, locator)
  return degree(rest) >= 0 || degree(quotient) >= size ? null : quotient
}

/**
 * The points off the polynomial of degree < `size` that differs from them in at most `maxErrors` places, or null where there
 * is none. The caller guarantees at most 15 points, distinct x and 2·maxErrors ≤ points − size (then it is unique).
 */
export function fieldErrors<X extends FieldElement>(
  points: readonly FieldPoint<X>[],
  size: number,
  maxErrors: number,
): readonly FieldPoint<X>[] | null {
  const decoded = decode(points, size, maxErrors)
  return decoded === null ? null : points.filter(({ x, y }) => fieldEvaluate(decoded, x) !== y)
}

/** Value at `x` of the ring polynomial with these coefficients (Horner). */
export const evaluate = (coefficients: readonly RingElement[], x: RingElement): RingElement =>
  coefficients.reduceRight((sum, coefficient) => add(mul(sum, x), coefficient), ZERO)
