/**
 * A node's disk: what a SealedStore acknowledged survives every crash. A write takes effect in one step, as a transaction
 * does; a crash leaves of the writes under way the first few, in their order, and nothing of the others. A full disk
 * refuses with STORE_FAILED.
 */

import type { SealedStore, StorageErrorCode } from "@twinlock/node/storage/sealedStore"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Random } from "./random.ts"
import type { Process, Timeline } from "./timeline.ts"

export type Disk = {
  /** The store of one process; the disk outlives it. */
  open(process: Process): SealedStore
  /** Ends the writes under way of the process that died. */
  crash(): void
  /** Milliseconds of one operation, and the share of writes that fail. */
  weather: { latency: number; failures: number }
  /** A record as it would be after a crash now. */
  peek(kind: string, id: string): Uint8Array | null
  /** Changes a record behind the node. */
  poke(kind: string, id: string, bytes: Uint8Array): void
}

type Write = { readonly apply: () => void }

export function createDisk(timeline: Timeline, random: Random): Disk {
  const records = new Map<string, Uint8Array>()
  const pending: Write[] = []
  const weather = { latency: 1, failures: 0 }
  const key = (kind: string, id: string): string => `${kind} ${id}`
  const failed = (): ProtocolError =>
    new ProtocolError({ code: "STORE_FAILED" satisfies StorageErrorCode, message: "the disk is full" })

  /** Resolves with `read` after a while. */
  const reading = <T>(process: Process, read: () => T): Promise<T> =>
    new Promise((resolve) =>
      timeline.after(random.exponential(weather.latency), process, () => resolve(read())),
    )

  /** Takes effect after a while, behind the writes before it; acknowledged later still. */
  const writing = <T>(process: Process, apply: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      if (random.chance(weather.failures)) {
        timeline.after(random.exponential(weather.latency), process, () => reject(failed()))
        return
      }
      const write: Write = { apply: () => resolveLater(apply()) }
      const resolveLater = (value: T): void => {
        if (process.alive)
          timeline.after(random.exponential(weather.latency / 2), process, () => resolve(value))
      }
      pending.push(write)
      timeline.after(random.exponential(weather.latency), process, () => {
        const at = pending.indexOf(write)
        for (const earlier of pending.splice(0, at + 1)) earlier.apply()
      })
    })

  return {
    weather,
    crash() {
      const done = pending.splice(0, random.below(pending.length + 1))
      for (const { apply } of done) apply()
      pending.length = 0
    },
    peek: (kind, id) => records.get(key(kind, id))?.slice() ?? null,
    poke: (kind, id, bytes) => void records.set(key(kind, id), bytes.slice()),
    open: (process) => ({
      get: (kind, id) => reading(process, () => records.get(key(kind, id))?.slice() ?? null),
      put: (kind, id, bytes) => {
        const copy = bytes.slice()
        return writing(process, () => void records.set(key(kind, id), copy))
      },
      putMany: (items) => {
        const copies = items.map(({ kind, id, bytes }) => [key(kind, id), bytes.slice()] as const)
        return writing(process, () => {
          for (const [name, copy] of copies) records.set(name, copy)
        })
      },
      putIfAbsent: (kind, id, bytes) => {
        const copy = bytes.slice()
        return writing(process, () => {
          const stored = records.get(key(kind, id)) ?? copy
          records.set(key(kind, id), stored)
          return stored.slice()
        })
      },
      delete: (kind, id) => writing(process, () => records.delete(key(kind, id))),
      list: (kind) =>
        reading(process, () =>
          [...records.keys()]
            .filter((name) => name.startsWith(`${kind} `))
            .map((name) => name.slice(kind.length + 1))
            .sort(),
        ),
      async close() {},
    }),
  }
}
