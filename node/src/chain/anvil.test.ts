/** The transport against a real node: finalised blocks, calls by block hash, reverts. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { createContractReader } from "./contractReader.ts"
import { createRpcEndpoint, type RpcEndpoint } from "./jsonRpc.ts"
import { createRpcPool, type RpcPool } from "./rpcPool.ts"

const IDENTITY = `0x${"0".repeat(39)}4` as Parameters<ReturnType<typeof createContractReader>["rawCall"]>[0]

let anvil: ChildProcess
let endpoint: RpcEndpoint
let pool: RpcPool

beforeAll(async () => {
  const binary = join(import.meta.dirname, "../../../node_modules/.bin/anvil")
  // Its own process group: the binary is the child of a small launcher.
  anvil = spawn(binary, ["--port", "0", "--slots-in-an-epoch", "1"], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  })
  const lines = createInterface({ input: anvil.stdout as NodeJS.ReadableStream })
  for await (const line of lines) {
    const [, address] = /Listening on (\S+)/.exec(line) ?? []
    if (address === undefined) continue
    endpoint = createRpcEndpoint(`http://${address}`)
    break
  }
  pool = createRpcPool({ endpoints: [endpoint], timeoutMs: 10_000, logger: silentLogger, metrics: null })
})
afterAll(() => {
  if (anvil.pid !== undefined) process.kill(-anvil.pid, "SIGKILL")
})

const call = async (method: string, ...params: unknown[]): Promise<unknown> => {
  const answer = await endpoint.call(method, params, AbortSignal.timeout(10_000))
  return answer.kind === "result" ? answer.result : answer
}

describe("against anvil", () => {
  test("the head follows the finalised block", async () => {
    const before = await pool.head()
    await call("anvil_mine", "0x5")
    const after = await pool.head()
    expect(after.number).toBeGreaterThan(before.number)
    expect(after.timestamp).toBeGreaterThanOrEqual(before.timestamp)
  })

  test("the configured chain is checked", async () => {
    const genesis = (await call("eth_getBlockByNumber", "0x0", false)) as { hash: string }
    await pool.checkChain(31337, genesis.hash)
    await expect(pool.checkChain(1, genesis.hash)).rejects.toThrow("CHAIN_WRONG_ID")
  })

  test("calls answer at a block's hash, and not at an unknown one", async () => {
    const reader = createContractReader(pool)
    const at = await pool.head()
    expect(await reader.rawCall(IDENTITY, "0x1234", 100_000, at)).toBe("0x1234")
    const unknown = { ...at, hash: `0x${"ab".repeat(32)}` as typeof at.hash }
    await expect(reader.rawCall(IDENTITY, "0x1234", 100_000, unknown)).rejects.toThrow("CHAIN_UNAVAILABLE")
  })

  test("a revert is an answer", async () => {
    expect(await call("eth_call", { data: "0x60006000fd" }, "latest")).toEqual({
      kind: "reverted",
      data: "0x",
    })
  })
})
