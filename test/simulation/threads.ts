/** Seeds spread over threads, in ranges; the order in which they end does not matter. */
import { Worker } from "node:worker_threads"
import type { Outcome } from "./runSeed.ts"
import type { Range, RangeDone } from "./worker.ts"

export type ThreadOptions = {
  readonly from: number
  readonly seeds: number
  readonly workers: number
  /** Told of each seed once. */
  onOutcome(outcome: Outcome): void
  /** True: no further range starts. */
  stop(): boolean
}

const RANGE = 20
/** A seed takes a fraction of a second; a range that takes this long never ends. */
const STUCK_MS = 300_000

/** @throws where a range does not end or a thread breaks */
export async function runOnThreads({ from, seeds, workers, onOutcome, stop }: ThreadOptions): Promise<void> {
  let next = from
  const onThread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url))
      let watch: NodeJS.Timeout | undefined
      const send = (): void => {
        clearTimeout(watch)
        if (stop() || next >= from + seeds) {
          void worker.terminate().then(() => resolve())
          return
        }
        const range: Range = { from: next, seeds: Math.min(RANGE, from + seeds - next) }
        next += range.seeds
        watch = setTimeout(() => {
          void worker.terminate()
          reject(new Error(`one of the seeds ${range.from}..${range.from + range.seeds - 1} does not end`))
        }, STUCK_MS)
        worker.postMessage(range)
      }
      worker.on("message", ({ outcomes }: RangeDone) => {
        for (const outcome of outcomes) onOutcome(outcome)
        send()
      })
      worker.on("error", reject)
      send()
    })
  await Promise.all(Array.from({ length: workers }, onThread))
}
