import { expect, test } from "vitest"
import { utf8ToBytes } from "../protocol/codec.ts"
import { type Digest, type Hex, parseDigest } from "../protocol/ids.ts"
import { composeHashOf, composeHashOfConfigId, configIdOf } from "./composeHash.ts"
import { configIdOfDocument, encodeConfigDocument } from "./configDocument.ts"

const hash = composeHashOf(utf8ToBytes('{"manifest_version":2}'))
const documentOf = (composeHash: Digest) =>
  encodeConfigDocument({
    appId: `0x${"11".repeat(20)}`,
    composeHash,
    instanceId: `0x${"44".repeat(20)}`,
    keyProvider: "kms",
    keyProviderId: `0x${"33".repeat(32)}`,
  })
const document = documentOf(hash)
const ZERO = parseDigest(`0x${"00".repeat(32)}`)

test("the register of version 1 holds version, hash and zeros, and gives the hash back", () => {
  expect(configIdOf(hash)).toBe(`0x01${hash.slice(2)}${"00".repeat(15)}`)
  expect(composeHashOfConfigId(configIdOf(hash))).toBe(hash)
  expect(composeHashOfConfigId(configIdOf(hash), new Uint8Array(0))).toBe(hash)
})

test("the register of version 3 gives the hash of its document back", () => {
  expect(composeHashOfConfigId(configIdOfDocument(document), document)).toBe(hash)
})

const edited = (register: Hex, pattern: RegExp, by: string) => register.replace(pattern, by) as Hex
const strange = utf8ToBytes('{"compose_hash":"00","version":3}')

test.each<[string, Hex, Uint8Array | undefined, string]>([
  ["zero", `0x${"00".repeat(48)}`, undefined, "CONFIG_ID_MISSING"],
  ["version 1 of a zero hash", configIdOf(ZERO), undefined, "CONFIG_ID_MISSING"],
  ["version 3 of a zero hash", configIdOfDocument(documentOf(ZERO)), documentOf(ZERO), "CONFIG_ID_MISSING"],
  ["version 2", edited(configIdOf(hash), /^0x01/, "0x02"), undefined, "CONFIG_ID_VERSION"],
  ["version 0 with a hash", edited(configIdOf(hash), /^0x01/, "0x00"), undefined, "CONFIG_ID_VERSION"],
  ["bytes after the hash", edited(configIdOf(hash), /00$/, "01"), undefined, "CONFIG_ID_VERSION"],
  [
    "bytes after the document's hash",
    edited(configIdOfDocument(document), /00$/, "01"),
    document,
    "CONFIG_ID_VERSION",
  ],
  ["version 1 with a document", configIdOf(hash), document, "CONFIG_DOCUMENT_MISMATCH"],
  ["version 3 without a document", configIdOfDocument(document), undefined, "CONFIG_DOCUMENT_MISSING"],
  [
    "version 3 with another document",
    configIdOfDocument(document),
    documentOf(composeHashOf(utf8ToBytes("x"))),
    "CONFIG_DOCUMENT_MISMATCH",
  ],
  ["a document of another form", configIdOfDocument(strange), strange, "CONFIG_DOCUMENT_MALFORMED"],
])("%s is refused", (_, register, given, code) => {
  expect(() => composeHashOfConfigId(register, given)).toThrow(code)
})
