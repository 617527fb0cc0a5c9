/**
 * Work that strangers cause, a little at a time: what comes above it waits, sources in turn, and what comes above that is
 * refused, first of all to the source that has most waiting. Nothing is lost for those who come again.
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

const busy = (waiting: number) =>
  coordinatorError({ code: "BUSY", message: `${waiting} requests wait: come again later` })

export function createGate({ atWork, waiting, perSource }: GateLimits): Gate {
  const line = createTurnQueue<{ readonly begin: () => void; readonly refuse: (error: Error) => void }>()
  const bySource = new Map<string, number>()
  let working = 0

  function turn(source: string): Promise<void> {
    if (working < atWork) {
      working += 1
      return Promise.resolve()
    }
    if (line.size() >= waiting) makeRoom(source)
    return new Promise((begin, refuse) => line.push(source, { begin, refuse }))
  }

  /** ⚔ A source that fills the line must not keep others out of it. */
  function makeRoom(source: string): void {
    const greedy = line.longest()
    if (greedy === undefined || line.lengthOf(greedy) <= line.lengthOf(source) + 1) throw busy(line.size())
    line.pop(greedy)?.refuse(busy(line.size()))
  }

  /** Whoever comes next takes the place. */
  function endTurn(): void {
    const next = line.shift()
    if (next === undefined) working -= 1
    else next.begin()
  }

  function leave(source: string): void {
    const left = (bySource.get(source) ?? 0) - 1
    if (left > 0) bySource.set(source, left)
    else bySource.delete(source)
  }

  return {
    async pass(source, work) {
      const own = bySource.get(source) ?? 0
      if (own >= perSource)
        throw coordinatorError({
          code: "TOO_MANY_AT_ONCE",
          message: `${own} requests of yours are at work: come again later`,
        })
      bySource.set(source, own + 1)
      try {
        await turn(source)
        try {
          return await work()
        } finally {
          endTurn()
        }
      } finally {
        leave(source)
      }
    },
  }
}
