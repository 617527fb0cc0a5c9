/**
 * RTMR3 of a simulated guest: the register and the event log that explains it, as the dstack guest writes them
 * (docs/attestation.md §6). Computed on its own, so that the verifier's replay is tested against another implementation.
 */
import { createHash } from "node:crypto"

const RUNTIME_EVENT = 0x08000001

export type LoggedEvent = {
  readonly imr: 3
  readonly event_type: number
  readonly digest: string
  readonly event: string
  readonly event_payload: string
}

export type BootLog = {
  /** Extends RTMR3 and appends to the log. */
  readonly extend: (event: string, payload: Uint8Array | string) => void
  readonly register: () => Uint8Array
  readonly events: () => readonly LoggedEvent[]
}

export function createBootLog(): BootLog {
  let register: Uint8Array = new Uint8Array(48)
  const events: LoggedEvent[] = []
  return {
    extend(event, payload) {
      const bytes = Buffer.from(payload)
      const type = Buffer.alloc(4)
      type.writeUInt32LE(RUNTIME_EVENT)
      const digest = createHash("sha384").update(type).update(`:${event}:`).update(bytes).digest()
      register = createHash("sha384").update(register).update(digest).digest()
      events.push({
        imr: 3,
        event_type: RUNTIME_EVENT,
        digest: digest.toString("hex"),
        event,
        event_payload: bytes.toString("hex"),
      })
    },
    register: () => register,
    events: () => events,
  }
}
