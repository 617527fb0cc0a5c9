import { createHash } from "node:crypto"
import { bootFactsOf, parseEventLog, replayRuntimeEvents } from "@twinlock/sdk/attestation/eventLog"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { describe, expect, test } from "vitest"
import { createPlatform } from "../platform/platform.ts"
import { createCvm } from "./cvm.ts"
import { devnetCompose } from "./image.ts"
import { createKeyService } from "./keyService.ts"
import { callAgent, type RpcArguments } from "./rpc.ts"

const cvm = createCvm({
  platform: createPlatform({ seed: "rpc", now: 1_791_158_400 }),
  machine: "alice",
  role: "keyholder",
  compose: devnetCompose("keyholder"),
  keys: createKeyService("rpc"),
})
const call = (method: string, given: RpcArguments = {}) =>
  callAgent(cvm, method, given) as Readonly<Record<string, string>>

test("short report data is padded on the right, long data refused", () => {
  const { quote, report_data } = call("GetQuote", { report_data: "0xabcd" })
  expect(report_data).toBe(`abcd${"00".repeat(62)}`)
  expect(parseQuote(Buffer.from(quote ?? "", "hex")).report.reportData).toBe(`0x${report_data}`)
  expect(() => call("GetQuote", { report_data: "00".repeat(65) })).toThrow("too long")
})

test("an emitted event moves RTMR3 and the log, but no fact of the boot", () => {
  const before = parseEventLog(call("GetQuote")["event_log"] ?? "")
  call("EmitEvent", { event: "compose-hash", payload: "00".repeat(32) })
  const { quote, event_log } = call("GetQuote")
  const events = parseEventLog(event_log ?? "")
  const { report } = parseQuote(Buffer.from(quote ?? "", "hex"))
  expect(events).toHaveLength(before.length + 1)
  expect(replayRuntimeEvents(events)).toBe(report.rtMr3)
  expect(bootFactsOf(events)).toEqual(bootFactsOf(before))
})

test("Info names the compose file that the quote binds", () => {
  const info = call("Info")
  const composeHash = createHash("sha256").update(cvm.compose).digest("hex")
  expect(info["compose_hash"]).toBe(composeHash)
  expect(parseQuote(cvm.quote(new Uint8Array(64))).report.mrConfigId).toBe(
    `0x01${composeHash}${"00".repeat(15)}`,
  )
  expect(JSON.parse(info["tcb_info"] ?? "")).toMatchObject({ rtmr3: toHex(cvm.rtMr3()).slice(2) })
})

describe("signatures", () => {
  const digest = createHash("sha256").update("data").digest("hex")
  test.each([
    ["ed25519", Buffer.from("data").toString("hex")],
    ["secp256k1", Buffer.from("data").toString("hex")],
    ["secp256k1_prehashed", digest],
  ])("%s verifies, over these data only", (algorithm, data) => {
    const { signature, public_key } = call("Sign", { algorithm, data })
    expect(call("Verify", { algorithm, data, signature, public_key })).toEqual({ valid: true })
    const other = data.replace(/^../, "ff")
    expect(call("Verify", { algorithm, data: other, signature, public_key })).toEqual({ valid: false })
    expect(call("Verify", { algorithm, data, signature: "00", public_key })).toEqual({ valid: false })
  })
})

test.each([
  ["an unknown call", "Nothing", {}, "Service not found"],
  ["an unknown algorithm", "GetKey", { algorithm: "rsa" }, "Unsupported algorithm"],
  ["bytes that are not hex", "GetQuote", { report_data: "zz" }, "must be hex"],
  ["a number instead of text", "GetKey", { path: 1 }, "must be a string"],
  ["a short digest", "Sign", { algorithm: "secp256k1_prehashed", data: "00" }, "32-byte digest"],
])("%s is refused", (_, method, given, message) => {
  expect(() => call(method, given)).toThrow(message)
})
