/**
 * GF(16) = F_2[x]/(x^4 + x + 1), the residue field of the ring (protocol §3). An element is an integer 0..15, bit i is the
 * coefficient of x^i. Used on masked, public shares only: tables are indexed by values.
 */
export type FieldElement = number

/** Powers of x, a generator: EXP[i] = x^i for i in 0..29, so that a sum of two logarithms needs no reduction. */
const EXP: readonly number[] = powersOfX(30)
const LOG: readonly number[] = Array.from({ length: 16 }, (_, value) => EXP.indexOf(value))

function powersOfX(count: number): number[] {
  const powers = [1]
  while (powers.length < count) {
    const next = (powers.at(-1) ?? 1) << 1
    powers.push(next & 16 ? next ^ 0b10011 : next)
  }
  return powers
}

/** Sum and difference. */
export const fieldAdd = (a: FieldElement, b: FieldElement): FieldElement => a ^ b

export const fieldMul = (a: FieldElement, b: FieldElement): FieldElement =>
  a === 0 || b === 0 ? 0 : (EXP[(LOG[a] ?? 0) + (LOG[b] ?? 0)] ?? 0)

/** The caller guarantees a ≠ 0. */
export const fieldInvert = (a: FieldElement): FieldElement => EXP[15 - (LOG[a] ?? 0)] ?? 0
