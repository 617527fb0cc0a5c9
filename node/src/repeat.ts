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
  /** Runs now instead of after the pause; once more at once where a run is under way. Nothing before the start. */
  wake(): void
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
  let state: "idle" | "waiting" | "running" | "running, then again" | "stopped" = "idle"
  let failures = 0

  async function run(): Promise<void> {
    if (state === "stopped") return
    state = "running"
    try {
      await task()
      failures = 0
    } catch (error) {
      failures++
      onError(error, failures)
    }
    next()
  }

  function next(): void {
    if (isStopped()) return
    const again = state === "running, then again"
    state = "waiting"
    cancel = scheduler.after(again ? 0 : pause(failures), () => void run())
  }
  const isStopped = () => state === "stopped"

  return {
    start(delay) {
      if (delay === undefined) return void run()
      state = "waiting"
      cancel = scheduler.after(delay, () => void run())
    },
    wake() {
      if (state === "running") state = "running, then again"
      if (state !== "waiting") return
      cancel()
      void run()
    },
    stop() {
      state = "stopped"
      cancel()
    },
  }
}
