/** Memory that the addon's work leaves with the allocator: glibc keeps it until told otherwise. */
import type { Cancel, Scheduler } from "../clock.ts"
import { awaitNative } from "../threshold/native.ts"

const INTERVAL_MS = 30_000

/** Gives freed native memory back to the system twice a minute, until cancelled. */
export function trimMemoryRegularly(scheduler: Scheduler, onError: (err: unknown) => void): Cancel {
  let cancel: Cancel = () => {}
  let stopped = false
  const next = () => {
    if (!stopped) cancel = scheduler.after(INTERVAL_MS, trim)
  }
  const trim = () => {
    awaitNative((addon) => addon.trimMemory())
      .catch(onError)
      .finally(next)
  }
  next()
  return () => {
    stopped = true
    cancel()
  }
}
