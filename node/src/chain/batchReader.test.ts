/** Many calls in one, against a real node: what each of them returned, whatever the others do. */
import { MAX_CALLS, type WordCall } from "@twinlock/sdk/chain/batchCall"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Hex, parseAddress } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { type AnvilProcess, startAnvil } from "./anvilProcess.fixture.ts"
import { type BatchReader, createBatchReader } from "./batchReader.ts"
import type { BlockRef } from "./chainView.ts"
import type { Agreed } from "./endpointVotes.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import { createRpcPool, type RpcPool } from "./rpcPool.ts"

const abi = new Interface(["function f(bytes32) view returns (bytes32)", "function g()"])
const address = (byte: number): Address => parseAddress(`0x${byte.toString(16).padStart(2, "0").repeat(20)}`)
const word = (value: number): Hex => `0x${value.toString(16).padStart(64, "0")}`

/** Returns its call data: selector and argument. */
const ECHO = { at: address(0xe1), code: "0x365f5f37365ff3" }
/** Reverts with a word. */
const REVERT = { at: address(0xe2), code: "0x60205ffd" }
/** Uses up its gas: jumps for ever. */
const BURN = { at: address(0xe3), code: "0x5b5f56" }
/** Returns as many zeros as its argument says. */
const LONG = { at: address(0xe4), code: "0x6004355ff3" }
const NOBODY = address(0xe5)

let anvil: AnvilProcess
let pool: RpcPool
let batch: BatchReader
let at: BlockRef
const call = (to: Address, argument = word(7)): WordCall => ({ to, abi, method: "f", argument })
const value = (answer: Agreed<string> | undefined) =>
  answer !== undefined && "value" in answer ? answer.value : answer?.error.detail.code
const echoOf = (argument: Hex) => `${abi.getFunction("f")?.selector}${argument.slice(2)}`

beforeAll(async () => {
  anvil = await startAnvil()
  for (const { at: account, code } of [ECHO, REVERT, BURN, LONG])
    await anvil.call("anvil_setCode", account, code)
  await anvil.call("anvil_mine", "0x4")
  pool = createRpcPool({
    endpoints: [anvil.endpoint],
    timeoutMs: 10_000,
    logger: silentLogger,
    metrics: null,
  })
  batch = createBatchReader(pool)
  at = await pool.head()
})
afterAll(() => anvil.stop())

describe("a batch of calls", () => {
  test("each call has its own answer", async () => {
    const calls = [
      call(ECHO.at),
      call(REVERT.at),
      call(NOBODY),
      call(LONG.at, word(0)),
      call(ECHO.at, word(9)),
    ]
    expect((await batch.read(calls, at)).map(value)).toEqual([
      echoOf(word(7)),
      "CHAIN_MALFORMED",
      "0x",
      "0x",
      echoOf(word(9)),
    ])
    expect(await batch.read([], at)).toEqual([])
  })

  test("a call without an argument", async () => {
    const [answer] = await batch.read([{ to: ECHO.at, abi, method: "g" }], at)
    expect(value(answer)).toBe(`${abi.getFunction("g")?.selector}${"00".repeat(32)}`)
  })

  test("a call that uses up its gas or returns a lot spoils no other one", async () => {
    const calls = [call(BURN.at), call(ECHO.at), call(LONG.at, word(60_000)), call(ECHO.at)]
    const answers = (await batch.read(calls, at)).map(value)
    expect(answers[0]).toBe("CHAIN_MALFORMED")
    expect(answers[2]).toHaveLength(2 + 2 * 60_000)
    expect([answers[1], answers[3]]).toEqual([echoOf(word(7)), echoOf(word(7))])
  })

  test("more calls than one question takes, in their order", async () => {
    const calls = Array.from({ length: 2 * MAX_CALLS + 3 }, (_, i) => call(ECHO.at, word(i)))
    expect((await batch.read(calls, at)).map(value)).toEqual(calls.map((_, i) => echoOf(word(i))))
  })

  test("an unknown block", async () => {
    const unknown = { ...at, hash: word(1) as BlockRef["hash"] }
    await expect(batch.read([call(ECHO.at)], unknown)).rejects.toThrow("CHAIN_UNAVAILABLE")
  })
})

