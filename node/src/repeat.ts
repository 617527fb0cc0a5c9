/**
 * The one way in which the node does something again and again: one run at a time, whatever a run takes, and no error ends
 * it. Time is the scheduler's.
 */
import type { Cancel, Scheduler } from "./clock.ts"

export type RepeatOptions = {
  /** Milliseconds from the end of a run to the next. @param failures in a row, 0 after a good run */
  readonly pause: (failures: number) => number
  /** Told of every failed run. */
  readonly onError: (error: unknown, failures: number) => void
}

export type Repetition = {
  /** Runs at once, or after `delay` milliseconds, then after every pause. */
  start(delay?: number): void
  /** A run that is under way ends; none follows. */
  stop(): void
}

export const every =
  (milliseconds: number): RepeatOptions["pause"] =>
  () =>
    milliseconds

/** Twice the pause after every further failure, up to `longest`. */
export const backingOff =
  (milliseconds: number, longest: number): RepeatOptions["pause"] =>
  (failures) =>
    Math.min(milliseconds * 2 ** failures, longest)

export function repeat(
  scheduler: Scheduler,
  task: () => Promise<unknown>,
  { pause, onError }: RepeatOptions,
): Repetition {
  let cancel: Cancel = () => {}
  let stopped = false
  let failures = 0

  async function run(): Promise<void> {
    try {
      await task()
      failures = 0
    } catch (error) {
      failures++
      onError(error, failures)
    }
    if (!stopped) cancel = scheduler.after(pause(failures), () => void run())
  }

  return {
    start(delay) {
      if (delay === undefined) void run()
      else cancel = scheduler.after(delay, () => void run())
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
