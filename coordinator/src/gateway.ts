/** The chain as the coordinator sees it: gateway, registries, and the account that pays. */
import {
  decryptionGatewayAbi,
  decryptionVerifierAbi,
  keyRegistryAbi,
  nodeRegistryAbi,
  REQUEST_STATUS,
} from "@twinlock/sdk/chain/abi"
import { contractResult } from "@twinlock/sdk/chain/acceptance"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import {
  type Address,
  type Digest,
  type KeyId,
  parseDigest,
  parseKeyId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import {
  Contract,
  FallbackProvider,
  Interface,
  isCallException,
  JsonRpcProvider,
  NonceManager,
  Wallet,
} from "ethers"
import type { CoordinatorConfig } from "./config.ts"
import { coordinatorError } from "./httpError.ts"

export type RequestState = "unknown" | "pending" | "fulfilled" | "closed"

export type ActiveKey = {
  readonly keyId: KeyId
  readonly epoch: number
  readonly publicKeyDigest: Digest
  readonly crsDigest: Digest
}

export type Gateway = {
  status(requestId: RequestId): Promise<RequestState>
  /** Calls without sending. @throws what the contract reverts with */
  simulate(item: CertificatesRequest): Promise<void>
  /** Sends and waits for the receipt. */
  fulfil(item: CertificatesRequest): Promise<Digest>
  /** True where the contract itself said no, so that a repeat is pointless for now. */
  isRefusal(error: unknown): boolean
  /** Name and arguments of the contract's typed error. */
  describe(error: unknown): string
  isLive(signer: Address): Promise<boolean>
  /** The active key of the coprocessor, if there is one yet. */
  key(): Promise<ActiveKey | null>
}

/** A transaction that is not included by then is sent anew: one that was dropped must not block the queue. */
const INCLUSION_MS = 60_000

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

/** Errors of every contract on the way, so that refusals read as their names. */
const errors = new Interface(
  [...decryptionGatewayAbi, ...decryptionVerifierAbi].filter(({ type }) => type === "error"),
)

function describe(error: unknown): string {
  if (!isCallException(error)) return "the call failed"
  const parsed = error.data == null ? null : errors.parseError(error.data)
  return parsed === null
    ? (error.reason ?? "reverted without a known error")
    : `${parsed.name}(${parsed.args.join(", ")})`
}

const fulfilArguments = ({ result, certificate }: CertificatesRequest) =>
  [contractResult(result), certificate] as const

/** @param key private key of the paying account, 32 bytes. */
export function createGateway(
  config: Pick<CoordinatorConfig, "rpc" | "chainId" | "contracts">,
  key: string,
): Gateway {
  const providers = config.rpc.map(
    (url) => new JsonRpcProvider(url, config.chainId, { staticNetwork: true, pollingInterval: 250 }),
  )
  const [first] = providers
  if (first === undefined)
    throw coordinatorError({ code: "RPC_UNAVAILABLE", message: "no RPC endpoint is configured" })
  const provider =
    providers.length === 1 ? first : new FallbackProvider(providers, config.chainId, { quorum: 1 })
  const account = new NonceManager(new Wallet(key, provider))
  const gateway = new Contract(config.contracts.decryptionGateway, decryptionGatewayAbi, account)
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

  return {
    async status(requestId) {
      const { status } = await ask(gateway.getFunction("requestOf").staticCall(requestId))
      return STATES[Number(status)] ?? "unknown"
    },
    simulate: async (item) => {
      await gateway.getFunction("fulfil").staticCall(...fulfilArguments(item))
    },
    async fulfil(item) {
      try {
        const transaction = await gateway.getFunction("fulfil").send(...fulfilArguments(item))
        const receipt = await transaction.wait(1, INCLUSION_MS)
        return parseDigest(receipt?.hash ?? transaction.hash)
      } catch (error) {
        account.reset()
        throw error
      }
    },
    isRefusal: (error) => isCallException(error),
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
