import { expect, test } from "vitest"
import { utf8ToBytes } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { composeHashOf, composeHashOfConfigId, configIdOf } from "./composeHash.ts"

const hash = composeHashOf(utf8ToBytes("{}"))

test("the register holds version, hash and zeros, and gives the hash back", () => {
  expect(configIdOf(hash)).toBe(`0x01${hash.slice(2)}${"00".repeat(15)}`)
  expect(composeHashOfConfigId(configIdOf(hash))).toBe(hash)
})

test.each<[string, Hex, string]>([
  ["zero", `0x${"00".repeat(48)}`, "CONFIG_ID_MISSING"],
  ["version 3", configIdOf(hash).replace("0x01", "0x03") as Hex, "CONFIG_ID_VERSION"],
  ["bytes after the hash", configIdOf(hash).replace(/00$/, "01") as Hex, "CONFIG_ID_VERSION"],
])("%s is refused", (_, register, code) => {
  expect(() => composeHashOfConfigId(register)).toThrow(code)
})
