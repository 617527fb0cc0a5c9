import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type FieldElement, fieldAdd, fieldMul } from "./galoisField.ts"
import { type FieldPoint, fieldErrors } from "./polynomial.ts"

const at = (polynomial: readonly FieldElement[], x: FieldElement) =>
  polynomial.reduceRight((sum, coefficient) => fieldAdd(fieldMul(sum, x), coefficient), 0)
const off = (polynomial: readonly FieldElement[], points: readonly FieldPoint[]) =>
  points.filter(({ x, y }) => at(polynomial, x) !== y)

const elements = Array.from({ length: 16 }, (_, value) => value)
const lines = elements.flatMap((a) => elements.map((b) => [a, b] as const))
const points = (min: number, max: number) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: 15 }), { minLength: min, maxLength: max })
    .chain((xs) => fc.tuple(...xs.map((x) => fc.nat(15).map((y) => ({ x, y })))))

describe("decoder", () => {
  test("finds a line exactly where trying all finds one", () => {
    fc.assert(
      fc.property(points(3, 8), fc.nat(3), fc.nat(255), (random, few, seed) => {
        // A word near a line is as likely as a random one.
        const line = lines[seed] ?? [0, 0]
        const word =
          few === 3
            ? random
            : random.map((point, i) => (i < few ? point : { x: point.x, y: at(line, point.x) }))
        for (let errors = 0; 2 * errors <= word.length - 2; errors++) {
          const near = lines.filter((candidate) => off(candidate, word).length <= errors)
          expect(near.length).toBeLessThan(2)
          expect(fieldErrors(word, 2, errors)).toEqual(near[0] === undefined ? null : off(near[0], word))
        }
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    [4, 2, 1],
    [7, 3, 2],
    [10, 4, 3],
    [13, 5, 4],
    [15, 5, 5],
  ])("of %i points finds polynomials of %i coefficients through all but %i", (count, size, most) => {
    fc.assert(
      fc.property(
        points(count, count),
        fc.array(fc.nat(15), { minLength: size, maxLength: size }),
        fc.nat(count),
        (random, polynomial, wrong) => {
          const word = random.map((point, i) =>
            i < wrong ? point : { x: point.x, y: at(polynomial, point.x) },
          )
          const errors = off(polynomial, word)
          const found = fieldErrors(word, size, most)
          if (errors.length <= most) expect(found).toEqual(errors)
          else if (found !== null) expect(found.length).toBeLessThanOrEqual(most)
        },
      ),
    )
  })
})
