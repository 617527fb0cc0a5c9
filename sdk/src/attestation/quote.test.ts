import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { quote } from "../../../test/support/simulatedQuote.ts"
import type { Hex } from "../protocol/ids.ts"
import { parseQuote, parseQuoteParts, QUOTE_LIMIT } from "./quote.ts"

const register = (byte: string): Hex => `0x${byte.repeat(48)}`
const measurements = {
  mrTd: register("01"),
  rtMr0: register("02"),
  rtMr1: register("03"),
  rtMr2: register("04"),
  rtMr3: register("05"),
  mrConfigId: register("06"),
  mrOwner: register("07"),
  mrOwnerConfig: register("08"),
}
const knobs = {
  measurements,
  teeTcbSvn: "0x0102030405060708090a0b0c0d0e0f10",
  mrSeam: register("09"),
  mrSignerSeam: register("0a"),
  seamAttributes: "0x0b0b0b0b0b0b0b0b",
  tdAttributes: "0x0c0c0c0c0c0c0c0c",
  xfam: "0x0d0d0d0d0d0d0d0d",
  reportData: new Uint8Array(64).fill(14),
} as const
const common = {
  ...measurements,
  teeTcbSvn: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  mrSeam: knobs.mrSeam,
  mrSignerSeam: knobs.mrSignerSeam,
  seamAttributes: knobs.seamAttributes,
  tdAttributes: knobs.tdAttributes,
  xfam: knobs.xfam,
  reportData: `0x${"0e".repeat(64)}`,
}

test("every field of a TD 1.0 report stands where Intel puts it", () => {
  const want = { kind: "td10", ...common, teeTcbSvn2: null, mrServiceTd: register("00") }
  expect(parseQuote(quote(knobs)).report).toEqual(want)
  expect(parseQuote(quote({ ...knobs, version: 5, body: "td10" })).report).toEqual(want)
})

test("a TD 1.5 report has two more", () => {
  const mrServiceTd = register("0f")
  const { report } = parseQuote(
    quote({ ...knobs, version: 5, teeTcbSvn2: `0x${"11".repeat(16)}`, mrServiceTd }),
  )
  expect(report).toEqual({ kind: "td15", ...common, teeTcbSvn2: new Array(16).fill(17), mrServiceTd })
})

test("the signed part is header, type and length of the body, and body", () => {
  expect(parseQuote(quote()).signedBytes.length).toBe(632)
  expect(parseQuote(quote({ version: 5, body: "td10" })).signedBytes.length).toBe(638)
  expect(parseQuote(quote({ version: 5 })).signedBytes.length).toBe(702)
})

describe("length", () => {
  const bytes = quote()

  test("zeros after the quote are padding, anything else is not", () => {
    expect(parseQuote(Uint8Array.of(...bytes, 0, 0))).toEqual(parseQuote(bytes))
    expect(codeOf(() => parseQuote(Uint8Array.of(...bytes, 0, 1)))).toBe("QUOTE_TRAILING")
  })

  test.each([0, 1, 47, 48, 631, 632, 636, 1_250, bytes.length - 1])(
    "a quote cut at %i is refused",
    (length) => {
      expect(codeOf(() => parseQuote(bytes.slice(0, length)))).toMatch(/^(QUOTE_LENGTH|PEM_MALFORMED)$/)
    },
  )

  test("there is a maximum", () => {
    expect(codeOf(() => parseQuote(new Uint8Array(QUOTE_LIMIT + 1)))).toBe("QUOTE_LENGTH")
  })

  test("parts are exact", () => {
    const { signedBytes, chain } = parseQuote(bytes)
    const auth = bytes.slice(636, 636 + 128)
    expect(codeOf(() => parseQuoteParts(Uint8Array.of(...signedBytes, 0), auth, chain))).toBe("QUOTE_LENGTH")
    expect(codeOf(() => parseQuoteParts(signedBytes.slice(1), auth, chain))).toBe("QUOTE_VERSION")
    expect(codeOf(() => parseQuoteParts(signedBytes, auth, chain))).toBe("QUOTE_LENGTH")
  })
})

test.each([
  ["type 2 with the length of TD 1.5", { bodyType: 2 }],
  ["type 3 with the length of TD 1.0", { bodyLength: 584 }],
  ["type 1, an SGX enclave", { bodyType: 1, bodyLength: 384 }],
  ["a huge length", { bodyLength: 0xffffffff }],
])("version 5: %s is refused", (_, layout) => {
  expect(codeOf(() => parseQuote(quote({ version: 5, layout })))).toBe("QUOTE_BODY_TYPE")
})
