/**
 * Interpolation over the ring in Newton's form: c_0 + c_1 (Z − α_1) + c_2 (Z − α_1)(Z − α_2) + … through the points of the
 * parties. A further point costs two products per point before it, an evaluation one cheap product per point (differences of
 * exceptional points have coefficients −1, 0, 1), so no coefficients need to be kept per set of parties. Public inputs.
 */
import type { PartyIndex } from "../protocol/ids.ts"
import { add, alpha, invert, mul, type RingElement, sub, ZERO } from "./galoisRing.ts"

/** The polynomial of degree < length through the points, in their order. */
export type NewtonForm = readonly { readonly party: PartyIndex; readonly coefficient: RingElement }[]

const POINTS = Array.from({ length: 16 }, (_, i) => alpha(i))
/** α_i − α_j, not reduced: `mul` is faster with small factors. */
const DIFFERENCES = POINTS.map((a) =>
  POINTS.map((b): RingElement => [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]),
)
/** Their inverses, as they are first needed. */
const inverses = new Map<number, RingElement>()

function inverseDifference(i: number, j: number): RingElement {
  const known = inverses.get(16 * i + j)
  if (known !== undefined) return known
  const inverse = invert(sub(alpha(i), alpha(j)))
  inverses.set(16 * i + j, inverse)
  return inverse
}

/** Value at the point of a party; 0 is the point of the secret. */
export const evaluateForm = (form: NewtonForm, at: PartyIndex | 0): RingElement =>
  form.reduceRight(
    (sum, { party, coefficient }) => add(mul(sum, DIFFERENCES[at]?.[party] ?? ZERO), coefficient),
    ZERO,
  )

/** The form through one more point. The caller guarantees that the party is new. */
export function extendForm(form: NewtonForm, party: PartyIndex, value: RingElement): NewtonForm {
  const difference = sub(value, evaluateForm(form, party))
  const coefficient = form.reduce((c, other) => mul(c, inverseDifference(party, other.party)), difference)
  return [...form, { party, coefficient }]
}
