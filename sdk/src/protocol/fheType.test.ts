import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  bitsOf,
  blobBytesOf,
  blockCountOf,
  FHE_TYPES,
  fheTypeName,
  parseFheType,
  wordFormatOf,
} from "./fheType.ts"

test.each([
  ["bool", 0, 1, 1, "raw", 65_552],
  ["uint4", 1, 4, 1, "raw", 65_552],
  ["uint8", 2, 8, 2, "raw", 131_104],
  ["uint16", 3, 16, 4, "raw", 262_208],
  ["uint32", 4, 32, 8, "packed", 98_432],
  ["uint64", 5, 64, 16, "packed", 98_560],
  ["uint128", 6, 128, 32, "packed", 98_816],
  ["uint160", 7, 160, 40, "packed", 98_944],
  ["uint256", 8, 256, 64, "packed", 99_328],
] as const)(
  "%s has code %i, %i bits, %i blocks, %s words of %i bytes",
  (name, code, bits, blocks, format, bytes) => {
    expect(FHE_TYPES[name]).toBe(code)
    expect(fheTypeName(parseFheType(code))).toBe(name)
    expect(bitsOf(code)).toBe(bits)
    expect(blockCountOf(code)).toBe(blocks)
    expect(wordFormatOf(code)).toBe(format)
    expect(blobBytesOf(code)).toBe(bytes)
  },
)

test("no length is that of words in two formats", () => {
  const lengths = Object.values(FHE_TYPES).map((type) => [blobBytesOf(type), wordFormatOf(type)] as const)
  const formats = new Map(lengths)
  for (const [bytes, format] of lengths) expect(formats.get(bytes)).toBe(format)
})

test.each([-1, 9, 1.5, Number.NaN])("%d is no type", (code) => {
  expect(codeOf(() => parseFheType(code))).toBe("UNKNOWN_FHE_TYPE")
})
