import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { fieldInvert, fieldMul } from "./galoisField.ts"
import {
  add,
  alpha,
  decode,
  encode,
  equal,
  invert,
  lift,
  mul,
  ONE,
  type RingElement,
  residue,
  scalar,
  scale,
  sub,
  ZERO,
} from "./galoisRing.ts"

const coefficient = fc.bigInt(0n, 2n ** 128n - 1n)
const element = fc.tuple(coefficient, coefficient, coefficient, coefficient) as fc.Arbitrary<RingElement>
const ring = (hex: string): RingElement => {
  const [a = "0", b = "0", c = "0", d = "0"] = hex.split(",")
  return [BigInt(`0x${a}`), BigInt(`0x${b}`), BigInt(`0x${c}`), BigInt(`0x${d}`)]
}

/** Schoolbook product with an explicit reduction loop: the slow second opinion. */
function slowMul(a: RingElement, b: RingElement): RingElement {
  const product = new Array<bigint>(7).fill(0n)
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      product[i + j] = (product[i + j] ?? 0n) + x * y
    })
  })
  for (let k = 6; k >= 4; k--) {
    const top = product[k] ?? 0n
    product[k - 3] = (product[k - 3] ?? 0n) - top
    product[k - 4] = (product[k - 4] ?? 0n) - top
  }
  const word = (i: number) => BigInt.asUintN(128, product[i] ?? 0n)
  return [word(0), word(1), word(2), word(3)]
}

describe("ring", () => {
  test("laws", () => {
    fc.assert(
      fc.property(element, element, element, (a, b, c) => {
        expect(mul(a, b)).toEqual(slowMul(a, b))
        expect(mul(a, b)).toEqual(mul(b, a))
        expect(mul(mul(a, b), c)).toEqual(mul(a, mul(b, c)))
        expect(mul(a, add(b, c))).toEqual(add(mul(a, b), mul(a, c)))
        expect(sub(add(a, b), b)).toEqual(a)
        expect(mul(a, ONE)).toEqual(a)
        expect(scale(a, 5n)).toEqual(mul(a, scalar(5n)))
        expect(equal(a, b)).toBe(a.join() === b.join())
      }),
    )
  })

  test("units have inverses, other elements have none", () => {
    fc.assert(
      fc.property(element, (a) => {
        if (residue(a) === 0) expect(codeOf(() => invert(a))).toBe("RING_NOT_A_UNIT")
        else expect(mul(a, invert(a))).toEqual(ONE)
      }),
    )
    expect(codeOf(() => invert([2n, 4n, 6n, 8n]))).toBe("RING_NOT_A_UNIT")
  })

  test("known answers of the reference model", () => {
    const a = ring("123456789abcdef0123456789abcdef,fedcba9876543210fedcba9876543210,1,deadbeef")
    const b = ring("5,80000000000000000000000000000000,ffffffffffffffffffffffffffffffff,1234567890")
    expect(mul(a, b)).toEqual(
      ring(
        "b8e38e25788751de38e38e3798275cac,2d82d81a17d146882d82d81ae1c897b0,fedcba9876543201291ecbb3bd260a05,b456788751d81a125e9889b83300f89b",
      ),
    )
    expect(invert(a)).toEqual(
      ring(
        "b88b0a733daafa1f1f62b962aca4ff00,693122aa6cc6cfeef9892dad0501c010,1aeaf128c9f1ff57fde4e97ece20f30f,35cd699cdfa830be54a2bf07d2b4f0f0",
      ),
    )
    const ff = "f".repeat(32)
    expect(invert(alpha(2))).toEqual(ring(`${ff},0,0,${ff}`))
    expect(invert(alpha(3))).toEqual(ring(`0,${ff},1,${ff}`))
    expect(invert(alpha(9))).toEqual(ring(`0,${ff},0,0`))
    expect(invert(alpha(15))).toEqual(
      ring(
        "9999999999999999999999999999999a,cccccccccccccccccccccccccccccccc,9999999999999999999999999999999a,33333333333333333333333333333333",
      ),
    )
  })

  test("exceptional points differ by units", () => {
    for (let i = 0; i < 16; i++)
      for (let j = 0; j < i; j++) expect(residue(sub(alpha(i), alpha(j)))).not.toBe(0)
    for (const bad of [-1, 16, 0.5]) expect(codeOf(() => alpha(bad))).toBe("RING_POINT")
  })

  test("the residue is a ring homomorphism onto GF(16)", () => {
    fc.assert(
      fc.property(element, element, (a, b) => {
        expect(residue(mul(a, b))).toBe(fieldMul(residue(a), residue(b)))
        expect(residue(add(a, b))).toBe(residue(a) ^ residue(b))
      }),
    )
    for (let value = 0; value < 16; value++) expect(residue(lift(value))).toBe(value)
    expect(residue(scale(lift(11), 1n << 90n), 90n)).toBe(11)
  })
})

test("GF(16) inverses", () => {
  for (let a = 1; a < 16; a++) expect(fieldMul(a, fieldInvert(a))).toBe(1)
  expect(fieldMul(8, 2)).toBe(0b0011)
  expect(fieldMul(0, 7)).toBe(0)
})

describe("encoding", () => {
  test("is four u128 little-endian", () => {
    expect(encode([1n, 2n ** 127n, 0n, 0x0102n]).slice(0, 17)).toEqual(
      Uint8Array.of(1, ...new Array(16).fill(0)),
    )
    fc.assert(
      fc.property(element, element, (a, b) => {
        const bytes = Uint8Array.of(...encode(a), ...encode(b))
        expect(decode(bytes)).toEqual(a)
        expect(decode(bytes, 1)).toEqual(b)
      }),
    )
  })

  test("short bytes are refused", () => {
    expect(codeOf(() => decode(new Uint8Array(63)))).toBe("RING_LENGTH")
    expect(codeOf(() => decode(new Uint8Array(64), 1))).toBe("RING_LENGTH")
    expect(decode(encode(ZERO))).toEqual(ZERO)
  })
})
