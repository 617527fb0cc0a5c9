import { describe, expect, test } from "vitest"
import { culprits, isProtocolError, ProtocolError, suspects } from "./errors.ts"
import { parsePartyIndex } from "./ids.ts"

describe("ProtocolError", () => {
  const alice = parsePartyIndex(1, 4)
  const bob = parsePartyIndex(2, 4)
  const error = new ProtocolError({ code: "BAD_THING", message: "a thing must be good", culprits: [bob] })

  test("carries code and rule in its message", () => {
    expect(error.message).toBe("BAD_THING: a thing must be good")
    expect(error.name).toBe("ProtocolError")
  })

  test("is recognised by code", () => {
    expect(isProtocolError(error)).toBe(true)
    expect(isProtocolError(error, "OTHER", "BAD_THING")).toBe(true)
    expect(isProtocolError(error, "OTHER")).toBe(false)
    expect(isProtocolError(new Error("BAD_THING"))).toBe(false)
  })

  test("names culprits, and nobody where none is proven", () => {
    expect(culprits(error)).toEqual([2])
    expect(culprits(new ProtocolError({ code: "X", message: "y" }))).toEqual([])
    expect(culprits(new TypeError("x"))).toEqual([])
  })

  test("keeps suspects apart: nobody is proven at fault by them", () => {
    const pair = new ProtocolError({ code: "X", message: "one of two lies", suspects: [bob, alice] })
    expect(suspects(pair)).toEqual([2, 1])
    expect(culprits(pair)).toEqual([])
    expect(suspects(error)).toEqual([])
    expect(suspects(new TypeError("x"))).toEqual([])
  })
})
