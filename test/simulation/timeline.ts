/**
 * Virtual time: one queue of events, run in the order of their times, equal times in the order in which they were made.
 * Between two events every promise that can go on goes on, so that a run is a function of its seed alone. An event may
 * belong to a process: it waits while the process is paused and is dropped when the process died.
 */
import type { Cancel } from "@twinlock/node/clock"
import { SimulationFailure } from "./failure.ts"

/** One life of a node's process, from start to crash. */
export type Process = {
  readonly name: string
  alive: boolean
  /** Runs nothing before this time. */
  pausedUntil: number
  /** Events of this process in the queue. */
  queued: number
}

export type Timeline = {
  /** Milliseconds since the start of the run. */
  readonly now: number
  /** Runs `task` after `delay` milliseconds, as part of `process`; null for what belongs to nobody. */
  after(delay: number, process: Process | null, task: () => void): Cancel
  /** Runs events until `done` holds or `limit` (milliseconds since the start) is reached. */
  run(done: () => boolean, limit: number): Promise<void>
  /** Events run so far. */
  readonly events: number
}

type Event = {
  at: number
  readonly order: number
  readonly process: Process | null
  task: (() => void) | null
}

/** More events than any run needs: something goes round in circles. */
const MOST_EVENTS = 150_000
/** Timers, messages and reads of one process under way; a flood of one's own making. */
const MOST_QUEUED = 4_000

/** The machine's own, which a run must not use but here. */
const nextTurn = setImmediate

export const startProcess = (name: string): Process => ({ name, alive: true, pausedUntil: 0, queued: 0 })

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export function createTimeline(): Timeline {
  const heap: Event[] = []
  let [now, made, events] = [0, 0, 0]

  function push(event: Event): void {
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Event
      if (!before(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  function pop(): Event | undefined {
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && before(right, left)) child += 1
      const least = heap[child] as Event
      if (!before(least, last)) break
      heap[at] = least
      at = child
    }
    heap[at] = last
    return top
  }

  return {
    get now() {
      return now
    },
    get events() {
      return events
    },
    after(delay, process, task) {
      const event: Event = { at: now + Math.max(0, delay), order: made++, process, task }
      if (process !== null) {
        process.queued += 1
        if (process.queued > MOST_QUEUED)
          throw new SimulationFailure("bounded", `${process.name} has ${process.queued} things under way`)
      }
      push(event)
      return () => {
        if (event.task !== null && process !== null) process.queued -= 1
        event.task = null
      }
    },
    async run(done, limit) {
      while (!done()) {
        const event = heap[0]
        if (event === undefined || event.at > limit) {
          now = Math.max(now, limit)
          return
        }
        pop()
        const { process, task } = event
        if (task === null) continue
        if (process?.alive && process.pausedUntil > event.at) {
          event.at = process.pausedUntil
          push(event)
          continue
        }
        if (process !== null) process.queued -= 1
        event.task = null
        if (process !== null && !process.alive) continue
        now = event.at
        events += 1
        if (events > MOST_EVENTS)
          throw new SimulationFailure("settles", `${events} events within ${now / 1000} s of virtual time`)
        task()
        // A turn of the event loop: all promises that the event resolved have run when it comes.
        await new Promise((resolve) => nextTurn(resolve))
      }
    },
  }
}
