/**
 * Time as a dependency: nothing in the node reads the machine's clock or sets a timer by itself.
 * Deadlines of the protocol use chain time (protocol §8); this clock serves back-off, re-attestation and figures.
 */

export type Clock = {
  /** Milliseconds since 1970. */
  now(): number
}

/** Cancels what was scheduled; calling it twice or late does nothing. */
export type Cancel = () => void

export type Scheduler = {
  /** Runs `task` once after `milliseconds`. */
  after(milliseconds: number, task: () => void): Cancel
}

export const systemClock: Clock = { now: () => Date.now() }

/** Timers that do not keep the process alive. */
export const systemScheduler: Scheduler = {
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Timers that keep the process alive until they ran: for work that must be finished, such as a sent transaction. */
export const holdingScheduler: Scheduler = {
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds)
    return () => clearTimeout(timer)
  },
}

export type ManualClock = Clock &
  Scheduler & {
    /** Moves time forward and runs what became due, in order of its time, including what those tasks schedule. */
    advance(milliseconds: number): void
    /** Times (milliseconds since 1970) of what is still scheduled, sorted. */
    pending(): readonly number[]
  }

/** A clock for tests that stands still until it is advanced. */
export function createManualClock(start = 1_800_000_000_000): ManualClock {
  let now = start
  let tasks: { readonly at: number; readonly task: () => void }[] = []
  return {
    now: () => now,
    after(milliseconds, task) {
      const entry = { at: now + milliseconds, task }
      tasks.push(entry)
      return () => {
        tasks = tasks.filter((other) => other !== entry)
      }
    },
    advance(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        const due = tasks.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        tasks = tasks.filter((other) => other !== due)
        now = Math.max(now, due.at)
        due.task()
      }
      now = end
    },
    pending: () => tasks.map((entry) => entry.at).sort((a, b) => a - b),
  }
}
