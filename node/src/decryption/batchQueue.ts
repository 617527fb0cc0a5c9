/**
 * Work that is cheaper together: what is added in one turn, and what comes while a batch is at work, is the next batch.
 * Nothing waits for company: an idle queue starts at the end of the turn.
 */
export type BatchQueue<T> = {
  add(items: readonly T[]): void
  /** What waits is dropped; a batch at work ends. */
  stop(): void
}

export type BatchOptions<T> = {
  /** At most so many items at once. */
  readonly maxItems: number
  /** What an item weighs, and what a batch of several may weigh. */
  readonly weigh?: (item: T) => number
  readonly maxWeight?: number
  readonly onError: (error: unknown, batch: readonly T[]) => void
}

/** @param work one batch at a time, in the order of `add` */
export function createBatchQueue<T>(
  work: (batch: readonly T[]) => Promise<void>,
  { maxItems, weigh = () => 0, maxWeight = 0, onError }: BatchOptions<T>,
): BatchQueue<T> {
  let waiting: T[] = []
  let running = false

  function cut(): readonly T[] {
    let weight = 0
    const tooMany = waiting.findIndex((item, i) => {
      weight += weigh(item)
      return i > 0 && (i >= maxItems || weight > maxWeight)
    })
    const count = tooMany < 0 ? waiting.length : tooMany
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }

  /** Whoever is told may fail as well: the queue goes on. */
  function report(error: unknown, batch: readonly T[]): void {
    try {
      onError(error, batch)
    } catch {
      // Nobody is left to tell.
    }
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = cut()
      try {
        await work(batch)
      } catch (error) {
        report(error, batch)
      }
    }
    running = false
  }

  return {
    add(items) {
      waiting.push(...items)
      if (running || waiting.length === 0) return
      running = true
      void Promise.resolve().then(run)
    },
    stop() {
      waiting = []
    },
  }
}
