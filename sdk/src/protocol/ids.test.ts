import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parsePartyIndex,
  parseRequestId,
  parseSessionId,
} from "./ids.ts"

describe("32-byte identifiers", () => {
  const cases = [
    ["BAD_KEY_ID", parseKeyId],
    ["BAD_SESSION_ID", parseSessionId],
    ["BAD_REQUEST_ID", parseRequestId],
    ["BAD_HANDLE", parseHandle],
    ["BAD_DIGEST", parseDigest],
  ] as const

  test.each(cases)("%s is raised for anything but 32 bytes of hex", (code, parse) => {
    expect(parse(`0x${"Ab".repeat(32)}`)).toBe(`0x${"ab".repeat(32)}`)
    for (const bad of [
      "",
      "0x",
      `0x${"ab".repeat(31)}`,
      `0x${"ab".repeat(33)}`,
      "ab".repeat(32),
      `0x${"ag".repeat(32)}`,
      `0x${"ab".repeat(32)}\n`,
    ])
      expect(codeOf(() => parse(bad))).toBe(code)
  })
})

test("addresses are lower-cased and 20 bytes long", () => {
  expect(parseAddress("0xAAaaAAaaAAaaAAaaAAaaAAaaAAaaAAaaAAaaAAaa")).toBe(`0x${"aa".repeat(20)}`)
  expect(codeOf(() => parseAddress(`0x${"aa".repeat(32)}`))).toBe("BAD_ADDRESS")
})

test("party indexes are 1..n", () => {
  expect(parsePartyIndex(1, 4)).toBe(1)
  expect(parsePartyIndex(4, 4)).toBe(4)
  for (const bad of [0, 5, -1, 1.5, Number.NaN])
    expect(codeOf(() => parsePartyIndex(bad, 4))).toBe("BAD_PARTY_INDEX")
})

test("epochs are 1..2^32-1", () => {
  expect(parseEpoch(1)).toBe(1)
  expect(parseEpoch(2 ** 32 - 1)).toBe(2 ** 32 - 1)
  for (const bad of [0, 2 ** 32, 1.5, Number.POSITIVE_INFINITY])
    expect(codeOf(() => parseEpoch(bad))).toBe("BAD_EPOCH")
})
