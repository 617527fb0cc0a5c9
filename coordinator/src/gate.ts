/**
 * Work that strangers cause, a little at a time: what comes above it waits, sources in turn, and what comes above that is
 * refused. Nothing is lost for those who deliver again.
 */
import { coordinatorError } from "./httpError.ts"
import { createTurnQueue } from "./turnQueue.ts"

export type Gate = {
  /** @throws BUSY, TOO_MANY_AT_ONCE where `source` alone has its share; what `work` throws */
  pass<T>(source: string, work: () => Promise<T>): Promise<T>
}

export type GateLimits = {
  readonly atWork: number
  /** Of all sources, besides those at work. */
  readonly waiting: number
  /** Of one source, waiting or at work. */
  readonly perSource: number
}

export function createGate({ atWork, waiting, perSource }: GateLimits): Gate {
  const line = createTurnQueue<() => void>()
  const bySource = new Map<string, number>()
  let working = 0

  const turn = (source: string): Promise<void> => {
    if (working < atWork) {
      working += 1
      return Promise.resolve()
    }
    return new Promise((resolve) => line.push(source, resolve))
  }

  function leave(source: string): void {
    const left = (bySource.get(source) ?? 0) - 1
    if (left > 0) bySource.set(source, left)
    else bySource.delete(source)
    const next = line.shift()
    // Whoever comes next takes the place.
    if (next === undefined) working -= 1
    else next()
  }

  return {
    async pass(source, work) {
      const own = bySource.get(source) ?? 0
      if (own >= perSource)
        throw coordinatorError({
          code: "TOO_MANY_AT_ONCE",
          message: `${own} submissions of yours are at work: deliver again later`,
        })
      if (working >= atWork && line.size() >= waiting)
        throw coordinatorError({
          code: "BUSY",
          message: `${line.size()} submissions wait: deliver again later`,
        })
      bySource.set(source, own + 1)
      await turn(source)
      try {
        return await work()
      } finally {
        leave(source)
      }
    },
  }
}
