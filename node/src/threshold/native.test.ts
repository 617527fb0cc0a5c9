import { readFileSync } from "node:fs"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { crsCheck, crsFollow, crsUpdate, crsVerify } from "./crsCeremony.ts"
import { verifyInputList } from "./inputProofs.ts"
import { unsealKeyShare } from "./keyShare.ts"
import { callNative, NATIVE_ERROR_CODES, nativeError } from "./native.ts"
import { loadServerKey } from "./serverKey.ts"

const source = (path: string) => readFileSync(new URL(`../../native/src/${path}`, import.meta.url), "utf8")
const failure = (code: string) => (error: unknown) => isProtocolError(error, code)
const context = { ceremonyId: new Uint8Array(32), round: 0, party: 1 }

describe("failures of the addon", () => {
  test.each([
    ["1,3", [1, 3], "", []],
    ["", [], "1,13", [1, 13]],
    ["2", [2], "1,3", [1, 3]],
  ])("carry code, culprits %s %s, suspects %s and text", (named, culprits, doubted, suspects) => {
    const error = nativeError(new Error(`KEYGEN_DEGREE_CHECK|${named}|${doubted}|dealer 1 | or receiver 3`))
    if (!(error instanceof ProtocolError)) throw new Error("want a ProtocolError")
    const message = "dealer 1 | or receiver 3"
    expect(error.detail).toEqual({ code: "KEYGEN_DEGREE_CHECK", culprits, suspects, message })
  })

  test.for([
    "CRS_PROOF|",
    "CRS_PROOF|||",
    "UNKNOWN_CODE|||text",
    "CRS_PROOF|1,||text",
    "CRS_PROOF||1,|text",
    "",
  ])("anything else passes unchanged: %s", (message) => {
    const error = new Error(message)
    expect(nativeError(error)).toBe(error)
  })

  test("have the codes of the Rust sources, no more and no fewer", () => {
    const codes = `${source("errors.rs")}${source("crs/error.rs")}`.matchAll(/=> "([A-Z0-9_]+)",/g)
    expect(Array.from(codes, ([, code]) => code).sort()).toEqual([...NATIVE_ERROR_CODES])
  })
})

describe("bad bytes give typed errors", () => {
  test("crs", async () => {
    await expect(crsUpdate(new Uint8Array(3), context)).rejects.toSatisfy(failure("CRS_LENGTH"))
    await expect(crsVerify(null, new Uint8Array(3), context)).rejects.toSatisfy(failure("CRS_LENGTH"))
    const short = { ...context, ceremonyId: new Uint8Array(31) }
    await expect(crsVerify(null, new Uint8Array(3), short)).rejects.toSatisfy(failure("NATIVE_CONFIG"))
    const blank = new Uint8Array(3_555_560)
    await expect(crsVerify(null, blank, context)).rejects.toSatisfy(failure("CRS_HEADER"))
    await expect(crsFollow(null, blank, context)).rejects.toSatisfy(failure("CRS_HEADER"))
    await expect(crsCheck(new Uint8Array(3))).rejects.toSatisfy(failure("CRS_LENGTH"))
  })

  test("sealed shares", () => {
    const unseal = (sealed: Uint8Array, key: Uint8Array) => () =>
      unsealKeyShare(sealed, key, new Uint8Array(0))
    expect(unseal(new Uint8Array(3), new Uint8Array(32))).toThrow(/^SHARE_SEALED/)
    expect(unseal(new Uint8Array(700_000), new Uint8Array(32))).toThrow(/^SHARE_SEALED/)
    expect(unseal(new Uint8Array(3), new Uint8Array(31))).toThrow(/^NATIVE_CONFIG/)
  })

  test("files that are no server key", async () => {
    const load = (path: string, bytes: number) => loadServerKey({ path, sha256: new Uint8Array(bytes) })
    await expect(load("/nonexistent", 32)).rejects.toSatisfy(failure("NATIVE_IO"))
    await expect(load("/etc/hostname", 32)).rejects.toSatisfy(failure("SERVER_KEY_INVALID"))
    await expect(load("/etc/hostname", 31)).rejects.toSatisfy(failure("NATIVE_CONFIG"))
  })

  test("public keys and lists", async () => {
    const none = new Uint8Array(0)
    await expect(verifyInputList(none, none, none, none)).rejects.toSatisfy(failure("PUBLIC_KEY_INVALID"))
  })
})

test("arguments of a wrong type are own bugs, not protocol errors", () => {
  const wrong = "text" as unknown as Uint8Array
  expect(() => callNative((addon) => addon.crsLink(wrong))).toThrow(/TypedArray/)
})
