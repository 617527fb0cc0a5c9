import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { toHex, utf8ToBytes } from "../protocol/codec.ts"
import { composeHashOf, composeHashOfConfigId } from "./composeHash.ts"
import {
  bootFactsOf,
  parseEventLog,
  providerIdOf,
  type RuntimeEvent,
  replayRuntimeEvents,
  verifyEventLog,
} from "./eventLog.ts"
import { parseQuote } from "./quote.ts"

const SAMPLES = new URL("../../../../shared/attestation-samples/", import.meta.url)
const present = existsSync(SAMPLES)
const textOf = (path: string) => readFileSync(new URL(path, SAMPLES), "utf8")
const rtMr3Of = (id: string) =>
  parseQuote(new Uint8Array(readFileSync(new URL(`${id}/quote.bin`, SAMPLES)))).report.rtMr3

describe.skipIf(!present)(
  `real event logs (${present ? "from shared/attestation-samples" : "skipped: ../shared/attestation-samples is absent"})`,
  () => {
    test("a log with digests replays, and its compose file is the bound one", () => {
      const id = "near-mpc-dstack-v4-b0c0"
      const { event_log } = JSON.parse(textOf(`${id}/tcb_info.json`)) as { event_log: unknown }
      const events = parseEventLog(JSON.stringify(event_log))
      expect(replayRuntimeEvents(events)).toBe(rtMr3Of(id))
      const compose = composeHashOf(utf8ToBytes(textOf(`${id}/app_compose.json`)))
      const quote = parseQuote(new Uint8Array(readFileSync(new URL(`${id}/quote.bin`, SAMPLES))))
      expect(bootFactsOf(events)).toMatchObject({ composeHash: compose, instanceId: "0x" })
      expect(composeHashOfConfigId(quote.report.mrConfigId)).toBe(compose)
    })

    test.each(["dstack-tdx-lite-v4-90c0", "dstack-verifier-v4-90c0"])(
      "%s replays, with or without digests",
      (id) => {
        const { event_log } = JSON.parse(textOf(`${id}/getquote.json`)) as { event_log: string }
        expect(replayRuntimeEvents(parseEventLog(event_log))).toBe(rtMr3Of(id))
        expect(bootFactsOf(verifyEventLog(event_log, rtMr3Of(id))).instanceId).toMatch(/^0x[0-9a-f]{40}$/)
      },
    )
  },
)

const event = (name: string, payload: string | Uint8Array = ""): RuntimeEvent => ({
  name,
  payload: typeof payload === "string" ? utf8ToBytes(payload) : payload,
})
const boot: readonly RuntimeEvent[] = [
  event("system-preparing"),
  event("app-id", new Uint8Array(20).fill(1)),
  event("compose-hash", new Uint8Array(32).fill(2)),
  event("instance-id", new Uint8Array(20).fill(3)),
  event("key-provider", '{"name":"kms","id":"00"}'),
  event("system-ready"),
]

test("facts come from before system-ready", () => {
  const late = [...boot, event("compose-hash", new Uint8Array(32).fill(9)), event("compose-hash")]
  expect(bootFactsOf(late)).toEqual({
    appId: toHex(new Uint8Array(20).fill(1)),
    composeHash: toHex(new Uint8Array(32).fill(2)),
    instanceId: toHex(new Uint8Array(20).fill(3)),
    providerId: providerIdOf(utf8ToBytes('{"name":"kms","id":"00"}')),
  })
  expect(replayRuntimeEvents(late)).not.toBe(replayRuntimeEvents(boot))
})

const without = (name: string) => boot.filter((candidate) => candidate.name !== name)

