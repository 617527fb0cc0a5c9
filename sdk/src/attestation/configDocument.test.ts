import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { utf8ToBytes } from "../protocol/codec.ts"
import { parseDigest } from "../protocol/ids.ts"
import {
  type ConfigDocument,
  configIdOfDocument,
  encodeConfigDocument,
  parseConfigDocument,
} from "./configDocument.ts"

const fields: ConfigDocument = {
  appId: `0x${"11".repeat(20)}`,
  composeHash: parseDigest(`0x${"22".repeat(32)}`),
  instanceId: `0x${"44".repeat(20)}`,
  keyProvider: "kms",
  keyProviderId: `0x${"33".repeat(32)}`,
}
const TEXT = `{"app_id":"${"11".repeat(20)}","compose_hash":"${"22".repeat(32)}","instance_id":"${"44".repeat(20)}","key_provider":"kms","key_provider_id":"${"33".repeat(32)}","version":3}`

test("the canonical spelling is written and read", () => {
  expect(Buffer.from(encodeConfigDocument(fields)).toString()).toBe(TEXT)
  expect(parseConfigDocument(utf8ToBytes(TEXT))).toEqual(fields)
})

test("values that only some instances have may be empty", () => {
  const text = TEXT.replace(/"(1{40}|4{40}|3{64})"/g, '""').replace("kms", "local-sgx")
  expect(parseConfigDocument(utf8ToBytes(text))).toEqual({
    ...fields,
    appId: "0x",
    instanceId: "0x",
    keyProvider: "local-sgx",
    keyProviderId: "0x",
  })
})

test("the register is a hash under its own domain", () => {
  const hash = createHash("sha256").update("dstack-mr-config-v3:\0").update(TEXT).digest("hex")
  expect(configIdOfDocument(utf8ToBytes(TEXT))).toBe(`0x03${hash}${"00".repeat(15)}`)
})

test.each<[string, string]>([
  ["nothing", ""],
  ["white space", TEXT.replace(",", ", ")],
  ["a line after it", `${TEXT}\n`],
  ["a byte order mark", `\ufeff${TEXT}`],
  ["members in another order", TEXT.replace(/("app_id":"1+"),("compose_hash":"2+")/, "$2,$1")],
  ["a member twice", TEXT.replace('"version":3', '"version":3,"version":3')],
  ["a GPU policy", TEXT.replace('"instance_id"', `"gpu_policy_hash":"${"55".repeat(32)}","instance_id"`)],
  ["init scripts", TEXT.replace('"instance_id"', '"init_script_hashes":[],"instance_id"')],
  ["an unknown member", TEXT.replace('"version":3', '"version":3,"zeal":1')],
  ["no instance id", TEXT.replace(/"instance_id":"4+",/, "")],
  ["no provider id", TEXT.replace(/"key_provider_id":"3+",/, "")],
  ["a provider id of half a byte", TEXT.replace(/"key_provider_id":"3/, '"key_provider_id":"')],
  ["no key provider", TEXT.replace('"kms"', '""')],
  ["a key provider that is no name", TEXT.replace('"kms"', '"KMS"')],
  ["upper-case hex", TEXT.replace("33", "AA")],
  ["a short compose hash", TEXT.replace("2222", "22")],
  ["another version", TEXT.replace('"version":3', '"version":4')],
  ["a version that is text", TEXT.replace('"version":3', '"version":"3"')],
  ["an escape", TEXT.replace('"kms"', '"\\u006bms"')],
  ["more than 16 KiB", TEXT.replace("33", "33".repeat(9000))],
])("a document with %s is refused", (_, text) => {
  expect(() => parseConfigDocument(utf8ToBytes(text))).toThrow("CONFIG_DOCUMENT_MALFORMED")
})
