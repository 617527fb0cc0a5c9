/**
 * Wakes who waits for the next block (protocol §8: nothing here is believed). One source for all listeners, which runs
 * only while somebody listens; whatever it says, listeners are woken a bounded number of times.
 */
import type { Cancel, Scheduler } from "../clock.ts"
import { backingOff, repeat } from "../repeat.ts"

export type HeadHint = {
  /** @see ChainView.onHead */
  onHead(listener: () => void): Cancel
}

/** Something that calls `changed` when an endpoint may have a new head, until it is cancelled. */
export type HintSource = (changed: () => void) => Cancel

/** Milliseconds in which listeners are woken once at most. */
const GAP_MS = 20

export function createHeadHint(source: HintSource, scheduler: Scheduler): HeadHint {
  const listeners = new Set<() => void>()
  let stop: Cancel = () => {}
  /** Set for the gap after a wake-up. */
  let quiet: Cancel | null = null
  let missed = false

  function wake(): void {
    missed = false
    quiet = scheduler.after(GAP_MS, () => {
      quiet = null
      if (missed) wake()
    })
    for (const listener of [...listeners]) if (listeners.has(listener)) listener()
  }

  const changed = (): void => {
    if (quiet !== null) missed = true
    else if (listeners.size > 0) wake()
  }

  return {
    onHead(listener) {
      // A listener of its own per call: the same function may listen twice.
      const entry = (): void => listener()
      listeners.add(entry)
      if (listeners.size === 1) stop = source(changed)
      return () => {
        if (!listeners.delete(entry) || listeners.size > 0) return
        stop()
        quiet?.()
        quiet = null
      }
    },
  }
}

export type PolledHintDeps = {
  /** Number of the newest block, final or not, as one endpoint says. */
  readonly newestBlock: () => Promise<bigint>
  readonly scheduler: Scheduler
  readonly pollMs: number
}

/** Longest pause after failures in a row. */
const LONGEST_PAUSE_MS = 10_000

/** Asks again and again for the newest block's number: finality moves no more often than it does. */
export function polledHint({ newestBlock, scheduler, pollMs }: PolledHintDeps): HintSource {
  return (changed) => {
    let newest: bigint | null = null
    let cancelled = false
    const look = async (): Promise<void> => {
      const number = await newestBlock()
      if (cancelled || number === newest) return
      newest = number
      changed()
    }
    const looks = repeat(scheduler, look, {
      pause: backingOff(pollMs, LONGEST_PAUSE_MS),
      onError: () => {},
    })
    looks.start()
    return () => {
      cancelled = true
      looks.stop()
    }
  }
}
