import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { parsePartyIndex } from "../protocol/ids.ts"
import { add, alpha, invert, mul, ONE, scalar, sub, ZERO } from "./galoisRing.ts"
import { interpolate, lagrangeAtZero, share, weigh } from "./shamir.ts"

const parties = (...indexes: number[]) => indexes.map((index) => parsePartyIndex(index, 15))

describe("Shamir sharing over the ring", () => {
  test.each([
    [4, 1],
    [7, 2],
    [13, 4],
    [15, 4],
  ])("n=%i t=%i: any t+1 shares give the secret and every other share", (n, t) => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 128n - 1n),
        fc.shuffledSubarray([...Array(n).keys()], { minLength: t + 1, maxLength: t + 1 }),
        fc.string(),
        (secret, picks, seed) => {
          const all = share(scalar(secret), n, t, seededRng(seed))
          const some = all.filter((_, i) => picks.includes(i))
          expect(interpolate(some)).toEqual(scalar(secret))
          for (const { party, value } of all) expect(interpolate(some, party)).toEqual(value)
        },
      ),
      { numRuns: 20 },
    )
  })

  test("t shares fit every secret", () => {
    const [first] = share(scalar(1n), 4, 1, seededRng("hide"))
    if (first === undefined) throw new Error("no share")
    for (const secret of [ZERO, ONE, scalar(2n ** 127n)]) {
      const slope = mul(sub(first.value, secret), invert(alpha(1)))
      const second = { party: parsePartyIndex(2, 4), value: add(secret, mul(slope, alpha(2))) }
      expect(interpolate([first, second])).toEqual(secret)
    }
  })

  test("Lagrange coefficients at zero sum to one and reproduce the constant", () => {
    const lambdas = lagrangeAtZero(parties(1, 3, 4))
    expect(weigh(lambdas, [ONE, ONE, ONE])).toEqual(ONE)
  })

  test("known answers: the share function f_A of PRSS sets", () => {
    const ff = 2n ** 128n - 1n
    // f_{1,2,3} for n=4 is 1 at zero and 0 at party 4, so at party 1 it is an interpolation of those two.
    const zeroAtFour = (at: number) => mul(sub(alpha(at), alpha(4)), invert(sub(ZERO, alpha(4))))
    expect(zeroAtFour(1)).toEqual([0n, 0n, 1n, ff])
    const zeroAtSixSeven = (at: number) =>
      [6, 7].reduce((f, j) => mul(f, mul(sub(alpha(at), alpha(j)), invert(sub(ZERO, alpha(j))))), ONE)
    expect(zeroAtSixSeven(5)).toEqual([0n, 3n, ff - 2n, 2n])
  })

  test("repeated or missing parties are refused", () => {
    expect(codeOf(() => lagrangeAtZero(parties(1, 1)))).toBe("SHAMIR_POINTS")
    expect(codeOf(() => interpolate([]))).toBe("SHAMIR_POINTS")
  })
})
