import { randomBytes } from "node:crypto"
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { blobDigest } from "./blobDigest.ts"
import { blobUnavailable } from "./blobSource.ts"
import { createPrefetchingSource } from "./prefetch.ts"

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const SIZE = 100

type Asked = {
  readonly digest: Digest
  readonly maxBytes: number
  readonly signal: AbortSignal | undefined
  answer(): void
  fail(): void
}

/** A source whose answers the test gives. */
function world(capacityBytes = 10 * SIZE) {
  const blobs = new Map<Digest, Uint8Array>()
  const asked: Asked[] = []
  const clock = createManualClock()
  const source = createPrefetchingSource({
    ...{ capacityBytes, clock },
    source: {
      get: (digest, maxBytes, signal) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener("abort", () => reject(blobUnavailable("aborted")))
          asked.push({
            ...{ digest, maxBytes, signal },
            answer: () => resolve(blobs.get(digest) ?? new Uint8Array()),
            fail: () => reject(blobUnavailable("down")),
          })
        }),
    },
  })
  const blob = (size = SIZE): Digest => {
    const bytes = new Uint8Array(randomBytes(size))
    blobs.set(blobDigest(bytes), bytes)
    return blobDigest(bytes)
  }
  /** Fetched and waiting for its reader. */
  const fetched = async (): Promise<Digest> => {
    const digest = blob()
    source.prefetch(digest, SIZE)
    asked.at(-1)?.answer()
    await settle()
    return digest
  }
  const isKept = async (digest: Digest): Promise<boolean> => {
    const before = asked.length
    source.get(digest, SIZE).catch(() => {})
    await settle()
    const kept = asked.length === before
    asked[before]?.fail()
    await settle()
    return kept
  }
  return { source, clock, asked, blobs, blob, fetched, isKept }
}

test("the digest is that of the protocol", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => blobDigest(bytes) === sha256Digest(bytes)),
  )
})

describe("prefetched bytes", () => {
  test("are there when they are asked for", async () => {
    const { source, asked, blobs, fetched } = world()
    const digest = await fetched()
    expect(await source.get(digest, SIZE)).toBe(blobs.get(digest))
    expect(asked).toHaveLength(1)
  })

  test("are fetched once, whoever asks meanwhile", async () => {
    const { source, asked, blobs, blob } = world()
    const digest = blob()
    source.prefetch(digest, SIZE)
    source.prefetch(digest, SIZE)
    const readers = [source.get(digest, SIZE), source.get(digest, SIZE)]
    await settle()
    expect(asked).toHaveLength(1)
    asked[0]?.answer()
    expect(await Promise.all(readers)).toEqual([blobs.get(digest), blobs.get(digest)])
    source.prefetch(digest, SIZE)
    expect(asked).toHaveLength(1)
  })

  test("readers without a prefetch share one download, too", async () => {
    const { source, asked, blobs, blob } = world()
    const digest = blob()
    const readers = [source.get(digest, SIZE), source.get(digest, SIZE)]
    asked[0]?.answer()
    expect(await Promise.all(readers)).toEqual([blobs.get(digest), blobs.get(digest)])
    expect(asked).toHaveLength(1)
  })

  test("a failure is forgotten", async () => {
    const { source, asked, blobs, blob } = world()
    const digest = blob()
    source.prefetch(digest, SIZE)
    asked[0]?.fail()
    await settle()
    expect(source.usedBytes).toBe(0)
    const reader = source.get(digest, SIZE)
    asked[1]?.answer()
    expect(await reader).toBe(blobs.get(digest))
  })

  test("a larger limit than that of the download under way asks for itself", async () => {
    const { source, asked, blobs, blob } = world()
    const digest = blob()
    source.prefetch(digest, SIZE - 1)
    const reader = source.get(digest, SIZE)
    expect(asked.map(({ maxBytes }) => maxBytes)).toEqual([SIZE - 1, SIZE])
    asked[0]?.fail()
    asked[1]?.answer()
    expect(await reader).toBe(blobs.get(digest))
  })

  test("more bytes than the reader allows are none", async () => {
    const { source, asked, fetched, blob } = world()
    const digest = await fetched()
    const reader = source.get(digest, SIZE - 1)
    expect(asked[1]?.maxBytes).toBe(SIZE - 1)
    asked[1]?.fail()
    await expect(reader).rejects.toSatisfy((error) => isProtocolError(error, "BLOB_UNAVAILABLE"))
    const other = blob()
    source.prefetch(other, SIZE)
    const strict = source.get(other, SIZE - 1)
    asked[2]?.answer()
    await expect(strict).rejects.toSatisfy((error) => isProtocolError(error, "BLOB_UNAVAILABLE"))
  })

  test("a reader that gives up takes the download from nobody", async () => {
    const { source, asked, blobs, blob } = world()
    const digest = blob()
    source.prefetch(digest, SIZE)
    const abort = new AbortController()
    const [hasty, patient] = [source.get(digest, SIZE, abort.signal), source.get(digest, SIZE)]
    abort.abort()
    await expect(hasty).rejects.toSatisfy((error) => isProtocolError(error, "BLOB_UNAVAILABLE"))
    asked[0]?.answer()
    expect(await patient).toBe(blobs.get(digest))
    expect(asked).toHaveLength(1)
  })
})

