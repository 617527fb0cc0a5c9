import { toHex } from "@twinlock/sdk/protocol/codec"
import { type Address, parseAddress } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import { Interface } from "ethers"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createManualClock, systemClock, systemScheduler } from "../clock.ts"
import { Secret } from "../secret.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { type AnvilProcess, startAnvil } from "./anvilProcess.fixture.ts"
import { type RpcEndpoint, rpcError } from "./jsonRpc.ts"
import { createRpcPool } from "./rpcPool.ts"
import { type Call, createTransactor, type Transactor, type TransactorDeps } from "./transactor.ts"

const abi = new Interface(["function go(uint256 value)", "error Broken(uint256 value)"])
const key = new Uint8Array(32).fill(3)
const account = addressOfSecretKey(key)
const [TAKES, BREAKS] = [0x61, 0x62].map((byte) => parseAddress(toHex(new Uint8Array(20).fill(byte)))) as [
  Address,
  Address,
]
/** Reverts with Broken(argument): selector, then the word after the call's selector. */
const BROKEN_CODE = `0x63${abi.getError("Broken")?.selector.slice(2)}60e01b5f526020600460043760245ffd`

let anvil: AnvilProcess
beforeAll(async () => {
  anvil = await startAnvil()
  await anvil.call("anvil_setBalance", account, "0xde0b6b3a7640000")
  await anvil.call("anvil_setCode", TAKES, "0x00")
  await anvil.call("anvil_setCode", BREAKS, BROKEN_CODE)
})
afterAll(() => anvil.stop())

const down: RpcEndpoint = { name: "down", call: () => Promise.reject(rpcError("RPC_UNREACHABLE", "down")) }

function transactor(
  endpoints: readonly RpcEndpoint[] = [anvil.endpoint],
  changes: Partial<TransactorDeps> = {},
): Transactor {
  const pool = createRpcPool({ endpoints, timeoutMs: 10_000, logger: silentLogger, metrics: null })
  const deps = { pool, chainId: 31337n, clock: systemClock, scheduler: systemScheduler, ...changes }
  return createTransactor(deps, new Secret(key.slice()))
}

const call = (to: Address, value = 7n): Call => ({ to, abi, method: "go", args: [value] })

describe("transactor", () => {
  test("signs as its account, sends and waits for inclusion", async () => {
    const sender = transactor()
    const { hash, gasUsed, blockNumber } = await sender.send(call(TAKES))
    expect(sender.account).toBe(account)
    const transaction = (await anvil.call("eth_getTransactionByHash", hash)) as Record<string, string>
    expect(transaction).toMatchObject({ from: account, to: TAKES, input: abi.encodeFunctionData("go", [7n]) })
    expect(BigInt(transaction["blockNumber"] ?? 0)).toBe(blockNumber)
    expect(gasUsed).toBeGreaterThan(21_000n)
  })

  test("calls made at once follow each other", async () => {
    const sender = transactor()
    const sent = await Promise.all([1n, 2n, 3n].map((value) => sender.send(call(TAKES, value))))
    expect(new Set(sent.map(({ hash }) => hash)).size).toBe(3)
  })

  test("a revert costs no gas and names the contract's error; the next call goes on", async () => {
    const sender = transactor()
    const before = await anvil.call("eth_getTransactionCount", account, "latest")
    const refused = sender.send(call(BREAKS, 42n))
    const next = sender.send(call(TAKES))
    await expect(refused).rejects.toMatchObject({
      detail: { code: "TRANSACTION_REVERTED", message: "go: Broken(42)" },
    })
    await next
    expect(Number(await anvil.call("eth_getTransactionCount", account, "latest"))).toBe(Number(before) + 1)
  })

  test("an endpoint that is down is passed over", async () => {
    expect((await transactor([down, anvil.endpoint]).send(call(TAKES))).gasUsed).toBeGreaterThan(0n)
  })

  test("without any endpoint the transaction fails", async () => {
    await expect(transactor([down]).send(call(TAKES))).rejects.toMatchObject({
      detail: { code: "TRANSACTION_FAILED" },
    })
  })

  test("a transaction that is never included fails in the end", async () => {
    const clock = createManualClock()
    const deaf: RpcEndpoint = {
      name: "deaf",
      async call(method, params, signal) {
        if (method !== "eth_getTransactionReceipt") return anvil.endpoint.call(method, params, signal)
        setImmediate(() => clock.advance(60_000))
        return { kind: "result", result: null }
      },
    }
    await expect(transactor([deaf], { clock, scheduler: clock }).send(call(TAKES))).rejects.toThrow(
      "was not included",
    )
  })

  test("one that was never included is replaced by the next: it does not block the account", async () => {
    const slow = await startAnvil("--no-mining")
    try {
      await slow.call("anvil_setBalance", account, "0xde0b6b3a7640000")
      await slow.call("anvil_setCode", TAKES, "0x00")
      const clock = createManualClock()
      let patient = false
      const endpoint: RpcEndpoint = {
        name: "slow",
        async call(method, params, signal) {
          const polls = method === "eth_getTransactionReceipt"
          if (polls && patient) await slow.call("evm_mine")
          const answer = await slow.endpoint.call(method, params, signal)
          if (polls && !patient) setImmediate(() => clock.advance(60_000))
          return answer
        },
      }
      const sender = transactor([endpoint], { clock, scheduler: clock })
      await expect(sender.send(call(TAKES, 1n))).rejects.toThrow("was not included")
      patient = true
      const { hash } = await sender.send(call(TAKES, 2n))
      const transaction = (await slow.call("eth_getTransactionByHash", hash)) as Record<string, string>
      expect(transaction["nonce"]).toBe("0x0")
      expect((await sender.send(call(TAKES, 3n))).hash).not.toBe(hash)
    } finally {
      slow.stop()
    }
  })
})
