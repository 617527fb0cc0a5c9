import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { DerReader, TAG } from "./der.ts"

const reader = (hex: string) => new DerReader(new Uint8Array(Buffer.from(hex, "hex")))

describe("lengths", () => {
  test.each([
    ["0400", 0],
    [`04817f${"00".repeat(127)}`, "shortest form"],
    [`048180${"00".repeat(128)}`, 128],
    [`04820080${"00".repeat(128)}`, "shortest form"],
    [`04820100${"00".repeat(256)}`, 256],
    ["0480", "0 bytes is not supported"],
    ["048400000001", "4 bytes is not supported"],
    ["0402ff", "want 2 bytes"],
    ["04", "cut off"],
    ["", "cut off"],
  ])("%s", (hex, want) => {
    const read = () => reader(hex).content(TAG.octetString).length
    if (typeof want === "number") expect(read()).toBe(want)
    else expect(read).toThrow(want)
  })
})

test("a tag of several bytes and a wrong tag are refused", () => {
  expect(() => reader("1f8100").content(0x1f)).toThrow("more than one byte")
  expect(() => reader("0500").content(TAG.octetString)).toThrow("want tag 0x4")
})

describe("integers", () => {
  test.each([
    ["020100", "00"],
    ["02017f", "7f"],
    ["02020080", "80"],
    ["0202007f", "shortest form"],
    ["020180", "negative"],
    ["0200", "no bytes"],
  ])("%s", (hex, want) => {
    const read = () => Buffer.from(reader(hex).unsigned()).toString("hex")
    if (/^[0-9a-f]+$/.test(want)) expect(read()).toBe(want)
    else expect(read).toThrow(want)
  })

  test("small integers have a bound", () => {
    expect(reader("02020100").smallUnsigned()).toBe(256)
    expect(() => reader("020701000000000000").smallUnsigned()).toThrow("too large")
  })
})

describe("times", () => {
  const time = (text: string, tag = "17") =>
    reader(`${tag}${text.length.toString(16).padStart(2, "0")}${Buffer.from(text).toString("hex")}`).time()

  test("UTCTime gives unix seconds, in 2000 to 2049", () => {
    expect(time("260812235711Z")).toBe(Date.UTC(2026, 7, 12, 23, 57, 11) / 1000)
    expect(time("491231235959Z")).toBe(Date.UTC(2049, 11, 31, 23, 59, 59) / 1000)
    expect(time("240229000000Z")).toBe(Date.UTC(2024, 1, 29) / 1000)
  })

  test.each([
    "2608122357Z",
    "260812235711",
    "260812235711+0100",
    "260230000000Z",
    "261301000000Z",
    "260812246000Z",
    "230229000000Z",
    "260812240000Z",
    "500101000000Z",
    "991231235959Z",
    "26081223571 Z",
    "",
  ])("%s is refused", (text) => expect(() => time(text)).toThrow("DER_MALFORMED"))

  test("a time of any length is refused with a typed error", () => {
    const long = `17830${(200_000).toString(16)}${"31".repeat(200_000)}`
    expect(() => reader(long).time()).toThrow("DER_MALFORMED")
  })

  test("GeneralizedTime is refused", () => {
    expect(() => time("20500101000000Z", "18")).toThrow("want tag 0x17")
  })
})

test("booleans are true or absent", () => {
  expect(reader("0101ff").optionalTrue()).toBe(true)
  expect(reader("0500").optionalTrue()).toBe(false)
  expect(reader("").optionalTrue()).toBe(false)
  expect(() => reader("010100").optionalTrue()).toThrow("must be ff")
  expect(() => reader("010101").optionalTrue()).toThrow("must be ff")
  expect(() => reader("0102ffff").optionalTrue()).toThrow("must be ff")
})

test("bit strings are strict", () => {
  expect(reader("030206c0").bitString()).toEqual({ unused: 6, bytes: Uint8Array.of(0xc0) })
  expect(reader("030100").bitString()).toEqual({ unused: 0, bytes: new Uint8Array(0) })
  expect(() => reader("0301").bitString()).toThrow("DER_MALFORMED")
  expect(() => reader("030108").bitString()).toThrow("unused bits")
  expect(() => reader("030101").bitString()).toThrow("unused bits")
  expect(() => reader("030206c1").bitString()).toThrow("unused bits that are not zero")
  expect(() => reader("0300").bitString()).toThrow("unused bits")
})

test("nothing may be left over", () => {
  const values = reader("0101ff02010a")
  expect(values.optionalTrue()).toBe(true)
  expect(() => values.end()).toThrow("3 bytes are left over")
})

test("arbitrary bytes are read or refused with a typed error, never another one", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        const outer = new DerReader(bytes)
        while (outer.peek() !== null) outer.inside(TAG.sequence).unsigned()
      } catch (error) {
        expect(error).toMatchObject({ detail: { code: "DER_MALFORMED" } })
      }
    }),
  )
})
