import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { toHex } from "../protocol/codec.ts"
import { bitsOf, blockCountOf, FHE_TYPES, parseFheType } from "../protocol/fheType.ts"
import { type RingElement, scalar } from "./galoisRing.ts"
import { decodePlaintext, encodePlaintextWord } from "./plaintext.ts"

const STEP = 1n << 123n
const HALF = 1n << 122n
const one = (y: bigint) => [scalar(y)]

describe("decodePlaintext", () => {
  test("reads every type under any noise below half a step", () => {
    fc.assert(
      fc.property(
        fc.nat(8),
        fc.bigInt(0n, 2n ** 256n - 1n),
        fc.bigInt(-HALF, HALF - 1n),
        (code, wide, noise) => {
          const type = parseFheType(code)
          const value = BigInt.asUintN(bitsOf(type), wide)
          const blocks = Array.from({ length: blockCountOf(type) }, (_, k) =>
            scalar(((value >> BigInt(4 * k)) & 15n) * STEP + noise),
          )
          expect(decodePlaintext(blocks, type)).toBe(value)
        },
      ),
    )
  })

  test("the edges of the range", () => {
    const { uint4 } = FHE_TYPES
    expect(decodePlaintext(one(-HALF), uint4)).toBe(0n)
    expect(decodePlaintext(one(15n * STEP + HALF - 1n), uint4)).toBe(15n)
    expect(codeOf(() => decodePlaintext(one(-HALF - 1n), uint4))).toBe("PLAINTEXT_RANGE")
    expect(codeOf(() => decodePlaintext(one(15n * STEP + HALF), uint4))).toBe("PLAINTEXT_RANGE")
    expect(codeOf(() => decodePlaintext(one(16n * STEP), uint4))).toBe("PLAINTEXT_RANGE")
    expect(codeOf(() => decodePlaintext(one(1n << 127n), uint4))).toBe("PLAINTEXT_RANGE")
  })

  test("a bool above one is rejected, not reduced", () => {
    expect(decodePlaintext(one(STEP), FHE_TYPES.bool)).toBe(1n)
    expect(codeOf(() => decodePlaintext(one(2n * STEP), FHE_TYPES.bool))).toBe("PLAINTEXT_RANGE")
  })

  test.each([1, 2, 3])("a value with coefficient %i is no scalar", (at) => {
    const value = [STEP, 0n, 0n, 0n].map((c, i) => (i === at ? 1n : c)) as unknown as RingElement
    expect(codeOf(() => decodePlaintext([value], FHE_TYPES.uint4))).toBe("PLAINTEXT_NOT_SCALAR")
  })

  test("another number of blocks is refused", () => {
    expect(codeOf(() => decodePlaintext([], FHE_TYPES.uint4))).toBe("PLAINTEXT_BLOCKS")
    expect(codeOf(() => decodePlaintext([...one(0n), ...one(0n)], FHE_TYPES.bool))).toBe("PLAINTEXT_BLOCKS")
    expect(codeOf(() => decodePlaintext(one(0n), FHE_TYPES.uint8))).toBe("PLAINTEXT_BLOCKS")
  })
})

test("a plaintext word is 32 bytes big-endian", () => {
  expect(toHex(encodePlaintextWord(0x0102n))).toBe(`0x${"00".repeat(30)}0102`)
  expect(toHex(encodePlaintextWord(2n ** 256n - 1n))).toBe(`0x${"ff".repeat(32)}`)
  for (const bad of [-1n, 2n ** 256n]) expect(codeOf(() => encodePlaintextWord(bad))).toBe("PLAINTEXT_RANGE")
})
