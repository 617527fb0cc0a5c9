/**
 * What becomes ready one by one, handed on together: at once where nothing else is under way, else when it is enough or
 * after a short while. A message and a commit to disk cost about the same for one as for many.
 */
import type { Cancel, Scheduler } from "../clock.ts"

export type Gathering<T> = {
  /** Something is under way; `ready` or `failed` follows. */
  expect(): void
  ready(item: T): void
  failed(): void
  /** What was gathered, and what is ready later, is dropped. */
  stop(): void
}

export type GatheringOptions<T> = {
  readonly scheduler: Scheduler
  /** So many are not held back. */
  readonly enough: number
  /** Milliseconds for which the first one waits at most. */
  readonly longestMs: number
  readonly handOn: (items: readonly T[]) => void
}

export function createGathering<T>({
  scheduler,
  enough,
  longestMs,
  handOn,
}: GatheringOptions<T>): Gathering<T> {
  let gathered: T[] = []
  let underWay = 0
  let cancel: Cancel | null = null
  let stopped = false

  function release(): void {
    cancel?.()
    cancel = null
    const items = gathered
    gathered = []
    if (items.length > 0) handOn(items)
  }

  function look(): void {
    if (underWay === 0 || gathered.length >= enough) release()
    else if (gathered.length > 0) cancel ??= scheduler.after(longestMs, release)
  }

  return {
    expect() {
      underWay += 1
    },
    ready(item) {
      underWay -= 1
      if (!stopped) gathered.push(item)
      look()
    },
    failed() {
      underWay -= 1
      look()
    },
    stop() {
      stopped = true
      gathered = []
      release()
    },
  }
}
