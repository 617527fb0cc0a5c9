import { createPlatform } from "@twinlock/devnet/platform/platform"
import type { QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { describe, expect, test } from "vitest"
import { toHex, utf8ToBytes } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { parseRootKey } from "./chain.ts"
import { composeHashOf, configIdOf } from "./composeHash.ts"
import {
  type ConfigDocument,
  configIdOfDocument,
  encodeConfigDocument,
  parseConfigDocument,
} from "./configDocument.ts"
import type { AttestationErrorCode } from "./errors.ts"
import { parseEventLog, providerIdOf, replayRuntimeEvents } from "./eventLog.ts"
import { ANY_PLATFORM } from "./platformPolicy.ts"
import {
  type AllowListEntry,
  type AttestationPolicy,
  appraiseEventLog,
  appraiseMachine,
  appraiseQuote,
  DEFAULT_POLICY,
  imageIdOf,
} from "./policy.ts"
import { quoteVerifierUnder, type VerifiedQuote } from "./underRoot.ts"

const platform = createPlatform({ seed: "policy", now: 1_791_158_400 })
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const register = (byte: string): Hex => `0x${byte.repeat(48)}`
const image = { mrTd: register("11"), rtMr0: register("12"), rtMr1: register("13"), rtMr2: register("14") }
const composeHash = composeHashOf(utf8ToBytes("{}"))
const provider = '{"name":"kms","id":"00"}'
const reportData = new Uint8Array(64).fill(5)

type Entries = readonly (readonly [name: string, payload: Uint8Array])[]
const logOf = (entries: Entries) =>
  JSON.stringify(
    entries.map(([event, payload]) => ({
      imr: 3,
      event_type: 0x08000001,
      digest: "",
      event,
      event_payload: toHex(payload).slice(2),
    })),
  )
const bootEntries = (compose: Hex, keyProvider: string): Entries => [
  ["app-id", new Uint8Array(20)],
  ["compose-hash", Uint8Array.from(Buffer.from(compose.slice(2), "hex"))],
  ["instance-id", new Uint8Array(0)],
  ["key-provider", utf8ToBytes(keyProvider)],
  ["system-ready", new Uint8Array(0)],
]
const log = logOf(bootEntries(composeHash, provider))
const registerOf = (eventLog: string) => replayRuntimeEvents(parseEventLog(eventLog))

const entry: AllowListEntry = {
  role: "keyholder",
  imageId: imageIdOf(image),
  composeHash,
  providerId: providerIdOf(utf8ToBytes(provider)),
  version: 1,
}
const policy: AttestationPolicy = { ...DEFAULT_POLICY, entries: [entry] }

function verified(knobs: QuoteKnobs = {}, eventLog = log): VerifiedQuote {
  const measurements = {
    ...image,
    rtMr3: registerOf(eventLog),
    mrConfigId: configIdOf(composeHash),
    ...knobs.measurements,
  }
  return verifier.verify(platform.quote({ reportData, ...knobs, measurements }), {
    collateral: platform.collateral(),
    time: platform.now,
    floors: { tcb: 20, qe: 20 },
  })
}

const appraise = (quote: VerifiedQuote, changed: Partial<AttestationPolicy> = {}) =>
  appraiseQuote(quote, { ...policy, ...changed }, { role: "keyholder", reportData })

test("an allowed image in its role is accepted, with its boot", () => {
  const quote = verified()
  expect(appraise(quote)).toEqual(entry)
  expect(appraiseEventLog(quote, entry, log)).toMatchObject({ composeHash, instanceId: "0x" })
})

const outOfDate = () => ({ ...verified(), status: "OutOfDate" as const })

test.each<[string, () => VerifiedQuote, Partial<AttestationPolicy>, AttestationErrorCode]>([
  ["an out-of-date TCB", outOfDate, {}, "POLICY_TCB_STATUS"],
  [
    "performance counters",
    () => verified({ tdAttributes: "0x0000001000000080" }),
    {},
    "POLICY_TD_ATTRIBUTES",
  ],
  ["unknown processor features", () => verified({ xfam: "0xe706060000000000" }), {}, "POLICY_XFAM"],
  ["missing processor features", () => verified({ xfam: "0xe602060000000000" }), {}, "POLICY_XFAM"],
  ["an owner", () => verified({ measurements: { mrOwner: register("01") } }), {}, "POLICY_OWNER"],
  [
    "an owner's configuration",
    () => verified({ measurements: { mrOwnerConfig: register("01") } }),
    {},
    "POLICY_OWNER",
  ],
  [
    "a denied machine",
    verified,
    { platform: { ...ANY_PLATFORM, deniedPpids: [platform.machine("host0").ppid] } },
    "POLICY_PPID",
  ],
  ["another firmware", () => verified({ measurements: { mrTd: register("99") } }), {}, "POLICY_IMAGE"],
  ["another machine shape", () => verified({ measurements: { rtMr0: register("99") } }), {}, "POLICY_IMAGE"],
  ["another kernel", () => verified({ measurements: { rtMr1: register("99") } }), {}, "POLICY_IMAGE"],
  [
    "another root file system",
    () => verified({ measurements: { rtMr2: register("99") } }),
    {},
    "POLICY_IMAGE",
  ],
  ["an image for another role", verified, { entries: [{ ...entry, role: "executor" }] }, "POLICY_IMAGE"],
  ["an empty allow-list", verified, { entries: [] }, "POLICY_IMAGE"],
  [
    "another compose file",
    () => verified({ measurements: { mrConfigId: configIdOf(composeHashOf(utf8ToBytes("x"))) } }),
    {},
    "POLICY_COMPOSE",
  ],
  [
    "no bound compose file",
    () => verified({ measurements: { mrConfigId: register("00") } }),
    {},
    "CONFIG_ID_MISSING",
  ],
  ["another purpose", () => verified({ reportData: new Uint8Array(64) }), {}, "POLICY_REPORT_DATA"],
])("%s is refused", (_, make, changed, code) => {
  expect(() => appraise(make(), changed)).toThrow(code)
})

test("the machine is judged by the contract's rules alone: status, platform and list are the registry's", () => {
  const facts = { imageId: imageIdOf(image), composeHash }
  expect(appraiseMachine(verified())).toEqual(facts)
  expect(appraiseMachine(outOfDate())).toEqual(facts)
  expect(() => appraiseMachine(verified({ xfam: "0x0100000000000000" }))).toThrow("POLICY_XFAM")
  const counters = verified({ tdAttributes: "0x0000001000000080" })
  const lenient = { ...DEFAULT_POLICY, tdAttributes: ["0x0000001000000080"] } as const
  expect(() => appraiseMachine(counters)).toThrow("POLICY_TD_ATTRIBUTES")
  expect(appraiseMachine(counters, lenient)).toEqual(facts)
})

describe("a configuration document", () => {
  const configDocument = encodeConfigDocument({
    appId: `0x${"00".repeat(20)}`,
    composeHash,
    instanceId: "0x",
    keyProvider: "kms",
    keyProviderId: "0x00",
  })
  const bound = { measurements: { mrConfigId: configIdOfDocument(configDocument) } }

  test("stands behind a register of version 3", () => {
    expect(appraiseMachine(verified(bound), policy, configDocument).composeHash).toBe(composeHash)
    const expected = { role: "keyholder", reportData, configDocument } as const
    expect(appraiseQuote(verified(bound), policy, expected)).toEqual(entry)
    expect(() => appraise(verified(bound))).toThrow("CONFIG_DOCUMENT_MISSING")
    expect(appraiseEventLog(verified(bound), entry, log, configDocument)).toMatchObject({ composeHash })
  })

  test.each<[string, Partial<ConfigDocument>]>([
    ["app", { appId: `0x${"01".repeat(20)}` }],
    ["instance", { instanceId: `0x${"01".repeat(20)}` }],
  ])("must name the %s that booted", (_, changed) => {
    const other = encodeConfigDocument({ ...parseConfigDocument(configDocument), ...changed })
    const quote = verified({ measurements: { mrConfigId: configIdOfDocument(other) } })
    expect(() => appraiseEventLog(quote, entry, log, other)).toThrow("CONFIG_ID_MISMATCH")
  })
})

test.each<Hex>(["0x0702000000000000", "0xe718060000000000", "0xe742060000000000", "0xe700060000000000"])(
  "processor features %s of real hosts are accepted",
  (xfam) => expect(appraise(verified({ xfam }))).toEqual(entry),
)

test("policy may accept a status that is not the best", () => {
  expect(
    appraise(outOfDate(), { status: { ...policy.status, accepted: ["UpToDate", "OutOfDate"] } }),
  ).toEqual(entry)
})

test("the event log must replay to RTMR3", () => {
  const quote = verified()
  const edited = log.replace(toHex(utf8ToBytes("kms")).slice(2), toHex(utf8ToBytes("kmt")).slice(2))
  expect(edited).not.toBe(log)
  expect(() => appraiseEventLog(quote, entry, edited)).toThrow("EVENT_LOG_MISMATCH")
})

test("the booted compose file must be the bound one", () => {
  const other = logOf(bootEntries(composeHashOf(utf8ToBytes("other")), provider))
  expect(() => appraiseEventLog(verified({}, other), entry, other)).toThrow("CONFIG_ID_MISMATCH")
})

test("the key provider must be that of an entry", () => {
  const foreign = logOf(bootEntries(composeHash, '{"name":"kms","id":"ff"}'))
  expect(() => appraiseEventLog(verified({}, foreign), entry, foreign)).toThrow("POLICY_KEY_PROVIDER")
  const second = { ...entry, providerId: providerIdOf(utf8ToBytes('{"name":"kms","id":"ff"}')) }
  expect(appraiseEventLog(verified({}, foreign), second, foreign).providerId).toBe(second.providerId)
})
