import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { bitsOf, FHE_TYPES, type FheTypeName, parseFheType } from "../protocol/fheType.ts"
import { type ClearValue, checkClearValue, clearTypeOf, decryptedValue } from "./clearValue.ts"

const integers = Object.keys(FHE_TYPES).filter((name) => name !== "bool") as Exclude<FheTypeName, "bool">[]

describe("checkClearValue", () => {
  test.each(integers)("%s holds exactly its bits", (type) => {
    const top = 2n ** BigInt(bitsOf(FHE_TYPES[type]))
    fc.assert(
      fc.property(fc.bigInt(0n, top - 1n), (value) => {
        expect(checkClearValue({ type, value })).toEqual({ type, value })
      }),
    )
    for (const value of [-1n, top, top + 5n])
      expect(codeOf(() => checkClearValue({ type, value }))).toBe("VALUE_OUT_OF_RANGE")
  })

  test("numbers become bigints", () => {
    expect(checkClearValue({ type: "uint8", value: 255 })).toEqual({ type: "uint8", value: 255n })
    expect(codeOf(() => checkClearValue({ type: "uint8", value: 256 }))).toBe("VALUE_OUT_OF_RANGE")
    expect(codeOf(() => checkClearValue({ type: "uint4", value: 99 }))).toBe("VALUE_OUT_OF_RANGE")
  })

  const mistyped = [
    { type: "bool", value: 1 },
    { type: "bool", value: "true" },
    { type: "uint8", value: true },
    { type: "uint8", value: "1" },
    { type: "uint8", value: 1.5 },
    { type: "uint64", value: 2 ** 53 },
    { type: "uint8", value: Number.NaN },
    { type: "uint7", value: 1n },
    { type: "toString", value: 1n },
  ]
  test.each(mistyped.map((bad) => [bad.type, typeof bad.value, bad] as const))(
    "%s of a %s is refused",
    (_, __, bad) => {
      expect(codeOf(() => checkClearValue(bad as ClearValue))).toBe("VALUE_TYPE")
    },
  )

  test("errors do not show the value", () => {
    try {
      checkClearValue({ type: "uint8", value: 987654321n })
    } catch (error) {
      expect(String(error)).not.toContain("987654321")
    }
  })
})

test("decrypted words become values of their type", () => {
  expect(decryptedValue(1n, FHE_TYPES.bool)).toEqual({ type: "bool", value: true })
  expect(decryptedValue(0n, FHE_TYPES.bool)).toEqual({ type: "bool", value: false })
  for (const type of integers) expect(decryptedValue(9n, FHE_TYPES[type])).toEqual({ type, value: 9n })
  for (let code = 1; code < 9; code++)
    expect(clearTypeOf(checkClearValue(decryptedValue(1n, parseFheType(code))))).toBe(code)
})
