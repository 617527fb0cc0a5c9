/**
 * Replay of RTMR3, into which the dstack guest measures its own boot (docs/attestation.md §6). Digests are always
 * recomputed from the payloads: a log that carries its own digests proves nothing about its payloads, and newer
 * guests leave them out. Facts are taken from before `system-ready` only; whatever the application emits later can
 * move the register but cannot state a fact.
 */
import { sha384 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, keccak, toHex, utf8ToBytes } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"
import { parseStrictJson } from "./strictJson.ts"

export type RuntimeEvent = { readonly name: string; readonly payload: Uint8Array }

/** What the guest measured about itself while it booted. */
export type BootFacts = {
  /** 20 bytes. */
  readonly appId: Hex
  /** 32 bytes. */
  readonly composeHash: Hex
  /** 20 bytes, or none where the compose file asks for no instance id. */
  readonly instanceId: Hex
  /** keccak256 of the key provider's JSON: names who can derive the guest's sealing keys. */
  readonly providerId: Digest
}

const RUNTIME_EVENT_TYPE = 0x08000001
const LOG_LIMIT = 1024 * 1024
const EVENT_LIMIT = 4096
/**
 * What a guest measures before `system-ready`. Any other event is refused: `init-script-hash` and `gpu-policy-hash`
 * say that the guest also ran what no compose file names, and a later one may say worse.
 */
const BOOT_EVENTS: readonly string[] = [
  "system-preparing",
  "app-id",
  "compose-hash",
  "instance-id",
  "boot-mr-done",
  "os-image-hash",
  "key-provider",
  "storage-fs",
]

const malformed = (message: string) => attestationError("EVENT_LOG_MALFORMED", message)

function parseEvent(entry: unknown, index: number): RuntimeEvent | null {
  if (typeof entry !== "object" || entry === null) throw malformed(`event ${index} is not an object`)
  const { imr, event_type, event, event_payload } = entry as Readonly<Record<string, unknown>>
  if (imr === 0 || imr === 1 || imr === 2) return null
  if (imr !== 3)
    throw malformed(`event ${index} extends unknown register ${JSON.stringify(imr)?.slice(0, 20)}`)
  if (event_type !== RUNTIME_EVENT_TYPE) throw malformed(`event ${index} of RTMR3 is not a runtime event`)
  if (
    typeof event !== "string" ||
    typeof event_payload !== "string" ||
    !/^([0-9a-fA-F]{2})*$/.test(event_payload)
  )
    throw malformed(`event ${index} needs a name and a hex payload`)
  return { name: event, payload: fromHex(`0x${event_payload}`) }
}

/** The RTMR3 events of a guest agent's event log, in order. @throws EVENT_LOG_MALFORMED */
export function parseEventLog(text: string): readonly RuntimeEvent[] {
  if (text.length > LOG_LIMIT)
    throw malformed(`an event log has at most ${LOG_LIMIT} characters, got ${text.length}`)
  const entries = parseStrictJson(text, "EVENT_LOG_MALFORMED")
  if (!Array.isArray(entries) || entries.length > EVENT_LIMIT)
    throw malformed(`an event log is a list of at most ${EVENT_LIMIT} events`)
  return entries.map(parseEvent).filter((event) => event !== null)
}

/** How a guest hashes an event; its compose file chooses one for the whole log. */
export type EventDigest = 1 | 2

/** Version 1: type ‖ ":" ‖ name ‖ ":" ‖ payload, type little-endian. Version 2: canonical JSON (RFC 8785). */
function hashedBytes({ name, payload }: RuntimeEvent, version: EventDigest): Uint8Array {
  if (version === 1) return concatBytes(Uint8Array.of(1, 0, 0, 8), utf8ToBytes(`:${name}:`), payload)
  return utf8ToBytes(JSON.stringify({ name, payload: toHex(payload).slice(2), type: RUNTIME_EVENT_TYPE }))
}

/** The register after all events, 48 bytes, from zero. */
export const replayRuntimeEvents = (events: readonly RuntimeEvent[], version: EventDigest = 1): Hex =>
  toHex(
    events.reduce(
      (register, event) => sha384(concatBytes(register, sha384(hashedBytes(event, version)))),
      new Uint8Array(48),
    ),
  )

/**
 * The events of `text`, after they replay to the quoted register with either digest: no text is both.
 * @param rtMr3 48 bytes. @throws EVENT_LOG_MALFORMED, EVENT_LOG_MISMATCH
 */
export function verifyEventLog(text: string, rtMr3: Hex): readonly RuntimeEvent[] {
  const events = parseEventLog(text)
  const replayed = replayRuntimeEvents(events)
  if (replayed !== rtMr3 && replayRuntimeEvents(events, 2) !== rtMr3)
    throw attestationError("EVENT_LOG_MISMATCH", `the event log replays to ${replayed}, RTMR3 is ${rtMr3}`)
  return events
}

/**
 * The facts of the boot.
 * @throws EVENT_LOG_INCOMPLETE without `system-ready` or a wanted event, EVENT_LOG_DUPLICATE where an event stands
 * twice before it, EVENT_LOG_UNKNOWN where one before it is not a known one.
 */
export function bootFactsOf(events: readonly RuntimeEvent[]): BootFacts {
  const end = events.findIndex((event) => event.name === "system-ready")
  if (end < 0) throw attestationError("EVENT_LOG_INCOMPLETE", "the event log has no system-ready")
  const boot = new Map<string, Uint8Array>()
  for (const { name, payload } of events.slice(0, end)) {
    if (!BOOT_EVENTS.includes(name))
      throw attestationError(
        "EVENT_LOG_UNKNOWN",
        `event ${JSON.stringify(name.slice(0, 80))} is not known in a boot`,
      )
    if (boot.has(name))
      throw attestationError("EVENT_LOG_DUPLICATE", `event ${JSON.stringify(name)} stands twice`)
    boot.set(name, payload)
  }
  const fact = (name: string, ...lengths: readonly number[]): Uint8Array => {
    const payload = boot.get(name)
    if (!payload) throw attestationError("EVENT_LOG_INCOMPLETE", `event ${name} is missing`)
    if (lengths.length > 0 && !lengths.includes(payload.length))
      throw malformed(`event ${name} has ${payload.length} bytes, want ${lengths.join(" or ")}`)
    return payload
  }
  return {
    appId: toHex(fact("app-id", 20)),
    composeHash: toHex(fact("compose-hash", 32)),
    instanceId: toHex(fact("instance-id", 0, 20)),
    providerId: providerIdOf(fact("key-provider")),
  }
}

/** @param payload of the key-provider event: JSON with name and id, taken as opaque bytes. */
export const providerIdOf = (payload: Uint8Array): Digest => keccak(payload)
