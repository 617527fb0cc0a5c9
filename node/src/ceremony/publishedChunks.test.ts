import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { BlobSource } from "../blobs/blobSource.ts"
import { createManualClock } from "../clock.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"
import type { Network } from "../p2p/network.ts"
import { bytesDigest } from "./digest.ts"
import { memorySums } from "./keptSums.fixture.ts"
import { SUM_PROTOCOL, serveSums } from "./keptSums.ts"
import { attemptOfParty, partyAt } from "./party.fixture.ts"
import { ANSWER_MS, createChunkSource, type PublishedChunk } from "./publishedChunks.ts"

const TIMEOUT_MS = 120_000
const bytes = Uint8Array.from({ length: 48 }, (_, at) => at)
const digest = bytesDigest(bytes)
const never = new Promise<never>(() => {})
const missing = async (): Promise<never> => {
  throw new ProtocolError({ code: "BLOB_UNAVAILABLE", message: "not there" })
}

/** Party 2 sums it. */
const chunk: PublishedChunk = {
  layout: { index: 1, part: "bsk", words: 3, wordBytes: 16, byteLength: 48 },
  digest,
}

/** Party 1 wants a chunk. @param answer of party 2, as often as it is asked */
function scene(store: BlobSource["get"], answer: () => Promise<Uint8Array>, connected = () => true) {
  const clock = createManualClock()
  const networks = createMemoryNetworks(
    [1, 2].map((index) => partyAt(index).address),
    { connected },
  )
  const networkOf = (index: number): Network => {
    const network = networks.get(partyAt(index).address)
    if (network === undefined) throw new Error("no network")
    return network
  }
  const asked: string[] = []
  networkOf(2).onRequest(SUM_PROTOCOL.id, SUM_PROTOCOL.maxBytes, async () => {
    asked.push("party")
    return answer()
  })
  const lifetime = new AbortController()
  const sums = memorySums()
  const chunks = createChunkSource(attemptOfParty(1), {
    network: networkOf(1),
    scheduler: clock,
    signal: lifetime.signal,
    source: {
      get: (...wanted) => {
        asked.push("store")
        return store(...wanted)
      },
    },
    sums,
    timeoutMs: TIMEOUT_MS,
  })
  /** What comes of it, and after how much time. */
  async function fetched(wanted = chunk): Promise<{ readonly found: unknown; readonly after: number }> {
    const begun = clock.now()
    const result: { found?: unknown } = {}
    chunks
      .fetch(wanted)
      .catch((error: unknown) =>
        isProtocolError(error) ? [error.detail.code, error.detail.culprits] : error,
      )
      .then((found) => {
        result.found = found
      })
    while (!("found" in result)) {
      for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (!("found" in result)) clock.advance(500)
      if (clock.now() - begun > 1_000_000) throw new Error("nothing happened for too long")
    }
    return { found: result.found, after: clock.now() - begun }
  }
  return { chunks, fetched, asked, sums, lifetime, clock }
}

describe("a chunk comes", () => {
  test("from the store", async () => {
    const { fetched, asked } = scene(async () => bytes, missing)
    expect(await fetched()).toEqual({ found: bytes, after: 0 })
    expect(asked).toEqual(["store"])
  })

  test.each<[string, BlobSource["get"]]>([
    ["has nothing", missing],
    ["hands out other bytes", async () => bytes.map((byte) => byte ^ 1)],
    ["hands out fewer bytes", async () => bytes.subarray(1)],
  ])("from its summing party, where the store %s", async (_, store) => {
    const { fetched, asked } = scene(store, async () => bytes)
    expect(await fetched()).toEqual({ found: bytes, after: 0 })
    expect(asked).toEqual(["store", "party"])
  })

  test("from its summing party, where the store keeps everybody waiting: the next one at once", async () => {
    const { fetched, asked } = scene(
      () => never,
      async () => bytes,
    )
    expect(await fetched()).toEqual({ found: bytes, after: ANSWER_MS })
    expect(await fetched()).toEqual({ found: bytes, after: 0 })
    expect(asked).toEqual(["store", "party", "party"])
  })

  test("from whoever has it first, while time is left", async () => {
    const later = (after: number) => {
      let failures = 0
      return async () => (failures++ < after ? missing() : bytes)
    }
    const store = scene(later(3), missing)
    expect(await store.fetched()).toEqual({ found: bytes, after: 1500 })
    const party = scene(missing, later(2))
    expect(await party.fetched()).toEqual({ found: bytes, after: 1000 })
  })

  test("from what this party keeps, where it has summed it", async () => {
    const { fetched, asked, sums } = scene(missing, missing)
    const own: PublishedChunk = { ...chunk, layout: { ...chunk.layout, index: 0 } }
    await sums.put(digest, bytes)
    expect(await fetched(own)).toEqual({ found: bytes, after: 0 })
    expect(asked).toEqual([])
    await sums.clear()
    expect(await fetched(own)).toEqual({ found: ["CHUNK_UNAVAILABLE", []], after: TIMEOUT_MS })
  })
})

