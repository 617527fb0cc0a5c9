/**
 * Sends transactions as one account. The key never becomes a JavaScript string: ethers builds and encodes the
 * transaction, the digest is signed over the secret's bytes. Endpoints are not trusted with more than delay: whichever
 * answers first serves nonce, fees and gas, every one is given the transaction, and what a node believes afterwards it
 * reads from agreed blocks.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { type Interface, Signature, Transaction } from "ethers"
import { z } from "zod"
import type { Clock, Scheduler } from "../clock.ts"
import type { Secret } from "../secret.ts"
import { resultOf } from "./chainError.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

export type TransactorErrorCode =
  /** the contract reverts; `message` names its typed error. */
  | "TRANSACTION_REVERTED"
  /** no endpoint took the transaction or reported its inclusion in time. */
  | "TRANSACTION_FAILED"

export type Call = {
  readonly to: Address
  readonly abi: Interface
  readonly method: string
  readonly args: readonly unknown[]
  readonly value?: bigint
}
export type Sent = { readonly hash: Digest; readonly gasUsed: bigint; readonly blockNumber: bigint }

export type Transactor = {
  readonly account: Address
  /** Simulates, signs, sends, waits for inclusion. Calls queue: one transaction at a time. @throws TransactorErrorCode */
  send(call: Call): Promise<Sent>
}

export type TransactorDeps = {
  readonly pool: Pick<RpcPool, "first" | "broadcast">
  readonly chainId: bigint
  readonly clock: Clock
  readonly scheduler: Scheduler
}

const WAIT_MS = 60_000
const POLL_MS = 250

type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
type Priced = Fees & { readonly nonce: number }

/** What endpoints want at least for a replacement: an eighth more. */
const raised = (fee: bigint): bigint => fee + fee / 8n + 1n
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const quantity = z
  .string()
  .regex(/^0x[0-9a-f]+$/)
  .transform(BigInt)
const hex = (value: bigint): string => `0x${value.toString(16)}`
const receiptSchema = z
  .object({
    transactionHash: z.string(),
    status: z.enum(["0x0", "0x1"]),
    gasUsed: quantity,
    blockNumber: quantity,
  })
  .nullable()
type Receipt = z.infer<typeof receiptSchema>

const failure = (
  code: TransactorErrorCode,
  { method }: Call,
  message: string,
  cause?: unknown,
): ProtocolError => new ProtocolError({ code, message: `${method}: ${message}` }, { cause })

/** The contract's typed error in words. */
function describeRevert(abi: Interface, data: string): string {
  const parsed = data === "0x" ? null : abi.parseError(data)
  return parsed === null ? `reverted with ${data.slice(0, 138)}` : `${parsed.name}(${parsed.args.join(", ")})`
}

/** **Security:** `key` signs whatever `send` is given; it stays the caller's. */
export function createTransactor(deps: TransactorDeps, key: Secret<Uint8Array>): Transactor {
  const { pool, chainId, clock, scheduler } = deps
  const account = key.use(addressOfSecretKey)
  let queue: Promise<unknown> = Promise.resolve()

  /** The last transaction, while it was not seen to be included: the next one takes its nonce, at a higher price. */
  let stuck: Priced | null = null

  const read = <T>(method: string, params: readonly unknown[], schema: z.ZodType<T>): Promise<T> =>
    pool.first(method, params, (answer: RpcAnswer) => schema.parse(resultOf(answer)))

  /** Gas with a quarter above the estimate: state may move between estimate and inclusion. */
  async function estimate(call: Call, transaction: Readonly<Record<string, string>>): Promise<bigint> {
    const answer = await pool.first("eth_estimateGas", [transaction], (raw) => raw)
    if (answer.kind === "reverted")
      throw failure("TRANSACTION_REVERTED", call, describeRevert(call.abi, answer.data))
    const gas = quantity.parse(answer.result)
    return gas + gas / 4n
  }

  async function fees(): Promise<Fees> {
    const [priority, { baseFeePerGas }] = await Promise.all([
      read("eth_maxPriorityFeePerGas", [], quantity),
      read("eth_getBlockByNumber", ["latest", false], z.object({ baseFeePerGas: quantity })),
    ])
    return { maxPriorityFeePerGas: priority, maxFeePerGas: 2n * baseFeePerGas + priority }
  }

  /** Nonce and fees of the next transaction: a stuck one would otherwise block the account for ever. */
  async function price(): Promise<Priced> {
    const count = async (tag: "latest" | "pending") =>
      Number(await read("eth_getTransactionCount", [account, tag], quantity))
    const current = await fees()
    if (stuck === null || (await count("latest")) > stuck.nonce)
      return { nonce: await count("pending"), ...current }
    const { nonce, maxFeePerGas, maxPriorityFeePerGas } = stuck
    return {
      nonce,
      maxFeePerGas: max(current.maxFeePerGas, raised(maxFeePerGas)),
      maxPriorityFeePerGas: max(current.maxPriorityFeePerGas, raised(maxPriorityFeePerGas)),
    }
  }

  const pause = (): Promise<void> => new Promise((resolve) => void scheduler.after(POLL_MS, resolve))

  async function awaitReceipt(call: Call, hash: string): Promise<NonNullable<Receipt>> {
    const until = clock.now() + WAIT_MS
    while (clock.now() < until) {
      const receipt = await read("eth_getTransactionReceipt", [hash], receiptSchema).catch(() => null)
      if (receipt !== null) return receipt
      await pause()
    }
    throw failure("TRANSACTION_FAILED", call, `${hash} was not included within ${WAIT_MS} ms`)
  }

  async function submit(call: Call): Promise<Sent> {
    const { to, abi, method, args, value = 0n } = call
    const data = abi.encodeFunctionData(method, [...args])
    const gasLimit = await estimate(call, { from: account, to, data, value: hex(value) })
    const priced = await price()
    const transaction = Transaction.from({ type: 2, chainId, to, data, value, gasLimit, ...priced })
    const digest = parseDigest(transaction.unsignedHash)
    transaction.signature = Signature.from(toHex(key.use((secret) => signDigest(digest, secret))))
    const hash = await pool.broadcast(transaction.serialized)
    stuck = priced
    const receipt = await awaitReceipt(call, hash)
    stuck = null
    if (receipt.status === "0x0")
      throw failure("TRANSACTION_REVERTED", call, `${hash} reverted when it was included`)
    return { hash: parseDigest(hash), gasUsed: receipt.gasUsed, blockNumber: receipt.blockNumber }
  }

  return {
    account,
    send(call) {
      const sent = queue
        .then(() => submit(call))
        .catch((error: unknown) => {
          if (isProtocolError(error, "TRANSACTION_REVERTED", "TRANSACTION_FAILED")) throw error
          throw failure("TRANSACTION_FAILED", call, error instanceof Error ? error.message : "failure", error)
        })
      queue = sent.catch(() => {})
      return sent
    },
  }
}
