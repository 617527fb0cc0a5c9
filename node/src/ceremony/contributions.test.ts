import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import {
  type Contributions,
  createReduceScatter,
  encodePiece,
  type ReduceScatter,
  summingParty,
} from "./contributions.ts"
import { bytesDigest } from "./digest.ts"
import { attemptOfParty, honest, party, partyAt, type Tamper, tamperedNetworks } from "./party.fixture.ts"
import { CEREMONY_PROTOCOLS, createRouter } from "./router.ts"
import { toyEngine, toyLayout } from "./toyEngine.fixture.ts"

const PARTIES = [1, 2, 3, 4]

/** Four parties that contribute chunks of equal bytes: chunk c of party p is full of 16 p + c. */
function world(
  options: {
    readonly chunks?: number
    readonly bytes?: number
    readonly tamper?: Tamper
    readonly onContribution?: (bytes: Uint8Array) => void
    /** A party that answers no request. */
    readonly mute?: number
    readonly slow?: (index: number, chunk: number) => Promise<void>
  } = {},
) {
  const { chunks = 9, bytes = 48, tamper = honest } = options
  const layout = {
    byteLength: chunks * bytes,
    chunks: toyLayout(chunks).chunks.map((chunk) => ({
      ...chunk,
      byteLength: bytes,
      words: bytes / chunk.wordBytes,
    })),
  }
  const clock = createManualClock()
  const networks = tamperedNetworks(tamper)
  const lifetime = new AbortController()
  const blobs = new Map<string, Uint8Array>()
  const computed: string[] = []
  const ends = new Map<number, () => void>()
  const scatters = PARTIES.map((index): ReduceScatter => {
    const network = networks.get(partyAt(index).address)
    if (network === undefined) throw new Error("no network")
    const scatter = createReduceScatter(attemptOfParty(index), {
      network,
      scheduler: clock,
      signal: lifetime.signal,
      engine: { ...toyEngine(layout), keyLayout: () => layout },
      party: {
        contribution: async (chunk) => {
          await options.slow?.(index, chunk)
          computed.push(`${index}:${chunk}`)
          const contribution = new Uint8Array(bytes).fill(16 * index + chunk)
          options.onContribution?.(contribution)
          return contribution
        },
      },
      sink: {
        put: async (digest, sum) => void blobs.set(digest, sum.slice()),
      },
      chunkTimeoutMs: 1000,
      onBytes: () => {},
    })
    const end = createRouter(network).attach(
      attemptOfParty(index).committee.keyId,
      1,
      async (protocol, from, payload) => {
        const sender = PARTIES.find((other) => partyAt(other).address === from) ?? 0
        if (protocol === "chunk") await scatter.receive(party(sender), payload)
      },
      (_request, _from, payload) =>
        options.mute === index
          ? new Promise<Uint8Array>(() => {})
          : Promise.resolve(scatter.contributed(payload)),
    )
    ends.set(index, end)
    return scatter
  })
  const detach = (index: number): void => ends.get(index)?.()
  return { detach, scatters, clock, lifetime, blobs, computed, layout }
}

const failureOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work
    return null
  } catch (error) {
    return isProtocolError(error) ? { code: error.detail.code, culprits: error.detail.culprits } : error
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe("reduce-scatter", () => {
  test("every chunk is summed once, by the party whose turn it is, and published under its digest", async () => {
    const { scatters, blobs, layout } = world()
    const results = await Promise.all(scatters.map((scatter) => scatter.run()))
    const sums = layout.chunks.map(({ index, wordBytes, byteLength }) => {
      const owner = summingParty(index, 4)
      const digest = results[owner - 1]?.sums[Math.floor(index / 4)] ?? ""
      const sum = blobs.get(digest)
      expect(sum?.length).toBe(byteLength)
      // The low byte of the first word: 16·(1+2+3+4) + 4c mod 256.
      expect(sum?.[0]).toBe((160 + 4 * index) % 256)
      expect(sum?.[wordBytes]).toBe(sum?.[0])
      return digest
    })
    expect(new Set(sums).size).toBe(9)
    expect(blobs.size).toBe(9)
  })

  test("everybody learns digests of what was contributed and received, and they match", async () => {
    const { scatters, layout } = world()
    const results = await Promise.all(scatters.map((scatter) => scatter.run()))
    results.forEach((mine: Contributions, at) => {
      expect(mine.contributed.length).toBe(9)
      for (const [other, digests] of mine.received) {
        const own = layout.chunks.filter(({ index }) => summingParty(index, 4) === at + 1)
        expect(digests).toEqual(own.map(({ index }) => results[other - 1]?.contributed[index]))
        expect(digests[0]).toBe(bytesDigest(new Uint8Array(48).fill(16 * other + at)))
      }
    })
  })

  test("the next contribution is made while one is sent", async () => {
    const gate = Promise.withResolvers<void>()
    const slow = async (index: number, chunk: number) => {
      if (index === 2 && chunk === 1) await gate.promise
    }
    const { scatters, computed } = world({ slow })
    const all = Promise.all(scatters.map((scatter) => scatter.run()))
    await settle()
    // Party 2 takes nothing yet: party 1 waits with a piece for it, and holds one chunk more.
    expect(computed.filter((name) => name.startsWith("1:"))).toEqual(["1:0", "1:1", "1:2"])
    gate.resolve()
    await all
  })

  test("a party that is behind holds the others back within one window", async () => {
    const gate = Promise.withResolvers<void>()
    const slow = async (index: number, chunk: number) => {
      if (index === 4 && chunk === 1) await gate.promise
    }
    const { scatters, computed } = world({ chunks: 16, slow })
    const all = Promise.all(scatters.map((scatter) => scatter.run()))
    await settle()
    const furthest = Math.max(...computed.map((name) => Number(name.split(":")[1])))
    expect(furthest).toBeLessThan(8)
    gate.resolve()
    await all
    expect(computed.length).toBe(64)
  })

  test("what was sent or summed is not kept: a key is half a gigabyte", async () => {
    setFlagsFromString("--expose-gc")
    const collect = runInNewContext("gc") as () => void
    const made: WeakRef<Uint8Array>[] = []
    const { scatters } = world({ chunks: 40, onContribution: (bytes) => void made.push(new WeakRef(bytes)) })
    const over = Promise.all(scatters.map((scatter) => scatter.run()))
    while (made.length < 120) await new Promise((resolve) => setImmediate(resolve))
    collect()
    const alive = made.filter((reference) => reference.deref() !== undefined).length
    await over
    expect(alive).toBeLessThan(40)
  })

  test("pieces that arrive twice count once", async () => {
    const twice: Tamper = (_from, _to, _protocol, payload) => [payload, payload]
    const plain = world()
    const doubled = world({ tamper: twice })
    const expected = await Promise.all(plain.scatters.map((scatter) => scatter.run()))
    const actual = await Promise.all(doubled.scatters.map((scatter) => scatter.run()))
    expect(actual.map(({ sums }) => sums)).toEqual(expected.map(({ sums }) => sums))
  })

  test("a party that contributes nothing is named when time is up", async () => {
    const silent: Tamper = (from, _to, protocol, payload) =>
      from === partyAt(3).address && protocol === CEREMONY_PROTOCOLS.chunk.id ? [] : [payload]
    const { scatters, clock } = world({ tamper: silent })
    const failures = Promise.all(scatters.slice(0, 2).map((scatter) => failureOf(scatter.run())))
    void scatters[3]?.run().catch(() => {})
    void scatters[2]?.run().catch(() => {})
    await settle()
    clock.advance(1001)
    expect(await failures).toEqual([
      { code: "CHUNK_SILENT", culprits: [3] },
      { code: "CHUNK_SILENT", culprits: [3] },
    ])
  })

  test("a party that another one keeps from delivering is asked, and not named", async () => {
    const deafToThree: Tamper = (from, to, protocol, payload) =>
      from === partyAt(3).address && to === partyAt(1).address && protocol === CEREMONY_PROTOCOLS.chunk.id
        ? new Promise<readonly Uint8Array[]>(() => {})
        : [payload]
    const { scatters, clock } = world({ tamper: deafToThree })
    const second = failureOf(scatters[1]?.run() ?? Promise.resolve())
    for (const index of [0, 2, 3]) void scatters[index]?.run().catch(() => {})
    await settle()
    clock.advance(1001)
    await settle()
    expect(await second).toEqual({ code: "CHUNK_SILENT", culprits: [] })
  })

  test("a party that does not answer whether it has contributed is named", async () => {
    const deafToThree: Tamper = (from, to, protocol, payload) =>
      from === partyAt(3).address && to === partyAt(1).address && protocol === CEREMONY_PROTOCOLS.chunk.id
        ? new Promise<readonly Uint8Array[]>(() => {})
        : [payload]
    const { scatters, clock } = world({ tamper: deafToThree, mute: 3 })
    const second = failureOf(scatters[1]?.run() ?? Promise.resolve())
    for (const index of [0, 2, 3]) void scatters[index]?.run().catch(() => {})
    await settle()
    clock.advance(1001)
    await settle()
    clock.advance(10_001)
    expect(await second).toEqual({ code: "CHUNK_SILENT", culprits: [3] })
  })

  test("a party that refuses to answer, since its attempt has ended, is not named", async () => {
    const deafToThree: Tamper = (from, to, protocol, payload) =>
      from === partyAt(3).address && to === partyAt(1).address && protocol === CEREMONY_PROTOCOLS.chunk.id
        ? new Promise<readonly Uint8Array[]>(() => {})
        : [payload]
    const { scatters, clock, detach } = world({ tamper: deafToThree })
    const second = failureOf(scatters[1]?.run() ?? Promise.resolve())
    for (const index of [0, 2, 3]) void scatters[index]?.run().catch(() => {})
    await settle()
    detach(3)
    clock.advance(1001)
    await settle()
    expect(await second).toEqual({ code: "CHUNK_SILENT", culprits: [] })
  })

  test("a party that takes nothing in has no honest party named by another one", async () => {
    const deaf: Tamper = (_from, to, protocol, payload) =>
      to === partyAt(2).address && protocol === CEREMONY_PROTOCOLS.chunk.id ? [] : [payload]
    const { scatters, clock, lifetime } = world({ tamper: deaf })
    const honestOnes = [1, 3, 4].map((index) => failureOf(scatters[index - 1]?.run() ?? Promise.resolve()))
    void scatters[1]?.run().catch(() => {})
    await settle()
    clock.advance(1001)
    await settle()
    lifetime.abort()
    for (const failure of await Promise.all(honestOnes)) {
      const { culprits = [] } = failure as { readonly culprits?: readonly number[] }
      expect(culprits.filter((party) => party !== 2)).toEqual([])
    }
  })

  test("the end of the attempt ends everything that waits", async () => {
    const { scatters, lifetime } = world()
    const failure = failureOf(scatters[0]?.run() ?? Promise.resolve())
    await settle()
    lifetime.abort()
    expect(await failure).toMatchObject({ code: "CEREMONY_STOPPED" })
  })
})

describe("a piece that breaks the form names its sender", () => {
  const attempt = attemptOfParty(2)
  const data = new Uint8Array(16)
  test.each([
    ["of a chunk that another party sums", { chunk: 1, offset: 0, data }, "CHUNK_FOREIGN"],
    ["of a chunk that does not exist", { chunk: 400, offset: 0, data }, "CHUNK_FOREIGN"],
    ["after a gap", { chunk: 0, offset: 16, data }, "CHUNK_ORDER"],
    ["that is empty", { chunk: 0, offset: 0, data: new Uint8Array() }, "CHUNK_FORM"],
    ["that ends within a word", { chunk: 0, offset: 0, data: new Uint8Array(15) }, "CHUNK_FORM"],
    ["that reaches over the end", { chunk: 0, offset: 0, data: new Uint8Array(64) }, "CHUNK_FORM"],
  ])("a piece %s", async (_, piece, code) => {
    const { scatters } = world()
    const alice = scatters[0]
    if (alice === undefined) throw new Error("no party")
    const run = failureOf(alice.run())
    await settle()
    expect(await failureOf(alice.receive(party(2), encodePiece(attempt, piece)))).toMatchObject({ code })
    expect(await run).toEqual({ code, culprits: [2] })
  })

  test("bytes that do not decode", async () => {
    const { scatters } = world()
    const alice = scatters[0]
    if (alice === undefined) throw new Error("no party")
    const run = failureOf(alice.run())
    await settle()
    const short = encodePiece(attempt, { chunk: 0, offset: 0, data }).slice(0, -1)
    expect(await failureOf(alice.receive(party(2), short))).not.toBeNull()
    expect(await run).toEqual({ code: "CHUNK_FORM", culprits: [2] })
  })
})
