/** The transport against a real node: finalised blocks, calls by block hash, reverts. */
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { type AnvilProcess, startAnvil } from "./anvilProcess.fixture.ts"
import { createContractReader } from "./contractReader.ts"
import { createRpcPool, type RpcPool } from "./rpcPool.ts"

const IDENTITY = parseAddress(`0x${"0".repeat(39)}4`)

let anvil: AnvilProcess
let pool: RpcPool

beforeAll(async () => {
  anvil = await startAnvil()
  pool = createRpcPool({
    endpoints: [anvil.endpoint],
    timeoutMs: 10_000,
    logger: silentLogger,
    metrics: null,
  })
})
afterAll(() => anvil.stop())

describe("against anvil", () => {
  test("the head follows the finalised block", async () => {
    const before = await pool.head()
    await anvil.call("anvil_mine", "0x5")
    const after = await pool.head()
    expect(after.number).toBeGreaterThan(before.number)
    expect(after.timestamp).toBeGreaterThanOrEqual(before.timestamp)
  })

  test("the configured chain is checked", async () => {
    const genesis = (await anvil.call("eth_getBlockByNumber", "0x0", false)) as { hash: string }
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
    expect(await anvil.call("eth_call", { data: "0x60006000fd" }, "latest")).toEqual({
      kind: "reverted",
      data: "0x",
    })
  })
})