describe("endpoints that lie", () => {
  /** Answers as anvil does, but for what `spoil` makes of it. */
  const lying = (name: string, spoil: (data: string) => RpcAnswer) => ({
    name,
    async call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<RpcAnswer> {
      const answer = await anvil.endpoint.call(method, params, signal)
      return answer.kind === "reverted" ? spoil(answer.data) : answer
    },
  })
  const honest = (data: string): RpcAnswer => ({ kind: "reverted", data })
  const poolOf = (...spoils: ((data: string) => RpcAnswer)[]) =>
    createBatchReader(
      createRpcPool({
        endpoints: spoils.map((spoil, i) => lying(`e${i}`, spoil)),
        ...{ timeoutMs: 10_000, logger: silentLogger, metrics: null },
      }),
    )
  /** Another answer to the call of that number; all have the same length. */
  const changed = (number: number) => (data: string) => {
    const length = (data.length - 2) / 3
    const end = 2 + length * (number + 1)
    return honest(`${data.slice(0, end - 2)}ff${data.slice(end)}`)
  }
  const calls = [1, 2, 3].map((argument) => call(ECHO.at, word(argument)))
  const right = calls.map((_, i) => echoOf(word(i + 1)))

  test("each about another call: a majority stands behind every answer", async () => {
    const answers = await poolOf(changed(0), changed(1), honest).read(calls, at)
    expect(answers.map(value)).toEqual(right)
  })

  test("two of three about the same call, differently: that answer alone is missing", async () => {
    const other = (data: string): RpcAnswer => honest(data.replace(word(2).slice(2), word(0xee).slice(2)))
    const answers = await poolOf(changed(1), other, honest).read(calls, at)
    expect(answers.map(value)).toEqual([right[0], "CHAIN_DISAGREEMENT", right[2]])
  })

  test.each<[string, (data: string) => RpcAnswer]>([
    ["nothing", () => honest("0x")],
    ["too few answers", (data) => honest(data.slice(0, 2 + ((data.length - 2) / 3) * 2))],
    ["too many answers", (data) => honest(`${data}0000000000`)],
    ["a cut answer", (data) => honest(data.slice(0, -2))],
    ["a length beyond the end", (data) => honest(data.replace("0x0100000024", "0x01ffffffff"))],
    ["a success of another kind", (data) => honest(data.replace("0x01", "0x02"))],
    ["a failure that returns something", (data) => honest(data.replace("0x01", "0x00"))],
    ["a result", (data) => ({ kind: "result", result: data })],
    ["no data at all", () => ({ kind: "result", result: null })],
  ])("garbage is no answer: %s", async (_name, spoil) => {
    expect((await poolOf(spoil, honest, honest).read(calls, at)).map(value)).toEqual(right)
    const failure = await poolOf(spoil, spoil, honest)
      .read(calls, at)
      .catch((error: unknown) => error)
    expect(isProtocolError(failure, "CHAIN_UNAVAILABLE")).toBe(true)
  })
})

test("an endless list is read no further than it was asked for", async () => {
  const endless = `0x${"00".repeat(1 << 20)}`
  let read = 0
  const pool = {
    async readParts(_method, _params, _count, parse) {
      const data = {
        length: endless.length,
        slice: (from: number, to: number) => {
          read += 1
          return endless.slice(from, to)
        },
      }
      return parse({ kind: "reverted", data: data as unknown as string }).map((value) => ({ value }))
    },
  } as Pick<RpcPool, "readParts"> as RpcPool
  await expect(createBatchReader(pool).read([call(ECHO.at)], at)).rejects.toThrow("CHAIN_MALFORMED")
  expect(read).toBeLessThan(10)
})
