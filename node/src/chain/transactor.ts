/**
 * Sends transactions as this node's signer. The key never becomes a JavaScript string: ethers builds and encodes the
 * transaction, the digest is signed over the secret's bytes.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { type Interface, isCallException, type JsonRpcProvider, Signature, Transaction } from "ethers"
import type { Secret } from "../secret.ts"

export type TransactorErrorCode =
  /** the contract reverts; `message` names its typed error. */
  | "TRANSACTION_REVERTED"
  /** no endpoint took the transaction or answered in time. */
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

const WAIT_MS = 60_000

function describe({ abi }: Call, error: unknown): string {
  if (!isCallException(error)) return error instanceof Error ? error.message.slice(0, 200) : "unknown failure"
  const parsed = error.data == null ? null : abi.parseError(error.data)
  return parsed === null
    ? (error.reason ?? `reverted with ${error.data ?? "nothing"}`)
    : `${parsed.name}(${parsed.args.join(", ")})`
}

export function createTransactor(
  provider: JsonRpcProvider,
  chainId: bigint,
  signer: Secret<Uint8Array>,
): Transactor {
  const account = signer.use(addressOfSecretKey)
  let queue: Promise<unknown> = Promise.resolve()

  async function submit(call: Call): Promise<Sent> {
    const { to, abi, method, args, value = 0n } = call
    const data = abi.encodeFunctionData(method, [...args])
    try {
      const [nonce, fees, gas] = await Promise.all([
        provider.getTransactionCount(account, "pending"),
        provider.getFeeData(),
        provider.estimateGas({ from: account, to, data, value }),
      ])
      const transaction = Transaction.from({
        type: 2,
        chainId,
        nonce,
        to,
        data,
        value,
        // A quarter above the estimate: state may move between estimate and inclusion.
        gasLimit: gas + gas / 4n,
        maxFeePerGas: fees.maxFeePerGas ?? 0n,
        maxPriorityFeePerGas: fees.maxPriorityFeePerGas ?? 0n,
      })
      const digest = parseDigest(transaction.unsignedHash)
      transaction.signature = Signature.from(toHex(signer.use((key) => signDigest(digest, key))))
      const response = await provider.broadcastTransaction(transaction.serialized)
      const receipt = await response.wait(1, WAIT_MS)
      if (receipt === null) throw new Error("no receipt")
      return {
        hash: parseDigest(receipt.hash),
        gasUsed: receipt.gasUsed,
        blockNumber: BigInt(receipt.blockNumber),
      }
    } catch (cause) {
      const code: TransactorErrorCode = isCallException(cause) ? "TRANSACTION_REVERTED" : "TRANSACTION_FAILED"
      throw new ProtocolError({ code, message: `${method}: ${describe(call, cause)}` }, { cause })
    }
  }

  return {
    account,
    send(call) {
      const sent = queue.then(() => submit(call))
      queue = sent.catch(() => {})
      return sent
    },
  }
}
