/** Memory that the addon's work leaves with the allocator: glibc keeps it until told otherwise. */
import type { Cancel, Scheduler } from "../clock.ts"
import { every, repeat } from "../repeat.ts"
import { awaitNative } from "../threshold/native.ts"

const INTERVAL_MS = 30_000

/** Gives freed native memory back to the system twice a minute, until cancelled. */
export function trimMemoryRegularly(scheduler: Scheduler, onError: (err: unknown) => void): Cancel {
  const trim = () => awaitNative((addon) => addon.trimMemory())
  const { start, stop } = repeat(scheduler, trim, { pause: every(INTERVAL_MS), onError })
  start(INTERVAL_MS)
  return stop
}