test.each<[string, readonly RuntimeEvent[], string]>([
  ["a log that never became ready", without("system-ready"), "EVENT_LOG_INCOMPLETE"],
  [
    "a log that goes on without ever becoming ready",
    [...without("system-ready"), event("late")],
    "has no system-ready",
  ],
  ["no compose hash", without("compose-hash"), "EVENT_LOG_INCOMPLETE"],
  ["no key provider", without("key-provider"), "EVENT_LOG_INCOMPLETE"],
  ["a fact that stands twice", [boot[2] ?? event(""), ...boot], "EVENT_LOG_DUPLICATE"],
  ["a script that ran", [event("init-script-hash", "x"), ...boot], "EVENT_LOG_UNKNOWN"],
  ["a policy for graphics processors", [event("gpu-policy-hash", "x"), ...boot], "EVENT_LOG_UNKNOWN"],
  ["a fact of the future", [event("later-hash", "x"), ...boot], "EVENT_LOG_UNKNOWN"],
  ["a short app id", [event("app-id", "x"), ...without("app-id")], "EVENT_LOG_MALFORMED"],
])("%s is refused", (_, events, code) => {
  expect(() => bootFactsOf(events)).toThrow(code)
})

test("names and payloads both move the register", () => {
  const one = replayRuntimeEvents([event("a", "b")])
  expect(replayRuntimeEvents([event("a", "c")])).not.toBe(one)
  expect(replayRuntimeEvents([event("b", "b")])).not.toBe(one)
  expect(replayRuntimeEvents([])).toBe(`0x${"00".repeat(48)}`)
})

test("the second version of digests is over canonical JSON", () => {
  const json = '{"name":"app-id","payload":"0102","type":134217729}'
  const digest = createHash("sha384").update(json).digest()
  const register = createHash("sha384").update(new Uint8Array(48)).update(digest).digest("hex")
  expect(replayRuntimeEvents([event("app-id", Uint8Array.of(1, 2))], 2)).toBe(`0x${register}`)
})

test("a log is good when either version of digests replays to the register", () => {
  const text = JSON.stringify(
    boot.map(({ name, payload }) => ({
      imr: 3,
      event_type: 0x08000001,
      digest: "",
      event: name,
      event_payload: Buffer.from(payload).toString("hex"),
    })),
  )
  expect(verifyEventLog(text, replayRuntimeEvents(boot, 1))).toEqual(boot)
  expect(verifyEventLog(text, replayRuntimeEvents(boot, 2))).toEqual(boot)
  const other = replayRuntimeEvents(boot.slice(1))
  expect(() => verifyEventLog(text, other)).toThrow("EVENT_LOG_MISMATCH")
})

const entry = { imr: 3, event_type: 0x08000001, digest: "", event: "a", event_payload: "00" }

test("registers of the firmware are left out, digests are not looked at", () => {
  const log = [
    { imr: 0, event_type: 4, digest: "zz" },
    { ...entry, digest: "11" },
  ]
  expect(parseEventLog(JSON.stringify(log))).toEqual([{ name: "a", payload: Uint8Array.of(0) }])
})

test.each<[string, string]>([
  ["no JSON", "{"],
  ["no list", "{}"],
  ["an entry that is no object", "[1]"],
  ["an entry that is nothing", "[null]"],
  ["a register that no text can be made of", '[{"imr":{"toString":1,"valueOf":1}}]'],
  ["a register of members", '[{"imr":{"toJSON":1}}]'],
  ["no register", '[{"event":"a"}]'],
  ["an unknown register", JSON.stringify([{ ...entry, imr: 4 }])],
  ["another type in RTMR3", JSON.stringify([{ ...entry, event_type: 4 }])],
  ["a payload that is not hex", JSON.stringify([{ ...entry, event_payload: "0" }])],
  ["a missing name", JSON.stringify([{ ...entry, event: undefined }])],
  ["an event's member twice", '[{"imr":0,"imr":3}]'],
  ["depth without end", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["a register that is no whole number", '[{"imr":3.0}]'],
  ["a type that is text", JSON.stringify([{ ...entry, event_type: "134217729" }])],
  ["a payload with 0x", JSON.stringify([{ ...entry, event_payload: "0x00" }])],
  ["too many events", JSON.stringify(Array.from({ length: 4_097 }, () => entry))],
  ["too many characters", `[]${" ".repeat(2 ** 20)}`],
])("%s is refused", (_, text) => {
  expect(() => parseEventLog(text)).toThrow("EVENT_LOG_MALFORMED")
})
