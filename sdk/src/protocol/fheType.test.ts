import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { bitsOf, blobBytesOf, blockCountOf, FHE_TYPES, fheTypeName, parseFheType } from "./fheType.ts"

test.each([
  ["bool", 0, 1, 1, 65_552],
  ["uint4", 1, 4, 1, 65_552],
  ["uint8", 2, 8, 2, 131_104],
  ["uint16", 3, 16, 4, 262_208],
  ["uint32", 4, 32, 8, 524_416],
  ["uint64", 5, 64, 16, 1_048_832],
  ["uint128", 6, 128, 32, 2_097_664],
  ["uint160", 7, 160, 40, 2_622_080],
  ["uint256", 8, 256, 64, 4_195_328],
] as const)("%s has code %i, %i bits, %i blocks, %i bytes", (name, code, bits, blocks, bytes) => {
  expect(FHE_TYPES[name]).toBe(code)
  expect(fheTypeName(parseFheType(code))).toBe(name)
  expect(bitsOf(code)).toBe(bits)
  expect(blockCountOf(code)).toBe(blocks)
  expect(blobBytesOf(code)).toBe(bytes)
})

test.each([-1, 9, 1.5, Number.NaN])("%d is no type", (code) => {
  expect(codeOf(() => parseFheType(code))).toBe("UNKNOWN_FHE_TYPE")
})