describe("a chunk that nobody has", () => {
  test.each<[string, () => Promise<Uint8Array>, () => boolean]>([
    ["refuses", missing, () => true],
    ["says nothing", () => never, () => true],
    ["is gone", missing, () => false],
  ])("names the summing party once time is up: it %s", async (_, answer, connected) => {
    const { fetched } = scene(missing, answer, connected)
    expect(await fetched()).toEqual({ found: ["CHUNK_UNAVAILABLE", [2]], after: TIMEOUT_MS })
  })

  test.each([bytes.map((byte) => byte ^ 1), bytes.subarray(1), new Uint8Array()])(
    "names the summing party at once where it sends other bytes itself (%#)",
    async (other) => {
      const { fetched } = scene(missing, async () => other)
      expect(await fetched()).toEqual({ found: ["CHUNK_DIFFERS", [2]], after: 0 })
    },
  )

  test("names nobody where the attempt ends first", async () => {
    const { fetched, lifetime, clock } = scene(missing, missing)
    clock.after(2_000, () => lifetime.abort())
    expect(await fetched()).toEqual({ found: ["CEREMONY_STOPPED", []], after: 2_000 })
  })
})

describe("a party that is asked for what it has summed", () => {
  const request = (wanted: Digest): Uint8Array =>
    Uint8Array.from([...new Uint8Array(37), ...Buffer.from(wanted.slice(2), "hex")])
  const signal = new AbortController().signal

  test("answers, and publishes it once more", async () => {
    const [sums, put] = [memorySums(), [] as string[]]
    await sums.put(digest, bytes)
    const answer = serveSums(sums, { sink: { put: async (name) => void put.push(name) }, signal })
    expect(await answer(request(digest))).toEqual(bytes)
    expect(await answer(request(digest))).toEqual(bytes)
    expect(put).toEqual([digest])
  })

  test("publishes it again where that did not work", async () => {
    const [sums, put] = [memorySums(), [] as string[]]
    await sums.put(digest, bytes)
    const sink = {
      put: async (name: string) => {
        put.push(name)
        await missing()
      },
    }
    const answer = serveSums(sums, { sink, signal })
    await answer(request(digest))
    await new Promise((resolve) => setImmediate(resolve))
    await answer(request(digest))
    expect(put).toEqual([digest, digest])
  })

  test.each([
    ["what it has not summed", request(bytesDigest(bytes.subarray(1)))],
    ["less than a digest", request(digest).subarray(1)],
    ["more than a digest", Uint8Array.from([...request(digest), 0])],
  ])("refuses %s", async (_, payload) => {
    const sums = memorySums()
    await sums.put(digest, bytes)
    const answer = serveSums(sums, { sink: { put: async () => {} }, signal })
    await expect(answer(payload)).rejects.toSatisfy((error) => isProtocolError(error))
  })
})

test("nothing of a chunk is kept once it has come: a key is half a gigabyte", async () => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  const given: WeakRef<Uint8Array>[] = []
  const { chunks } = scene(async () => {
    const copy = bytes.slice()
    given.push(new WeakRef(copy))
    return copy
  }, missing)
  for (let i = 0; i < 50; i++) await chunks.fetch(chunk)
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  expect(given.length).toBe(50)
  expect(given.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(10)
})
