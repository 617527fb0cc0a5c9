/**
 * Fetches canonical words before they are needed: while a request can still be cancelled there is time for it. Memory is
 * bounded; what does not fit is fetched when it is asked for, as without this.
 */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { type BlobSource, blobUnavailable } from "./blobSource.ts"

export type PrefetchingSource = BlobSource & {
  /**
   * Starts to fetch, unless the bytes are there or on their way or there is no room. Never fails: who needs the bytes
   * asks for them.
   */
  prefetch(digest: Digest, maxBytes: number): void
  /** Ends all downloads and forgets everything; later questions go to the source alone. */
  stop(): void
  /** Bytes that are kept or have room reserved. */
  readonly usedBytes: number
}

export type PrefetchOptions = {
  readonly source: BlobSource
  readonly capacityBytes?: number
}

export const DEFAULT_CAPACITY: number = 64 * 1024 * 1024
/** Downloads that nobody waits for yet. */
const AT_ONCE = 8

type Waiting = { readonly digest: Digest; readonly maxBytes: number }
type Download = { readonly maxBytes: number; readonly bytes: Promise<Uint8Array> }

export function createPrefetchingSource({
  source,
  capacityBytes = DEFAULT_CAPACITY,
}: PrefetchOptions): PrefetchingSource {
  /** In the order of their eviction: what was read once goes before what still waits for its reader. */
  const read = new Map<Digest, Uint8Array>()
  const unread = new Map<Digest, Uint8Array>()
  /** One download per digest, with the room that it may need. */
  const running = new Map<Digest, Download>()
  const waiting = new Map<Digest, Waiting>()
  const end = new AbortController()
  let keptBytes = 0
  let reservedBytes = 0
  let prefetching = 0

  function forget(from: Map<Digest, Uint8Array>, digest: Digest): void {
    keptBytes -= from.get(digest)?.length ?? 0
    from.delete(digest)
  }

  /** @returns whether there are `bytes` of room beside what is on its way, after read ones and then old ones had to go */
  function makeRoom(bytes: number, mayEvictUnread: boolean): boolean {
    if (reservedBytes + bytes > capacityBytes) return false
    for (const from of mayEvictUnread ? [read, unread] : [read])
      for (const digest of from.keys()) {
        if (keptBytes + reservedBytes + bytes <= capacityBytes) return true
        forget(from, digest)
      }
    return keptBytes + reservedBytes + bytes <= capacityBytes
  }

  function keep(into: Map<Digest, Uint8Array>, digest: Digest, bytes: Uint8Array): void {
    if (end.signal.aborted || !makeRoom(bytes.length, into === unread)) return
    keptBytes += bytes.length
    into.set(digest, bytes)
  }

  function start({ digest, maxBytes }: Waiting): Download {
    const bytes = source.get(digest, maxBytes, end.signal)
    const download = { maxBytes, bytes }
    running.set(digest, download)
    const done = (): void => {
      if (running.get(digest) === download) running.delete(digest)
    }
    bytes.then(done, done)
    return download
  }

  function startWaiting(): void {
    for (const [digest, entry] of waiting) {
      if (prefetching >= AT_ONCE) return
      waiting.delete(digest)
      prefetching += 1
      const settle = (bytes: Uint8Array | null): void => {
        prefetching -= 1
        if (end.signal.aborted) return
        reservedBytes -= entry.maxBytes
        if (bytes !== null && !read.has(digest)) keep(unread, digest, bytes)
        startWaiting()
      }
      // Somebody may have fetched it meanwhile, or be about to.
      const download = read.has(digest) ? null : (running.get(digest) ?? start(entry))
      if (download === null) settle(null)
      else download.bytes.then(settle, () => settle(null))
    }
  }

  function taken(digest: Digest): Uint8Array | undefined {
    const bytes = unread.get(digest) ?? read.get(digest)
    if (bytes === undefined) return undefined
    forget(unread, digest)
    forget(read, digest)
    keep(read, digest, bytes)
    return bytes
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
      const kept = taken(digest)
      if (kept !== undefined && kept.length <= maxBytes) return kept
      if (end.signal.aborted) return source.get(digest, maxBytes, signal)
      const others = running.get(digest)
      const own = others === undefined || others.maxBytes < maxBytes
      // A prefetch that still waits for its turn is overtaken, and gives its room back when it comes to nothing.
      const download = own ? start({ digest, maxBytes }) : others
      const bytes = await orAborted(download.bytes, signal)
      if (bytes.length > maxBytes)
        throw blobUnavailable(`${digest} has ${bytes.length} bytes, want at most ${maxBytes}`)
      if (taken(digest) === undefined) keep(read, digest, bytes)
      return bytes
    },

    prefetch(digest, maxBytes) {
      if (end.signal.aborted || unread.has(digest) || read.has(digest)) return
      if (running.has(digest) || waiting.has(digest) || !makeRoom(maxBytes, true)) return
      reservedBytes += maxBytes
      waiting.set(digest, { digest, maxBytes })
      startWaiting()
    },

    stop() {
      end.abort()
      waiting.clear()
      read.clear()
      unread.clear()
      keptBytes = 0
      reservedBytes = 0
    },

    get usedBytes() {
      return keptBytes + reservedBytes
    },
  }
}
