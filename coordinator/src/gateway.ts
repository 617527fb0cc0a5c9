/** The chain as the coordinator sees it: gateway, registries, and the account that pays. */
import {
  decryptionGatewayAbi,
  decryptionVerifierAbi,
  keyRegistryAbi,
  nodeRegistryAbi,
  REQUEST_STATUS,
} from "@twinlock/sdk/chain/abi"
import { needsEvidence } from "@twinlock/sdk/protocol/certificate"
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
import {
  Contract,
  FallbackProvider,
  Interface,
  isCallException,
  JsonRpcProvider,
  type Log,
  type Result,
  Wallet,
} from "ethers"
import type { CoordinatorConfig } from "./config.ts"
import { batchGas, callOf, type GatewayCall, withRoom } from "./gatewayCall.ts"
import { coordinatorError } from "./httpError.ts"
import { createTransactions } from "./transactions.ts"

/** `demanding` waits too, for a result with evidence: the group's signature alone is not enough for it. */
export type RequestState = "unknown" | "pending" | "demanding" | "fulfilled" | "closed"

export const isWaiting = (state: RequestState): boolean => state === "pending" || state === "demanding"

export type ActiveKey = {
  readonly keyId: KeyId
  readonly epoch: number
  readonly publicKeyDigest: Digest
  readonly crsDigest: Digest
}

/** A request as the gateway holds it. */
export type RequestFacts = { readonly state: RequestState; readonly requester: Address }

/** A transaction, and the requests that it itself has fulfilled. */
export type Receipt = { readonly transaction: Digest; readonly fulfilled: readonly RequestId[] }

export type Gateway = {
  /** Whether the result is of this chain and gateway; contracts learn neither from what they are called with. */
  serves(result: ResultBody): boolean
  /** All of them in one request to an endpoint. */
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

const STATES: Readonly<Record<number, RequestState>> = {
  [REQUEST_STATUS.none]: "unknown",
  [REQUEST_STATUS.pending]: "pending",
  // A late result is still stored for its requester.
  [REQUEST_STATUS.refunded]: "pending",
  [REQUEST_STATUS.cancelled]: "closed",
  [REQUEST_STATUS.fulfilled]: "fulfilled",
  [REQUEST_STATUS.callbackFailed]: "fulfilled",
  [REQUEST_STATUS.fulfilledLate]: "fulfilled",
}

function factsOf({ status, requester, endorsements, freshQuotes }: Result): RequestFacts {
  const state = STATES[Number(status)] ?? "unknown"
  const demands = needsEvidence({
    endorsements: Number(endorsements),
    freshQuotes: Number(freshQuotes),
    groupOnly: false,
  })
  return {
    state: state === "pending" && demands ? "demanding" : state,
    requester: parseAddress(requester),
  }
}

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

/** @param key private key of the paying account, 32 bytes. */
export function createGateway(
  config: Pick<CoordinatorConfig, "rpc" | "chainId" | "contracts">,
  key: string,
): Gateway {
  const providers = config.rpc.map(
    (url) => new JsonRpcProvider(url, config.chainId, { staticNetwork: true, pollingInterval: POLL_MS }),
  )
  const [first] = providers
  if (first === undefined)
    throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "no RPC endpoint is configured" })
  const provider =
    providers.length === 1 ? first : new FallbackProvider(providers, config.chainId, { quorum: 1 })
  const wallet = new Wallet(key, provider)
  const transactions = createTransactions({
    ...{ provider, signer: wallet },
    chainId: config.chainId,
    pollMs: POLL_MS,
  })
  const gateway = new Contract(config.contracts.decryptionGateway, decryptionGatewayAbi, wallet)
  const nodes = new Contract(config.contracts.nodeRegistry, nodeRegistryAbi, provider)
  const keys = new Contract(config.contracts.keyRegistry, keyRegistryAbi, provider)

  /** What is no word of a contract is an endpoint's failure. */
  const ask = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (cause) {
      if (isCallException(cause)) throw cause
      throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "the chain does not answer" }, { cause })
    }
  }

  async function send([name, ...args]: GatewayCall, given?: bigint): Promise<Receipt> {
    const call = {
      to: parseAddress(config.contracts.decryptionGateway),
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

  /** Calls of the same moment travel as one JSON-RPC batch. */
  const requestsOf = (ids: readonly RequestId[]): Promise<readonly Result[]> =>
    ask(Promise.all(ids.map((id) => gateway.getFunction("requestOf").staticCall(id))))

  return {
    serves: (result) =>
      result.chainId === String(config.chainId) && result.gateway === config.contracts.decryptionGateway,
    requests: async (ids) => (await requestsOf(ids)).map(factsOf),
    simulate: async (submission) => {
      const [name, ...args] = callOf(submission)
      await gateway.getFunction(name).staticCall(...args)
    },
    fulfil: (item) => send(callOf(item)),
    async fulfilMany(batch) {
      const requests = await requestsOf(batch.results.map(({ requestId }) => requestId))
      const callbackGas = requests.map((request) => BigInt(request["callbackGas"]))
      return send(callOf(batch), batchGas(batch, callbackGas))
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
