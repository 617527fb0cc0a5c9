import { describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { resultOf } from "./chainError.ts"
import { type RpcAnswer, type RpcEndpoint, rpcError } from "./jsonRpc.ts"
import { createRpcPool, type RpcPool } from "./rpcPool.ts"

type Handler = (method: string, params: readonly unknown[]) => unknown

/** Answers with what `handler` returns; an Error is thrown, `null` never answers. */
const endpoint = (name: string, handler: Handler): RpcEndpoint => ({
  name,
  call: async (method, params, signal) => {
    const result = handler(method, params)
    if (result instanceof Error) throw result
    if (result === null)
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    return { kind: "result", result }
  },
})

const down = (): Error => rpcError("RPC_UNREACHABLE", "down")
const hash = (byte: number): string => `0x${byte.toString(16).padStart(2, "0").repeat(32)}`

function poolOf(...handlers: Handler[]): { pool: RpcPool; alarms(): Promise<string[]> } {
  const metrics = createMetrics()
  const endpoints = handlers.map((handler, i) => endpoint(`e${i + 1}`, handler))
  const pool = createRpcPool({ endpoints, timeoutMs: 50, logger: silentLogger, metrics })
  const alarms = async (): Promise<string[]> =>
    [...(await metrics.text()).matchAll(/rpc_minority_total\{endpoint="(\w+)"\}/g)].map(([, name]) =>
      String(name),
    )
  return { pool, alarms }
}

const text = (answer: RpcAnswer): string => String(resultOf(answer))
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("reads by majority", () => {
  test.each<[string, unknown[], string]>([
    ["one of one", ["a"], "a"],
    ["two of three", ["a", "b", "a"], "a"],
    ["two of three with one down", ["a", down(), "a"], "a"],
    ["two of three with one silent", ["a", "a", null], "a"],
    ["three of five", ["b", "a", "a", down(), "a"], "a"],
  ])("%s", async (_name, answers, expected) => {
    const { pool } = poolOf(...answers.map((answer) => () => answer))
    expect(await pool.read("m", [], text)).toBe(expected)
  })

  test.each<[string, unknown[], string]>([
    ["all different", ["a", "b", "c"], "CHAIN_DISAGREEMENT"],
    ["an even split", ["a", "b"], "CHAIN_DISAGREEMENT"],
    ["two of four: half is no majority", ["a", "a", "b", "b"], "CHAIN_DISAGREEMENT"],
    ["two of five agree and the rest is down", ["a", "a", down(), down(), down()], "CHAIN_UNAVAILABLE"],
    ["nobody answers", [down(), null, down()], "CHAIN_UNAVAILABLE"],
    ["no endpoint at all answers in form", [3, 3, 3], "CHAIN_UNAVAILABLE"],
  ])("refused: %s", async (_name, answers, code) => {
    const { pool } = poolOf(...answers.map((answer) => () => answer))
    const strict = (answer: RpcAnswer): string => {
      const result = resultOf(answer)
      if (typeof result !== "string") throw new Error("no string")
      return result
    }
    await expect(pool.read("m", [], strict)).rejects.toMatchObject({ detail: { code } })
  })

  test("an endpoint that contradicts the majority raises an alarm, early or late", async () => {
    const { pool, alarms } = poolOf(
      () => "lie",
      () => "a",
      () => "a",
      () => "late lie",
      () => "a",
    )
    expect(await pool.read("m", [], text)).toBe("a")
    await settle()
    expect((await alarms()).sort()).toEqual(["e1", "e4"])
  })

  test("a block by its number, and never another one", async () => {
    const block = (number: string) => ({ number, hash: hash(1), timestamp: "0x9" })
    const { pool } = poolOf(() => block("0x7"))
    expect(await pool.block(7n)).toEqual({ number: 7n, hash: hash(1), timestamp: 9n })
    await expect(pool.block(8n)).rejects.toMatchObject({ detail: { code: "CHAIN_MALFORMED" } })
  })

  const letters = (answer: RpcAnswer): readonly string[] => [...text(answer)]

  test("parts of an answer are agreed one by one", async () => {
    const { pool, alarms } = poolOf(
      () => "abX",
      () => "aYc",
      () => "abc",
    )
    expect(await pool.readParts("m", [], 3, letters)).toEqual([
      { value: "a" },
      { value: "b" },
      { value: "c" },
    ])
    await settle()
    expect((await alarms()).sort()).toEqual(["e1", "e2"])
  })

  test("a part without a majority spoils no other one", async () => {
    const { pool } = poolOf(
      () => "a1",
      () => "a2",
      () => "a3",
    )
    const [first, second] = await pool.readParts("m", [], 2, letters)
    expect(first).toEqual({ value: "a" })
    expect(second).toMatchObject({ error: { detail: { code: "CHAIN_DISAGREEMENT" } } })
  })

  test("an answer of another number of parts is none", async () => {
    const { pool } = poolOf(
      () => "abc",
      () => "ab",
      () => "ab",
    )
    expect(await pool.readParts("m", [], 2, letters)).toEqual([{ value: "a" }, { value: "b" }])
    await expect(pool.readParts("m", [], 3, letters)).rejects.toMatchObject({
      detail: { code: "CHAIN_UNAVAILABLE" },
    })
  })

  test("an endpoint that is merely down raises none", async () => {
    const { pool, alarms } = poolOf(
      down,
      () => "a",
      () => "a",
    )
    await pool.read("m", [], text)
    expect(await alarms()).toEqual([])
  })
})

/** An endpoint whose finalised block is `number`; block hashes derive from their number and `fork`. */
const chain =
  (number: number, fork = 0): Handler =>
  (method, [tag]) => {
    if (method !== "eth_getBlockByNumber") return "0x7a69"
    const at = tag === "finalized" ? number : Number(tag)
    return {
      number: `0x${at.toString(16)}`,
      hash: hash(at + fork),
      timestamp: `0x${(1000 + at).toString(16)}`,
    }
  }

describe("agreed head", () => {
  test("is the block that a majority names, in one question to each", async () => {
    const asked: unknown[] = []
    const counted: Handler = (method, params) => {
      asked.push(params[0])
      return chain(10)(method, params)
    }
    const { pool } = poolOf(counted, counted, chain(9))
    expect(await pool.head()).toEqual({ number: 10n, hash: hash(10), timestamp: 1010n })
    expect(asked).toEqual(["finalized", "finalized"])
  })

  test("without one, it is a block that a majority has reached", async () => {
    const { pool } = poolOf(chain(12), chain(10), down)
    expect(await pool.head()).toEqual({ number: 10n, hash: hash(10), timestamp: 1010n })
  })

  test("waits for no endpoint but the first half", async () => {
    const { pool } = poolOf(chain(10), () => null, chain(10))
    const head = pool.head()
    await settle()
    expect(await Promise.race([head, settle()])).toMatchObject({ number: 10n })
  })

  test("a fast endpoint that stands still holds nobody back", async () => {
    let number = 10
    const honest: Handler = (method, params) => chain(number)(method, params)
    const { pool } = poolOf(chain(10), honest, honest)
    expect(await pool.head()).toMatchObject({ number: 10n })
    number = 11
    await pool.head()
    await settle()
    expect(await pool.head()).toMatchObject({ number: 11n })
  })

  test("an endpoint that names another block of the agreed number raises an alarm", async () => {
    const { pool, alarms } = poolOf(chain(9), chain(9), chain(9, 100))
    await pool.head()
    await settle()
    expect(await alarms()).toEqual(["e3"])
  })

  test("one endpoint far ahead or on a fork moves nothing", async () => {
    const { pool, alarms } = poolOf(chain(200), chain(9, 100), chain(9), chain(9))
    expect(await pool.head()).toMatchObject({ number: 9n, hash: hash(9) })
    await settle()
    expect(await alarms()).toContain("e2")
  })

  test("without a majority on the hash there is no head", async () => {
    const { pool } = poolOf(chain(9), chain(9, 100))
    await expect(pool.head()).rejects.toMatchObject({ detail: { code: "CHAIN_DISAGREEMENT" } })
  })

  test("without a majority of answers there is no head", async () => {
    const { pool } = poolOf(chain(9), down, down)
    await expect(pool.head()).rejects.toMatchObject({ detail: { code: "CHAIN_UNAVAILABLE" } })
  })

  test("never goes back", async () => {
    let number = 10
    const { pool } = poolOf((method, params) => chain(number)(method, params))
    await pool.head()
    number = 5
    expect(await pool.head()).toMatchObject({ number: 10n })
    number = 11
    expect(await pool.head()).toMatchObject({ number: 11n })
  })

  test("an endpoint that answers another block than asked is malformed", async () => {
    const lying: Handler = (method, [tag]) => chain(9)(method, [tag === "finalized" ? tag : "0x8"])
    const ahead: Handler = (method, [tag]) => chain(12)(method, [tag === "finalized" ? tag : "0x8"])
    const { pool } = poolOf(lying, ahead)
    await expect(pool.head()).rejects.toMatchObject({ detail: { code: "CHAIN_MALFORMED" } })
  })
})

describe("the configured chain", () => {
  test.each<[string, number, string, boolean]>([
    ["the right one", 31337, hash(0), true],
    ["another chain id", 1, hash(0), false],
    ["another genesis block", 31337, hash(1), false],
  ])("%s", async (_name, chainId, genesis, fine) => {
    const { pool } = poolOf(chain(9), chain(9), chain(9))
    const checked = pool.checkChain(chainId, genesis)
    if (fine) await checked
    else await expect(checked).rejects.toMatchObject({ detail: { code: "CHAIN_WRONG_ID" } })
  })
})

describe("sending", () => {
  test("one endpoint that takes the transaction is enough", async () => {
    const { pool } = poolOf(down, () => hash(7))
    expect(await pool.broadcast("0x02")).toBe(hash(7))
  })

  test("if none takes it, it is not sent", async () => {
    const { pool } = poolOf(down, () => "no hash")
    await expect(pool.broadcast("0x02")).rejects.toMatchObject({ detail: { code: "CHAIN_UNAVAILABLE" } })
  })
})