describe("memory", () => {
  test("what was fetched is kept until it is done, however much else is wanted", async () => {
    const { source, asked, blobs, blob, fetched } = world(4 * SIZE)
    const [first, second] = [await fetched(), await fetched()]
    for (const digest of [first, second]) await source.get(digest, SIZE)
    const more = Array.from({ length: 20 }, () => blob())
    for (const digest of more) source.prefetch(digest, SIZE)
    await settle()
    // A quarter is left to those that are asked for.
    expect(asked).toHaveLength(3)
    expect(await source.get(first, SIZE)).toBe(blobs.get(first))
    expect(asked).toHaveLength(3)
  })

  test("what is done makes room for the next in the order of their need", async () => {
    const { source, asked, blob, fetched } = world(4 * SIZE)
    const here = [await fetched(), await fetched(), await fetched()]
    const next = [blob(), blob(), blob()]
    for (const digest of next) source.prefetch(digest, SIZE)
    for (const digest of [here[1], here[0]] as Digest[]) source.done(digest)
    await settle()
    expect(asked.slice(3).map(({ digest }) => digest)).toEqual(next.slice(0, 2))
    source.done(next[2] as Digest)
    source.done(here[2] as Digest)
    await settle()
    expect(asked).toHaveLength(5)
  })

  test("what nobody touched for a minute makes room", async () => {
    const { source, clock, asked, blob, fetched, isKept } = world(4 * SIZE)
    const [old, touched, recent] = [await fetched(), await fetched(), await fetched()]
    clock.advance(59_000)
    await source.get(touched, SIZE)
    clock.advance(1_000)
    source.prefetch(blob(), SIZE)
    source.prefetch(blob(), SIZE)
    source.prefetch(blob(), SIZE)
    await settle()
    expect(asked).toHaveLength(5)
    for (const request of asked.slice(3)) request.answer()
    await settle()
    expect([await isKept(old), await isKept(recent), await isKept(touched)]).toEqual([false, false, true])
  })

  test("what was asked for without notice makes room for what was announced", async () => {
    const { source, asked, blob, isKept } = world(4 * SIZE)
    const strangers = Array.from({ length: 4 }, () => blob())
    for (const digest of strangers) {
      const reader = source.get(digest, SIZE)
      asked.at(-1)?.answer()
      await reader
    }
    expect(source.usedBytes).toBe(4 * SIZE)
    for (let i = 0; i < 3; i++) source.prefetch(blob(), SIZE)
    expect(asked).toHaveLength(7)
    expect(await isKept(strangers[0] as Digest)).toBe(false)
  })

  test("what is asked for before its turn is kept like what was fetched in time", async () => {
    const { source, asked, blob, fetched, isKept } = world(4 * SIZE)
    for (let i = 0; i < 3; i++) await fetched()
    const late = blob()
    source.prefetch(late, SIZE)
    const reader = source.get(late, SIZE)
    asked.at(-1)?.answer()
    await reader
    for (let i = 0; i < 3; i++) source.prefetch(blob(), SIZE)
    await settle()
    expect(asked).toHaveLength(4)
    expect(await isKept(late)).toBe(true)
  })

  test("what is asked for has room beside what was prefetched", async () => {
    const { source, asked, blob, fetched, isKept } = world(4 * SIZE)
    for (let i = 0; i < 3; i++) await fetched()
    const digest = blob()
    const reader = source.get(digest, SIZE)
    asked.at(-1)?.answer()
    await reader
    expect(await isKept(digest)).toBe(true)
  })

  test("what is on its way has its room: a flood of prefetches goes no further", async () => {
    const { source, asked, blob } = world(40 * SIZE)
    for (let i = 0; i < 20_000; i++) source.prefetch(blob(), SIZE)
    expect(asked).toHaveLength(16)
    for (let i = 0; i < asked.length; i++) {
      asked[i]?.answer()
      await settle()
    }
    expect([asked.length, source.usedBytes]).toEqual([30, 30 * SIZE])
  })

  test("larger than all room is not fetched, and keeps nobody waiting", async () => {
    const { source, asked, blob } = world(4 * SIZE)
    source.prefetch(blob(3 * SIZE + 1), 3 * SIZE + 1)
    expect(asked).toHaveLength(0)
    source.prefetch(blob(), SIZE)
    expect(asked).toHaveLength(1)
  })

  test("never grows beyond the capacity, and nothing is lost on the way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.nat(30)), { maxLength: 120 }),
        async (steps) => {
          const { source, asked, blob } = world(5 * SIZE)
          const digests = Array.from({ length: 31 }, (_, i) => blob(1 + ((i * 37) % SIZE)))
          let ended = 0
          for (const [step, i] of steps) {
            const digest = digests[i] as Digest
            if (step === 0) source.prefetch(digest, SIZE)
            else if (step === 1) source.get(digest, SIZE).catch(() => {})
            else if (step === 4) source.done(digest)
            else if (ended < asked.length) asked[ended++]?.[step === 2 ? "answer" : "fail"]()
            await settle()
            if (source.usedBytes > 5 * SIZE || source.usedBytes < 0) return false
          }
          for (; ended < asked.length; await settle()) asked[ended++]?.fail()
          source.stop()
          return source.usedBytes === 0
        },
      ),
      { numRuns: 50 },
    )
  })
})

test("after the end nothing runs and nothing is kept, but questions are passed on", async () => {
  const { source, asked, blobs, blob, fetched } = world()
  const kept = await fetched()
  const digest = blob()
  source.prefetch(digest, SIZE)
  const reader = source.get(digest, SIZE)
  source.stop()
  expect(asked[1]?.signal?.aborted).toBe(true)
  await expect(reader).rejects.toSatisfy((error) => isProtocolError(error, "BLOB_UNAVAILABLE"))
  source.prefetch(blob(), SIZE)
  expect([asked.length, source.usedBytes]).toEqual([2, 0])
  const late = source.get(kept, SIZE)
  asked[2]?.answer()
  expect(await late).toBe(blobs.get(kept))
  await settle()
  expect(source.usedBytes).toBe(0)
})
