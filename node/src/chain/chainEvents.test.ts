/** What is followed, what is searched for, what is kept; and endpoints that refuse, lie or change their mind. */

import { abiWord, toHex } from "@twinlock/sdk/protocol/codec"
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import { type Digest, parseAddress, parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { chainError } from "./chainError.ts"
import { type ChainEventsDeps, createChainEvents } from "./chainEvents.ts"
import type { BlockRef, Commitment } from "./chainView.ts"
import { ciphertextCommitmentsInterface, decryptionGatewayInterface } from "./contracts.ts"
import { type RpcAnswer, rpcError } from "./jsonRpc.ts"
import { createLogReader } from "./logReader.ts"
import { handleOf } from "./requestChain.fixture.ts"
import type { RpcPool } from "./rpcPool.ts"

const account = (byte: number) => parseAddress(toHex(new Uint8Array(20).fill(byte)))
const word = (number: number | bigint): Digest => toHex(abiWord(BigInt(number))) as Digest
const contracts = {
  decryptionGateway: account(1),
  ciphertextCommitments: account(2),
  coprocessor: account(3),
}
const blockAt = (number: number, fork = 0): BlockRef => ({
  number: BigInt(number),
  hash: word(BigInt(number) + (BigInt(fork) << 64n)),
  timestamp: 1n,
})
const commitmentOf = (number: number): Commitment => ({
  handle: handleOf(number),
  ...{ operationDigest: word(1), inputsDigest: word(2), ciphertextDigest: word(3) },
  ...{ squashedDigest: word(number), fheType: 5, blockCount: 16 },
})
const leafOf = (number: number): Digest => {
  const commitment = commitmentOf(number)
  const { fheType } = commitment
  return commitmentLeaf({ chainId: 31337n, coprocessor: contracts.coprocessor }, { ...commitment, fheType })
}

type Query = {
  readonly address: string | readonly string[]
  readonly topics: readonly (string | readonly string[])[]
  readonly fromBlock?: string
  readonly toBlock?: string
  readonly blockHash?: string
}

function world() {
  const logs: { block: bigint; address: string; topics: string[]; data: string }[] = []
  const queries: Query[] = []
  /** Blocks of one query that the endpoints take. */
  const state = { longest: 1_000_000_000n, fork: 0 }
  const among = (wanted: string | readonly string[], value: string | undefined) =>
    typeof wanted === "string" ? wanted === value : wanted.includes(String(value))

  const pool = {
    async read<T>(method: string, [param]: readonly unknown[], parse: (answer: RpcAnswer) => T): Promise<T> {
      if (method === "eth_getBlockByNumber") {
        const [block, parent] = [0, 1].map((before) => blockAt(Number(param) - before, state.fork))
        return parse({
          kind: "result",
          result: { number: param, hash: block?.hash, parentHash: parent?.hash },
        })
      }
      const query = param as Query
      queries.push(query)
      const number = query.blockHash === undefined ? null : BigInt(query.blockHash) & 0xffff_ffffn
      const [from, to] = [number ?? BigInt(query.fromBlock ?? 0), number ?? BigInt(query.toBlock ?? 0)]
      if (to - from >= state.longest)
        throw chainError(
          "CHAIN_UNAVAILABLE",
          "0 of 1",
          rpcError("RPC_ERROR", "query returned more than 10000 results"),
        )
      const result = logs
        .filter(({ block, address }) => block >= from && block <= to && among(query.address, address))
        .filter(({ topics }) => query.topics.every((topic, i) => among(topic, topics[i])))
        .map(({ block, ...log }, i) => ({
          ...log,
          blockNumber: `0x${block.toString(16)}`,
          blockHash: blockAt(Number(block), state.fork).hash,
          transactionHash: word(i),
          logIndex: `0x${i.toString(16)}`,
        }))
      return parse({ kind: "result", result })
    },
  } as Pick<RpcPool, "read"> as RpcPool

  return {
    queries,
    state,
    logs,
    request(block: number, number: number, handles = [handleOf(number)]): RequestId {
      const values = [word(number), account(9), handles, "0x00000000", 0, 99, 0]
      const log = decryptionGatewayInterface.encodeEventLog("DecryptionRequested", values)
      logs.push({ block: BigInt(block), address: contracts.decryptionGateway, ...log })
      return parseRequestId(word(number))
    },
    vote(block: number, number: number, leaf = leafOf(number)): void {
      const values = [handleOf(number), leaf, account(8), Object.values(commitmentOf(number))]
      const log = ciphertextCommitmentsInterface.encodeEventLog("CommitmentVoted", values)
      logs.push({ block: BigInt(block), address: contracts.ciphertextCommitments, ...log })
    },
    start: (deployedAt = 0n, kept?: ChainEventsDeps["kept"]) =>
      createChainEvents({
        ...(kept === undefined ? {} : { kept }),
        ...{ logs: createLogReader(pool), contracts, chainId: 31337n, deployedAt, logger: silentLogger },
      }),
  }
}
const wanted = (number: number) => ({ handle: handleOf(number), leaf: leafOf(number) })

test("one question per block answers for its requests and its commitments", async () => {
  const { request, vote, start, queries } = world()
  const events = start()
  vote(99, 1)
  const first = request(100, 2)
  vote(100, 3)
  const second = request(100, 4)
  vote(100, 3)
  expect(await events.requestsSince(100n, blockAt(100))).toEqual([first, second])
  expect(events.request(first, blockAt(100))?.handles).toEqual([handleOf(2)])
  const found = await events.commitments([wanted(3)], 100n)
  expect([...found]).toEqual([[leafOf(3), commitmentOf(3)]])
  expect(queries).toHaveLength(1)
  expect(queries[0]?.blockHash).toBe(blockAt(100).hash)
  expect((await events.commitments([wanted(1), wanted(3)], 100n)).size).toBe(2)
  expect(queries).toHaveLength(2)
})

test("several services that follow the same blocks ask once; another block of that number is another question", async () => {
  const { start, queries, request, state } = world()
  const events = start()
  request(100, 1)
  const [a, b] = await Promise.all([
    events.requestsSince(90n, blockAt(100)),
    events.requestsSince(90n, blockAt(100)),
  ])
  expect(a).toEqual(b)
  expect(queries).toHaveLength(11)
  state.fork = 1
  await events.requestsSince(90n, blockAt(100, 1))
  expect(queries).toHaveLength(22)
})

test("a failed question is asked again", async () => {
  const { start, state, request } = world()
  const events = start()
  request(100, 1)
  state.longest = 0n
  await expect(events.requestsSince(100n, blockAt(100))).rejects.toThrow("CHAIN_UNAVAILABLE")
  state.longest = 100n
  expect(await events.requestsSince(100n, blockAt(100))).toHaveLength(1)
})

test("an agreed block that was replaced: places of requests are looked up again, commitments prove themselves", async () => {
  const { start, request, vote, state, queries } = world()
  const events = start()
  const id = request(100, 1)
  vote(100, 1)
  await events.requestsSince(100n, blockAt(100))
  expect(events.request(id, blockAt(101))?.blockHash).toBe(blockAt(100).hash)
  state.fork = 1
  expect(events.request(id, blockAt(101, 1))).toBeNull()
  expect((await events.findRequests([id], 101n)).get(id)?.blockHash).toBe(blockAt(100, 1).hash)
  expect(events.request(id, blockAt(101, 1))?.blockHash).toBe(blockAt(100, 1).hash)
  const before = queries.length
  expect((await events.commitments([wanted(1)], 101n)).size).toBe(1)
  expect(queries).toHaveLength(before)
})

test("an event whose fields do not hash to its leaf is no commitment", async () => {
  const { start, vote } = world()
  const events = start()
  vote(100, 1, leafOf(2))
  await events.requestsSince(100n, blockAt(100))
  expect((await events.commitments([{ handle: handleOf(1), leaf: leafOf(2) }], 100n)).size).toBe(0)
})

test("a catch-up over many blocks reads requests alone", async () => {
  const { start, request, vote, queries } = world()
  const events = start()
  const id = request(100, 1)
  vote(100, 1)
  expect(await events.requestsSince(0n, blockAt(11_000))).toEqual([id])
  const ranges = queries.filter(({ blockHash }) => blockHash === undefined)
  expect(ranges.map(({ fromBlock, toBlock }) => [Number(fromBlock), Number(toBlock)])).toEqual([
    [0, 4_999],
    [5_000, 9_999],
    [10_000, 10_984],
  ])
  expect(queries.slice(3).map(({ blockHash }) => blockHash)).toEqual(
    Array.from({ length: 16 }, (_, i) => blockAt(10_985 + i).hash),
  )
  expect(queries.every(({ address }) => address === contracts.decryptionGateway)).toBe(true)
})

test("what the endpoints refuse as too much is asked in halves", async () => {
  const { start, state, request } = world()
  const events = start(1n)
  const ids = Array.from({ length: 100 }, (_, i) => request(1 + i * 97, i))
  state.longest = 700n
  expect(await events.requestsSince(0n, blockAt(9_800))).toEqual(ids)
})

test("a search goes far back in few questions, and no further than it must", async () => {
  const { start, vote, queries, state } = world()
  const events = start(10n)
  vote(10, 1)
  vote(2_999_000, 2)
  expect((await events.commitments([wanted(1), wanted(2)], 3_000_000n)).size).toBe(2)
  expect(queries.length).toBeLessThan(12)
  expect(Number(queries.at(-1)?.fromBlock)).toBe(10)
  const other = start(10n)
  const before = queries.length
  await other.commitments([wanted(2)], 3_000_000n)
  expect(queries.length - before).toBe(1)
  state.longest = 300n
  expect((await start(2_990_000n).commitments([wanted(2)], 3_000_000n)).size).toBe(1)
})

test("many wanted at once are few questions", async () => {
  const { start, vote, queries } = world()
  const events = start()
  for (let i = 0; i < 200; i++) vote(50, i)
  const all = Array.from({ length: 200 }, (_, i) => wanted(i))
  expect((await events.commitments(all, 100n)).size).toBe(200)
  expect(queries).toHaveLength(4)
})

test("a flood of requests and commitments goes no further than the bounds, and what was dropped is found", async () => {
  const { start, request, vote, queries } = world()
  const events = start(0n, { requests: 20, commitments: 30 })
  const ids = Array.from({ length: 100 }, (_, i) => {
    vote(i, i)
    return request(i, i)
  })
  for (const i of ids.keys()) await events.requestsSince(BigInt(i), blockAt(i))
  expect(ids.filter((id) => events.request(id, blockAt(99)) !== null)).toEqual(ids.slice(80))
  const before = queries.length
  const newest = Array.from({ length: 30 }, (_, i) => wanted(70 + i))
  expect((await events.commitments(newest, 99n)).size).toBe(30)
  expect(queries).toHaveLength(before)
  expect((await events.commitments([wanted(1)], 99n)).size).toBe(1)
  expect((await events.findRequests(ids.slice(0, 1), 99n)).has(ids[0] as RequestId)).toBe(true)
  expect(queries).toHaveLength(before + 2)
})

test("more wanted at once than is kept are found nevertheless", async () => {
  const { start, vote, request } = world()
  const events = start(0n, { requests: 2, commitments: 2 })
  const ids = Array.from({ length: 70 }, (_, i) => {
    vote(50, i)
    return request(50, i)
  })
  expect((await events.findRequests(ids, 100n)).size).toBe(70)
  const all = ids.map((_, i) => wanted(i))
  expect((await events.commitments(all, 100n)).size).toBe(70)
})

test("logs that were not asked for are refused", async () => {
  const { start, request, logs } = world()
  const events = start()
  request(100, 1)
  logs[0] = { ...(logs[0] as (typeof logs)[0]), topics: ["0x00"] }
  // This endpoint does not filter.
  Object.defineProperty(logs, "filter", { value: () => ({ filter: () => [...logs] }) })
  await expect(events.requestsSince(100n, blockAt(100))).rejects.toThrow("CHAIN_MALFORMED")
})
