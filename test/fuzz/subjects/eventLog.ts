/** Event logs: a mutant that still replays to the quoted register states the same facts. */
import { createHash } from "node:crypto"
import { keccak } from "@twinlock/sdk/protocol/codec"
import { jsonTreeOf, mutateDocument } from "../jsonTree.ts"
import { attempt, mustEqual, Violation } from "../violation.ts"
import type { Subject } from "./subject.ts"

type Event = readonly [name: string, payload: string]

const provider = Buffer.from('{"name":"kms","id":"3059301306072a8648ce3d0201"}').toString("hex")
const BOOT: readonly Event[] = [
  ["system-preparing", ""],
  ["app-id", "a1".repeat(20)],
  ["compose-hash", "c0".repeat(32)],
  ["instance-id", "b2".repeat(20)],
  ["boot-mr-done", ""],
  ["key-provider", provider],
  ["storage-fs", "7a6673"],
  ["system-ready", ""],
  ["compose-hash", "dd".repeat(32)],
]

const entry = (imr: number, [event, event_payload]: Event) => ({
  imr,
  event_type: imr === 3 ? 0x08000001 : 3,
  digest: "00".repeat(48),
  event,
  event_payload,
})

export const logTree = jsonTreeOf([
  entry(0, ["", ""]),
  entry(2, ["", "00"]),
  ...BOOT.map((event) => entry(3, event)),
])

const sha384 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha384")
  for (const part of parts) hash.update(part)
  return hash.digest()
}

type Entry = { readonly imr: number; readonly event: string; readonly event_payload: string }

/** Register and facts, once more; the log is one that the SDK has accepted. */
export function oracle(log: string) {
  const events = (JSON.parse(log) as Entry[]).filter(({ imr }) => imr === 3)
  let register = Buffer.alloc(48)
  for (const { event, event_payload } of events) {
    const payload = Buffer.from(event_payload, "hex")
    const digest = sha384(Buffer.from("01000008", "hex"), Buffer.from(`:${event}:`, "utf8"), payload)
    register = Buffer.from(sha384(register, digest))
  }
  const end = events.findIndex(({ event }) => event === "system-ready")
  const boot = events.slice(0, end)
  const stranger = boot.find(
    ({ event }) => !BOOT.some(([name]) => name === event) && event !== "os-image-hash",
  )
  if (stranger !== undefined)
    throw new Violation(`event ${JSON.stringify(stranger.event)} in a boot was accepted`)
  const payloads = (name: string) =>
    boot.filter(({ event }) => event === name).map((one) => one.event_payload.toLowerCase())
  if (end < 0 || new Set(boot.map(({ event }) => event)).size !== boot.length)
    throw new Violation("a log without system-ready, or with an event twice before it, was accepted")
  const facts = {
    appId: `0x${payloads("app-id")[0]}`,
    composeHash: `0x${payloads("compose-hash")[0]}`,
    instanceId: `0x${payloads("instance-id")[0]}`,
    providerId: keccak(Buffer.from(payloads("key-provider")[0] ?? "", "hex")),
  }
  return { register: `0x${register.toString("hex")}`, facts }
}

export const genuine = oracle(JSON.stringify(BOOT.map((event) => entry(3, event))))

export const eventLog: Subject = {
  name: "event log",
  weight: 14,
  run: (rng, target) => {
    const log = mutateDocument(rng, logTree)
    const outcome = attempt(() => target.replay(log))
    if (outcome.status === "refused") return outcome
    mustEqual("the replay", outcome.value, oracle(log))
    if (outcome.value.register === genuine.register)
      mustEqual("the facts", outcome.value.facts, genuine.facts)
    return outcome
  },
}
