/**
 * Polynomials over GF(16) and Gao's decoder for Reed–Solomon codes (S. Gao, "A new algorithm for decoding Reed–Solomon
 * codes", 2003), and evaluation over the ring. Inputs are masked, public shares. Coefficients ascend by power.
 */
import { type FieldElement, fieldAdd, fieldInvert, fieldMul } from "./galoisField.ts"
import { add, mul, type RingElement, ZERO } from "./galoisRing.ts"

type FieldPolynomial = readonly FieldElement[]
export type FieldPoint<X extends FieldElement = FieldElement> = { readonly x: X; readonly y: FieldElement }

/** Degree, −1 for the zero polynomial. */
const degree = (p: FieldPolynomial): number => p.findLastIndex((coefficient) => coefficient !== 0)

const plus = (a: FieldPolynomial, b: FieldPolynomial): FieldPolynomial =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => fieldAdd(a[i] ?? 0, b[i] ?? 0))

function times(a: FieldPolynomial, b: FieldPolynomial): FieldPolynomial {
  const product = new Array<number>(a.length + b.length).fill(0)
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      product[i + j] = fieldAdd(product[i + j] ?? 0, fieldMul(x, y))
    })
  })
  return product
}

/** The caller guarantees b ≠ 0. */
function divide(
  a: FieldPolynomial,
  b: FieldPolynomial,
): { quotient: FieldPolynomial; rest: FieldPolynomial } {
  const rest = [...a]
  const quotient = new Array<number>(a.length).fill(0)
  const top = degree(b)
  const inverse = fieldInvert(b[top] ?? 0)
  for (let at = degree(rest); at >= top; at = degree(rest)) {
    const factor = fieldMul(rest[at] ?? 0, inverse)
    quotient[at - top] = factor
    for (let j = 0; j <= top; j++)
      rest[at - top + j] = fieldAdd(rest[at - top + j] ?? 0, fieldMul(factor, b[j] ?? 0))
  }
  return { quotient, rest }
}

/** The polynomial of degree < points.length through the points, whose x are distinct. */
function interpolate(points: readonly FieldPoint[]): FieldPolynomial {
  return points.reduce<FieldPolynomial>((sum, { x, y }) => {
    let basis: FieldPolynomial = [1]
    let denominator = 1
    for (const other of points) {
      if (other.x === x) continue
      basis = times(basis, [other.x, 1])
      denominator = fieldMul(denominator, fieldAdd(x, other.x))
    }
    const factor = fieldMul(y, fieldInvert(denominator))
    return plus(
      sum,
      basis.map((coefficient) => fieldMul(coefficient, factor)),
    )
  }, [])
}

/**
 * The polynomial of degree < `size` that differs from the points in at most `maxErrors` places, as `size` coefficients,
 * or null where there is none. The caller guarantees distinct x and 2·maxErrors ≤ points − size (then it is unique).
 */
export function decodeField(
  points: readonly FieldPoint[],
  size: number,
  maxErrors: number,
): readonly FieldElement[] | null {
  const stop = Math.floor((points.length + size) / 2)
  let high = points.reduce<FieldPolynomial>((product, { x }) => times(product, [x, 1]), [1])
  let low = interpolate(points)
  let previous: FieldPolynomial = [0]
  let locator: FieldPolynomial = [1]
  while (degree(low) >= stop) {
    const { quotient, rest } = divide(high, low)
    high = low
    low = rest
    const next = plus(previous, times(quotient, locator))
    previous = locator
    locator = next
  }
  if (degree(locator) > maxErrors) return null
  const { quotient, rest } = divide(low, locator)
  if (degree(rest) >= 0 || degree(quotient) >= size) return null
  return Array.from({ length: size }, (_, i) => quotient[i] ?? 0)
}

/**
 * The points off the polynomial that {@link decodeField} finds, or null where it finds none. The caller guarantees what
 * decodeField wants.
 */
export function fieldErrors<X extends FieldElement>(
  points: readonly FieldPoint<X>[],
  size: number,
  maxErrors: number,
): readonly FieldPoint<X>[] | null {
  const decoded = decodeField(points, size, maxErrors)
  if (decoded === null) return null
  const at = (x: FieldElement) => decoded.reduceRight((sum, c) => fieldAdd(fieldMul(sum, x), c), 0)
  return points.filter(({ x, y }) => at(x) !== y)
}

/** Value at `x` of the ring polynomial with these coefficients (Horner). */
export const evaluate = (coefficients: readonly RingElement[], x: RingElement): RingElement =>
  coefficients.reduceRight((sum, coefficient) => add(mul(sum, x), coefficient), ZERO)
