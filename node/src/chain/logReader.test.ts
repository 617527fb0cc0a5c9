/** Ranges of logs from endpoints of which some are behind the agreed head. */
import { abiWord, toHex } from "@twinlock/sdk/protocol/codec"
import { type Digest, parseAddress } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { type RpcEndpoint, rpcError } from "./jsonRpc.ts"
import { createLogReader } from "./logReader.ts"
import { createRpcPool } from "./rpcPool.ts"

const address = parseAddress(toHex(new Uint8Array(20).fill(1)))
const hashOf = (block: bigint): Digest => toHex(abiWord(block + (1n << 64n))) as Digest
const hex = (value: bigint): string => `0x${value.toString(16)}`
const FILTER = { addresses: [address], topics: [] }
const headAt = (number: bigint) => ({ number, hash: hashOf(number) })

const headerOf = (block: bigint) => ({
  ...{ number: hex(block), hash: hashOf(block), parentHash: hashOf(block - 1n) },
})
const logOf = (block: bigint, blockHash = hashOf(block)) => ({
  ...{ address, topics: [], data: "0x", blockNumber: hex(block), blockHash },
  ...{ transactionHash: hashOf(block), logIndex: "0x0" },
})

type Backend = {
  /** Newest block it has. */
  head: bigint
  /** Blocks with a log. */
  readonly logged: readonly bigint[]
  readonly asked: string[]
  /** What it says of a block's log instead. */
  lie?: Digest
  /** It refuses every question for logs. */
  lacksLogs?: boolean
  /** Questions that it works on, and most of them at a time. */
  busy: number
  busiest: number
}

/** Answers ranges beyond its head with what it has, as servers do. */
function endpointOf(name: string, backend: Backend): RpcEndpoint {
  const known = (hash: unknown): bigint | null => {
    const number = BigInt(String(hash)) - (1n << 64n)
    return number <= backend.head ? number : null
  }
  const answer = (method: string, [param]: readonly unknown[]): unknown => {
    if (method === "eth_getBlockByNumber") {
      const number = BigInt(String(param))
      return number <= backend.head ? headerOf(number) : null
    }
    if (method === "eth_getBlockByHash") {
      const number = known(param)
      return number === null ? null : headerOf(number)
    }
    if (backend.lacksLogs === true) throw rpcError("RPC_ERROR", "too many questions")
    const { fromBlock, toBlock, blockHash } = param as Record<string, string>
    const one = blockHash === undefined ? null : known(blockHash)
    if (blockHash !== undefined && one === null) throw rpcError("RPC_ERROR", "unknown block")
    const [from, to] = [one ?? BigInt(fromBlock ?? 0), one ?? BigInt(toBlock ?? 0)]
    return backend.logged
      .filter((block) => block >= from && block <= to && block <= backend.head)
      .map((block) => logOf(block, backend.lie))
  }
  return {
    name,
    async call(method, params) {
      backend.asked.push(method)
      backend.busiest = Math.max(backend.busiest, ++backend.busy)
      await new Promise(setImmediate)
      backend.busy--
      return { kind: "result", result: answer(method, params) }
    },
  }
}

function world(logged: readonly bigint[], heads: readonly bigint[]) {
  const backends = heads.map((head): Backend => ({ head, logged, asked: [], busy: 0, busiest: 0 }))
  const endpoints = backends.map((backend, i) => endpointOf(`e${i}`, backend))
  const pool = createRpcPool({ endpoints, timeoutMs: 1_000, logger: silentLogger, metrics: null })
  return { backends, logs: createLogReader(pool) }
}
const placesOf = (logs: readonly { readonly blockNumber: bigint }[]) =>
  logs.map(({ blockNumber }) => blockNumber)

describe("two of three endpoints are behind the agreed head", () => {
  test.each<[string, bigint, bigint, bigint]>([
    ["a new block", 100n, 100n, 99n],
    ["a few new blocks", 90n, 100n, 99n],
    ["a few new blocks, some far behind", 90n, 100n, 50n],
    ["many blocks", 100n, 9_000n, 8_999n],
    ["many blocks, some far behind", 100n, 9_000n, 7_000n],
  ])(
    "%s: no equal short lists win, and nothing is lost once they have caught up",
    async (...[, from, head, behind]) => {
      const logged = [...new Set([from, head])]
      const { backends, logs } = world(logged, [head, behind, behind])
      const read = () => logs.between(FILTER, from, head, headAt(head))
      await expect(read()).rejects.toMatchObject({ detail: { code: "CHAIN_UNAVAILABLE" } })
      for (const backend of backends) backend.head = head
      expect(placesOf(await read())).toEqual(logged)
    },
  )

  test("a range that ends long before the head", async () => {
    const { backends, logs } = world([10n, 20n], [9_000n, 15n, 15n])
    const read = () => logs.between(FILTER, 5n, 30n, headAt(9_000n))
    await expect(read()).rejects.toMatchObject({ detail: { code: "CHAIN_UNAVAILABLE" } })
    for (const backend of backends) backend.head = 9_000n
    expect(placesOf(await read())).toEqual([10n, 20n])
  })
})

test("one of three behind stands in nobody's way", async () => {
  const { logs } = world([1n, 8_950n, 9_000n], [9_000n, 10n, 9_001n])
  expect(placesOf(await logs.between(FILTER, 0n, 9_000n, headAt(9_000n)))).toEqual([1n, 8_950n, 9_000n])
})

test("a single new block is one question to each endpoint", async () => {
  const { backends, logs } = world([100n], [100n, 100n, 100n])
  await logs.between(FILTER, 100n, 100n, headAt(100n))
  expect(backends.map(({ asked }) => asked)).toEqual([["eth_getLogs"], ["eth_getLogs"], ["eth_getLogs"]])
})

test("the same blocks are looked up once for several filters", async () => {
  const { backends, logs } = world([100n], [100n, 100n, 100n])
  const read = () => logs.between(FILTER, 90n, 100n, headAt(100n))
  await Promise.all([read(), read()])
  expect(backends[0]?.asked.filter((method) => method === "eth_getBlockByNumber")).toHaveLength(10)
})

test("a log of another block than the one asked for is refused", async () => {
  const { backends, logs } = world([100n], [100n, 100n, 100n])
  for (const backend of backends) backend.lie = hashOf(7n)
  await expect(logs.between(FILTER, 100n, 100n, headAt(100n))).rejects.toThrow("CHAIN_MALFORMED")
})

test("blocks that do not lead to the agreed head are refused", async () => {
  const { logs } = world([], [100n, 100n, 100n])
  const head = { number: 100n, hash: hashOf(99n) }
  await expect(logs.between(FILTER, 99n, 100n, head)).rejects.toThrow("CHAIN_MALFORMED")
})

test("of many new blocks few are asked at a time, and old ones in one range", async () => {
  const { backends, logs } = world([40n, 100n], [100n])
  const read = logs.between(FILTER, 37n, 100n, headAt(100n))
  expect(placesOf(await read)).toEqual([40n, 100n])
  expect(backends[0]?.asked.filter((method) => method === "eth_getLogs")).toHaveLength(1 + 16)
  expect(backends[0]?.busiest).toBe(8)
})

test("after an endpoint's failure no further blocks are asked", async () => {
  const { backends, logs } = world([], [100n, 100n, 100n])
  for (const backend of backends) backend.lacksLogs = true
  await expect(logs.between(FILTER, 85n, 100n, headAt(100n))).rejects.toThrow("CHAIN_UNAVAILABLE")
  expect(backends[0]?.asked.filter((method) => method === "eth_getLogs")).toHaveLength(8)
})
