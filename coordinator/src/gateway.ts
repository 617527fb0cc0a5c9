/** The chain as the coordinator sees it: gateway, registries, and the account that pays. */
import {
  decryptionGatewayAbi,
  decryptionVerifierAbi,
  keyRegistryAbi,
  nodeRegistryAbi,
} from "@twinlock/sdk/chain/abi"
import { BATCH_CALL_GAS, batchAnswers, batchCallData, MAX_CALLS } from "@twinlock/sdk/chain/batchCall"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { BatchBody, CertifiedBody, ResultBody, SubmissionBody } from "@twinlock/sdk/protocol/http"
import {
  type Address,
  type Digest,
  type Hex,
  type KeyId,
  parseAddress,
  parseDigest,
  parseKeyId,
  parseRequestId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import { Contract, Interface, isCallException, type Log, parseUnits, Wallet } from "ethers"
import type { CoordinatorConfig } from "./config.ts"
import { Endpoints } from "./endpoints.ts"
import { batchGas, callOf, type GatewayCall, withRoom } from "./gatewayCall.ts"
import { coordinatorError } from "./httpError.ts"
import { type RequestFacts, requestFacts } from "./storedRequest.ts"
import { createTransactions } from "./transactions.ts"

export type ActiveKey = {
  readonly keyId: KeyId
  readonly epoch: number
  readonly publicKeyDigest: Digest
  readonly crsDigest: Digest
}

/** A transaction, and the requests that it itself has fulfilled. */
export type Receipt = { readonly transaction: Digest; readonly fulfilled: readonly RequestId[] }

export type Gateway = {
  /** Whether the result is of this chain and gateway; contracts learn neither from what they are called with. */
  serves(result: ResultBody): boolean
  /** All of them in one call, as far as they fit. */
  requests(ids: readonly RequestId[]): Promise<readonly RequestFacts[]>
  /** Calls without sending. @throws what the contract reverts with */
  simulate(submission: SubmissionBody): Promise<void>
  /** Sends and waits for the receipt. */
  fulfil(item: CertifiedBody): Promise<Receipt>
  /** The same for a batch, with gas for every result that waits, as far as one transaction can have it. */
  fulfilMany(batch: BatchBody): Promise<Receipt>
  /** True where the contract itself said no, so that a repeat is pointless for now. */
  isRefusal(error: unknown): boolean
  /** Name and arguments of the contract's typed error. */
  describe(error: unknown): string
  isLive(signer: Address): Promise<boolean>
  /** The active key of the coprocessor, if there is one yet. */
  key(): Promise<ActiveKey | null>
}

const POLL_MS = 250
/** Bytes of an endpoint's answer. */
const MAX_ANSWER = 16 * 1024 * 1024

/** Errors of every contract on the way, so that refusals read as their names. */
const errors = new Interface(
  [...decryptionGatewayAbi, ...decryptionVerifierAbi].filter(({ type }) => type === "error"),
)

function describe(error: unknown): string {
  if (isProtocolError(error)) return error.message
  if (!isCallException(error)) return "the call failed"
  const parsed = error.data == null ? null : errors.parseError(error.data)
  return parsed === null
    ? (error.reason ?? "reverted without a known error")
    : `${parsed.name}(${parsed.args.join(", ")})`
}

export type GatewayConfig = Pick<CoordinatorConfig, "rpc" | "chainId" | "contracts"> & {
  readonly limits: Pick<CoordinatorConfig["limits"], "rpcTimeoutMs" | "maxFeeGwei" | "maxTipGwei">
}

/**
 * @param key private key of the paying account, 32 bytes
 * @param onError told where transactions under way could not be looked after; that is tried again
 */
export function createGateway(
  config: GatewayConfig,
  key: string,
  onError: (error: unknown) => void,
): Gateway {
  const { limits } = config
  const provider = new Endpoints(config.rpc, config.chainId, {
    timeoutMs: limits.rpcTimeoutMs,
    maxBytes: MAX_ANSWER,
  })
  const wallet = new Wallet(key, provider)
  const to = parseAddress(config.contracts.decryptionGateway)
  const transactions = createTransactions({
    ...{ provider, signer: wallet, onError },
    chainId: config.chainId,
    pollMs: POLL_MS,
    most: {
      maxFeePerGas: parseUnits(String(limits.maxFeeGwei), "gwei"),
      maxPriorityFeePerGas: parseUnits(String(limits.maxTipGwei), "gwei"),
    },
  })
  const gateway = new Contract(to, decryptionGatewayAbi, wallet)
  const nodes = new Contract(config.contracts.nodeRegistry, nodeRegistryAbi, provider)
  const keys = new Contract(config.contracts.keyRegistry, keyRegistryAbi, provider)

  /** What is no word of a contract is an endpoint's failure, whatever the endpoint calls it. */
  const ask = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (cause) {
      if (isCallException(cause) && cause.data != null) throw cause
      throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "the chain does not answer" }, { cause })
    }
  }

  async function send([name, ...args]: GatewayCall, given?: bigint): Promise<Receipt> {
    const call = {
      to,
      data: gateway.interface.encodeFunctionData(name, args) as Hex,
    }
    const gasLimit = given ?? withRoom(await wallet.estimateGas(call))
    const { hash, logs } = await transactions.send({ ...call, gasLimit })
    return { transaction: parseDigest(hash), fulfilled: fulfilledIn(logs) }
  }

  const fulfilledIn = (logs: readonly Log[]): readonly RequestId[] =>
    logs.flatMap((log) => {
      if (log.address.toLowerCase() !== config.contracts.decryptionGateway) return []
      const event = gateway.interface.parseLog(log)
      return event?.name === "DecryptionFulfilled" ? [parseRequestId(String(event.args["requestId"]))] : []
    })

  async function askTogether(ids: readonly RequestId[]): Promise<readonly RequestFacts[]> {
    const calls = ids.map((argument) => ({ to, abi: gateway.interface, method: "requestOf", argument }))
    const answer = await provider
      .call({ data: batchCallData(calls), gasLimit: BATCH_CALL_GAS })
      .catch((error) => {
        if (isCallException(error) && error.data != null) return error.data
        throw error
      })
    const states = batchAnswers(answer, ids.length)
    if (states === null) throw new Error("no list of requests")
    return states.map((state) => requestFacts(state ?? "0x"))
  }

  /** As many as fit in one call together. */
  async function requestsOf(ids: readonly RequestId[]): Promise<readonly RequestFacts[]> {
    const asked: Promise<readonly RequestFacts[]>[] = []
    for (let i = 0; i < ids.length; i += MAX_CALLS) asked.push(askTogether(ids.slice(i, i + MAX_CALLS)))
    return (await ask(Promise.all(asked))).flat()
  }

  return {
    serves: (result) =>
      result.chainId === String(config.chainId) && result.gateway === config.contracts.decryptionGateway,
    requests: requestsOf,
    simulate: async (submission) => {
      const [name, ...args] = callOf(submission)
      await gateway.getFunction(name).staticCall(...args)
    },
    fulfil: (item) => send(callOf(item)),
    async fulfilMany(batch) {
      const requests = await requestsOf(batch.results.map(({ requestId }) => requestId))
      return send(callOf(batch), batchGas(batch, requests))
    },
    // A contract of ours names every error; endpoints that refuse for their own sake have no data.
    isRefusal: (error) =>
      isProtocolError(error, "TRANSACTION_REVERTED") ||
      (isCallException(error) && (error.data ?? "0x") !== "0x"),
    describe,
    async isLive(signer) {
      const [until, block] = await ask(
        Promise.all([nodes.getFunction("liveUntil").staticCall(signer), provider.getBlock("latest")]),
      )
      return block !== null && Number(until) > block.timestamp
    },
    async key() {
      const keyId = parseKeyId(
        await ask(keys.getFunction("keyOfHost").staticCall(config.contracts.coprocessor)),
      )
      if (BigInt(keyId) === 0n) return null
      const { epoch, publicKeyDigest, crsDigest } = await ask(keys.getFunction("keyOf").staticCall(keyId))
      return {
        keyId,
        epoch: Number(epoch),
        publicKeyDigest: parseDigest(publicKeyDigest),
        crsDigest: parseDigest(crsDigest),
      }
    },
  }
}
