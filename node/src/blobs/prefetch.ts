/**
 * Words on their way to a share: fetched in the order in which they will be needed, while a request can still be cancelled,
 * kept from the first look until the share is made, and gone then. Memory is bounded; what finds no room waits for it, and
 * what is asked for before that is fetched at once.
 */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { Clock } from "../clock.ts"
import { type BlobSource, blobUnavailable } from "./blobSource.ts"

export type PrefetchingSource = BlobSource & {
  /**
   * The bytes will be needed: they are fetched when there is room and their turn. Never fails: who needs the bytes asks for
   * them.
   */
  prefetch(digest: Digest, maxBytes: number): void
  /** They are needed no more, and make room. */
  done(digest: Digest): void
  /** Ends all downloads and forgets everything; later questions go to the source alone. */
  stop(): void
  /** Bytes that are kept or have room reserved. */
  readonly usedBytes: number
}

export type PrefetchOptions = {
  readonly source: BlobSource
  readonly clock: Clock
  readonly capacityBytes?: number
}

export const DEFAULT_CAPACITY: number = 64 * 1024 * 1024
/** Part of the capacity that prefetched bytes leave to those that are asked for. */
const LEFT = 1 / 4
/** Downloads that nobody waits for yet. */
const AT_ONCE = 16
/** Digests that wait for room; further ones are fetched when they are asked for. */
const WANTED = 16_384
/** Milliseconds after which expected bytes that nobody touched make room: their request was cancelled, or finds no quorum. */
const STALE_MS = 60_000

type Kept = {
  readonly bytes: Uint8Array
  /** Milliseconds of the last touch. */
  readonly since: number
  /** Prefetched, or would have been. What was asked for without notice makes room for what was announced. */
  readonly expected: boolean
}
type Download = { readonly maxBytes: number; readonly bytes: Promise<Uint8Array> }

export function createPrefetchingSource({
  source,
  clock,
  capacityBytes = DEFAULT_CAPACITY,
}: PrefetchOptions): PrefetchingSource {
  /** By the time of the last touch. */
  const kept = new Map<Digest, Kept>()
  /** One download per digest. */
  const running = new Map<Digest, Download>()
  /** Most bytes of each, in the order of their need. */
  const wanted = new Map<Digest, number>()
  const end = new AbortController()
  const prefetchBytes = capacityBytes * (1 - LEFT)
  let keptBytes = 0
  let reservedBytes = 0
  let prefetching = 0

  function forget(digest: Digest): void {
    keptBytes -= kept.get(digest)?.bytes.length ?? 0
    kept.delete(digest)
  }

  /** @returns whether there are `bytes` of room within `limit`, after unexpected and stale ones had to go */
  function makeRoom(bytes: number, limit: number): boolean {
    const fits = () => keptBytes + reservedBytes + bytes <= limit
    for (const [digest, { since, expected }] of kept) {
      if (fits()) return true
      if (!expected || clock.now() - since >= STALE_MS) forget(digest)
    }
    return fits()
  }

  function keep(digest: Digest, bytes: Uint8Array, expected: boolean): void {
    if (end.signal.aborted || kept.has(digest) || !makeRoom(bytes.length, capacityBytes)) return
    keptBytes += bytes.length
    kept.set(digest, { bytes, since: clock.now(), expected })
  }

  function start(digest: Digest, maxBytes: number): Download {
    const bytes = source.get(digest, maxBytes, end.signal)
    const download = { maxBytes, bytes }
    running.set(digest, download)
    const over = (): void => {
      if (running.get(digest) === download) running.delete(digest)
    }
    bytes.then(over, over)
    return download
  }

  function startWanted(): void {
    for (const [digest, maxBytes] of wanted) {
      if (prefetching >= AT_ONCE || !makeRoom(maxBytes, prefetchBytes)) return
      wanted.delete(digest)
      // Somebody fetched it meanwhile, or is about to.
      if (kept.has(digest) || running.has(digest)) continue
      prefetching += 1
      reservedBytes += maxBytes
      const settle = (bytes: Uint8Array | null): void => {
        prefetching -= 1
        if (end.signal.aborted) return
        reservedBytes -= maxBytes
        if (bytes !== null) keep(digest, bytes, true)
        startWanted()
      }
      start(digest, maxBytes).bytes.then(settle, () => settle(null))
    }
  }

  function taken(digest: Digest, maxBytes: number): Uint8Array | null {
    const entry = kept.get(digest)
    if (entry === undefined || entry.bytes.length > maxBytes) return null
    kept.delete(digest)
    kept.set(digest, { ...entry, since: clock.now() })
    return entry.bytes
  }

  /** Waits for a download that others may wait for as well: giving up ends the waiting alone. */
  const orAborted = (bytes: Promise<Uint8Array>, signal?: AbortSignal): Promise<Uint8Array> =>
    signal === undefined
      ? bytes
      : new Promise((resolve, reject) => {
          const abort = (): void => reject(blobUnavailable("the download was given up", signal.reason))
          if (signal.aborted) abort()
          signal.addEventListener("abort", abort, { once: true })
          bytes.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort))
        })

  return {
    async get(digest, maxBytes, signal) {
      const known = taken(digest, maxBytes)
      if (known !== null) return known
      if (end.signal.aborted) return source.get(digest, maxBytes, signal)
      const expected = wanted.has(digest)
      const others = running.get(digest)
      const download = others === undefined || others.maxBytes < maxBytes ? start(digest, maxBytes) : others
      const bytes = await orAborted(download.bytes, signal)
      if (bytes.length > maxBytes)
        throw blobUnavailable(`${digest} has ${bytes.length} bytes, want at most ${maxBytes}`)
      keep(digest, bytes, expected)
      return bytes
    },

    prefetch(digest, maxBytes) {
      if (end.signal.aborted || maxBytes > prefetchBytes || wanted.size >= WANTED) return
      if (kept.has(digest) || running.has(digest) || wanted.has(digest)) return
      wanted.set(digest, maxBytes)
      startWanted()
    },

    done(digest) {
      wanted.delete(digest)
      forget(digest)
      startWanted()
    },

    stop() {
      end.abort()
      wanted.clear()
      kept.clear()
      keptBytes = 0
      reservedBytes = 0
    },

    get usedBytes() {
      return keptBytes + reservedBytes
    },
  }
}
