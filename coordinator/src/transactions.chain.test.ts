import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Hex, parseAddress } from "@twinlock/sdk/protocol/ids"
import { isError, JsonRpcProvider, makeError, type TransactionReceipt, Wallet } from "ethers"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { type AnvilProcess, startAnvil } from "../../node/src/chain/anvilProcess.fixture.ts"
import { type Call, createTransactions } from "./transactions.ts"

let anvil: AnvilProcess
beforeAll(async () => {
  // Blocks are made by the tests.
  anvil = await startAnvil("--hardfork", "osaka", "--no-mining")
})
afterAll(() => anvil.stop())

const GWEI = 10n ** 9n
const ETHER = "0xde0b6b3a7640000"
let accounts = 0
let wallet: Wallet
let provider: JsonRpcProvider

/** A coordinator's process: the account is of the test, the transactions of the process. */
const start = (
  by = provider,
  most = { maxFeePerGas: 10n ** 15n, maxPriorityFeePerGas: 10n ** 15n },
  onError = (_error: unknown): void => {},
) => createTransactions({ provider: by, signer: wallet, chainId: 31337, pollMs: 20, most, onError })
const mine = async () => void (await anvil.call("evm_mine"))
const call = (byte: number, data: Hex = "0x"): Call => ({
  to: parseAddress(`0x${byte.toString(16).padStart(40, "0")}`),
  data,
  gasLimit: 60_000n,
})
/** Mines until all are in blocks, or failed. @param baseFee of every block */
async function settled(
  sent: readonly Promise<TransactionReceipt>[],
  baseFee?: bigint,
): Promise<PromiseSettledResult<TransactionReceipt>[]> {
  let done = false
  const all = Promise.allSettled(sent).finally(() => {
    done = true
  })
  while (!done) {
    if (baseFee !== undefined)
      await anvil.call("anvil_setNextBlockBaseFeePerGas", `0x${baseFee.toString(16)}`)
    await mine()
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  return all
}
const outcomeOf = (result: PromiseSettledResult<TransactionReceipt>): string =>
  result.status === "fulfilled"
    ? "mined"
    : isProtocolError(result.reason)
      ? result.reason.detail.code
      : String((result.reason as { code?: string }).code)
const pending = async () => Number(await provider.getTransactionCount(wallet.address, "pending"))
const waitFor = (count: number) => expect.poll(pending, { timeout: 10_000 }).toBe(count)

beforeEach(async () => {
  provider = new JsonRpcProvider(`http://${anvil.endpoint.name}`, 31337, {
    staticNetwork: true,
    cacheTimeout: -1,
  })
  accounts += 1
  wallet = new Wallet(`0x${accounts.toString(16).padStart(64, "0")}`, provider)
  await anvil.call("anvil_setBalance", wallet.address, ETHER)
})

describe("many transactions", () => {
  test("are in one block, in the order in which they were sent", async () => {
    const { send } = start()
    const sent = Array.from({ length: 16 }, (_, i) => send(call(i + 0x1000)))
    await waitFor(16)
    await mine()
    const receipts = await Promise.all(sent)
    expect(new Set(receipts.map(({ blockNumber }) => blockNumber)).size).toBe(1)
    expect(receipts.map(({ index }) => index)).toEqual(receipts.map((_, i) => i))
    expect(receipts.map(({ to }) => parseAddress(to ?? ""))).toEqual(sent.map((_, i) => call(i + 0x1000).to))
  })

  test("do not stop where one fails in its block", async () => {
    await anvil.call("anvil_setCode", call(0x2000).to, "0xfe")
    const { send } = start()
    const results = await settled([send(call(0x2001)), send(call(0x2000)), send(call(0x2002))])
    expect(results.map(outcomeOf)).toEqual(["mined", "TRANSACTION_REVERTED", "mined"])
  })

  test("do not use a nonce where the endpoint takes one not at all", async () => {
    const { send } = start()
    const outcomes = await settled([send(call(0x3000)), send({ ...call(0x3001), gasLimit: 1n })])
    expect(outcomes[1]?.status).toBe("rejected")
    expect((await settled([send(call(0x3002))])).map(outcomeOf)).toEqual(["mined"])
    expect(await pending()).toBe(2)
  })
})

describe("a transaction that is not included", () => {
  test("is offered for more, with those behind it, under the same nonces", async () => {
    const { send } = start()
    const sent = [send(call(0x4000)), send(call(0x4001))]
    await waitFor(2)
    const { maxFeePerGas } = await provider.getFeeData()
    const offered = maxFeePerGas ?? 0n
    // The base fee stays above what they offered.
    const receipts = await settled(sent, offered * 2n)
    expect(receipts.map(outcomeOf)).toEqual(["mined", "mined"])
    const [first, second] = await Promise.all(sent)
    expect(
      [first?.gasPrice, second?.gasPrice].every((price) => price !== undefined && price >= offered * 2n),
    ).toBe(true)
    expect(await provider.getTransactionCount(wallet.address, "latest")).toBe(2)
    await anvil.call("anvil_setNextBlockBaseFeePerGas", "0x3b9aca00")
    await mine()
  })

  test("and that all endpoints have forgotten is given to them again", async () => {
    const { send } = start()
    const sent = [send(call(0x5000)), send(call(0x5001))]
    await waitFor(2)
    await anvil.call("anvil_removePoolTransactions", wallet.address)
    await waitFor(0)
    expect((await settled(sent)).map(outcomeOf)).toEqual(["mined", "mined"])
  })

  test("of a process that ended does not block the next process", async () => {
    void start()
      .send(call(0x6000))
      .catch(() => {})
    await waitFor(1)
    const { send } = start()
    const sent = [send(call(0x6001)), send(call(0x6002))]
    await waitFor(2)
    expect((await settled(sent)).map(outcomeOf)).toEqual(["mined", "mined"])
    expect(await provider.getTransactionCount(wallet.address, "latest")).toBe(2)
  })

  test("since another one took its nonce is lost, and the next ones go on", async () => {
    const { send } = start()
    const sent = [send(call(0x7000))]
    await waitFor(1)
    const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData()
    const fees = {
      maxFeePerGas: (maxFeePerGas ?? 0n) * 3n,
      maxPriorityFeePerGas: (maxPriorityFeePerGas ?? 0n) * 3n,
    }
    await wallet.sendTransaction({ to: call(0x7001).to, nonce: 0, ...fees })
    expect((await settled(sent)).map(outcomeOf)).toEqual(["TRANSACTION_LOST"])
    expect((await settled([send(call(0x7002))])).map(outcomeOf)).toEqual(["mined"])
  })
})

test("where an included one falls out of the chain, those behind it are lost, and new ones go on", async () => {
  const { send } = start()
  const before = await anvil.call("evm_snapshot")
  expect((await settled([send(call(0xa000))])).map(outcomeOf)).toEqual(["mined"])
  const behind = send(call(0xa001))
  await waitFor(2)
  await anvil.call("evm_revert", before)
  expect((await settled([behind])).map(outcomeOf)).toEqual(["TRANSACTION_LOST"])
  expect((await settled([send(call(0xa002)), send(call(0xa003))])).map(outcomeOf)).toEqual(["mined", "mined"])
})

test("an account without money is told so, and goes on once it has some", async () => {
  await anvil.call("anvil_setBalance", wallet.address, "0x0")
  const { send } = start()
  await expect(send(call(0x8000))).rejects.toSatisfy((error) => isError(error as Error, "INSUFFICIENT_FUNDS"))
  await anvil.call("anvil_setBalance", wallet.address, ETHER)
  expect((await settled([send(call(0x8001))])).map(outcomeOf)).toEqual(["mined"])
})

test("nothing is sent while a block costs more than the operator allows, and no tip is above what he allows", async () => {
  const { send } = start(provider, { maxFeePerGas: 20n * GWEI, maxPriorityFeePerGas: GWEI / 10n })
  await anvil.call("anvil_setNextBlockBaseFeePerGas", `0x${(30n * GWEI).toString(16)}`)
  await mine()
  await expect(send(call(0xb000))).rejects.toSatisfy((error) => isProtocolError(error, "FEE_ABOVE_LIMIT"))
  expect(await pending()).toBe(0)
  await anvil.call("anvil_setNextBlockBaseFeePerGas", `0x${(2n * GWEI).toString(16)}`)
  await mine()
  const sent = send(call(0xb001))
  await settled([sent], 2n * GWEI)
  expect((await sent).gasPrice).toBe(2n * GWEI + GWEI / 10n)
})

test("an endpoint that was behind costs one transaction, not one for each nonce up to the right one", async () => {
  const before = start()
  await settled([1, 2, 3].map((i) => before.send(call(0xc000 + i))))
  let isBehind = true
  class Behind extends JsonRpcProvider {
    override async getTransactionCount(...args: Parameters<JsonRpcProvider["getTransactionCount"]>) {
      const count = await super.getTransactionCount(...args)
      return isBehind ? 0 : count
    }
    // It takes what it does not know to be old.
    override async broadcastTransaction(signed: string) {
      const sent = await super.broadcastTransaction(signed).catch((error) => error)
      // In words of its own, of which nobody knows that the nonce is meant.
      if (sent instanceof Error && !isBehind) throw makeError("stale", "UNKNOWN_ERROR")
      isBehind = false
      return sent as Awaited<ReturnType<JsonRpcProvider["broadcastTransaction"]>>
    }
  }
  const url = `http://${anvil.endpoint.name}`
  const { send } = start(new Behind(url, 31337, { staticNetwork: true, cacheTimeout: -1 }))
  expect((await settled([send(call(0xc004))])).map(outcomeOf)).toEqual(["TRANSACTION_LOST"])
  expect((await settled([send(call(0xc005))])).map(outcomeOf)).toEqual(["mined"])
  await settled([start().send(call(0xc006))])
  await expect(send(call(0xc007))).rejects.toSatisfy((error) => isError(error as Error, "UNKNOWN_ERROR"))
  expect((await settled([send(call(0xc008))])).map(outcomeOf)).toEqual(["mined"])
})

describe("an endpoint that breaks off", () => {
  const breaking = (times: number) => {
    let left = times
    class Breaking extends JsonRpcProvider {
      override broadcastTransaction(signed: string) {
        if (left-- > 0) return Promise.reject(new Error("connection lost"))
        return super.broadcastTransaction(signed)
      }
    }
    const url = `http://${anvil.endpoint.name}`
    const provider = new Breaking(url, 31337, { staticNetwork: true, cacheTimeout: -1 })
    const mend = () => {
      left = 0
    }
    return { provider, mend }
  }

  test("is given the same transaction again", async () => {
    const { send } = start(breaking(2).provider)
    const results = await settled([send(call(0x9000)), send(call(0x9001))])
    expect(results.map(outcomeOf)).toEqual(["mined", "mined"])
    expect(await provider.getTransactionCount(wallet.address, "latest")).toBe(2)
  })

  test("every time stops nobody for ever", async () => {
    const broken = breaking(Number.POSITIVE_INFINITY)
    const { send } = start(broken.provider)
    expect((await settled([send(call(0x9002))])).map(outcomeOf)).toEqual(["TRANSACTION_LOST"])
    broken.mend()
    expect((await settled([send(call(0x9003))])).map(outcomeOf)).toEqual(["mined"])
  })

  test("while one is under way is told of, and the transaction is looked after again", async () => {
    let asked = 0
    class Breaking extends JsonRpcProvider {
      override getTransactionCount(...of: Parameters<JsonRpcProvider["getTransactionCount"]>) {
        // The first question is that of the launch.
        asked += 1
        return asked === 2 || asked === 3
          ? Promise.reject(new Error("connection lost"))
          : super.getTransactionCount(...of)
      }
    }
    const told: unknown[] = []
    const url = `http://${anvil.endpoint.name}`
    const by = new Breaking(url, 31337, { staticNetwork: true, cacheTimeout: -1 })
    const { send } = start(by, undefined, (error) => void told.push(error))
    expect((await settled([send(call(0x9004))])).map(outcomeOf)).toEqual(["mined"])
    expect(told.map(String)).toEqual(["Error: connection lost", "Error: connection lost"])
  })
})
