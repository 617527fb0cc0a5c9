/**
 * A real node that runs the deployed contracts, and blocks simulated on top of it (eth_simulateV1): calls in order, at
 * times of choice, each seeing what the ones before it stored. Nothing is kept.
 */
import { type ContractField, type Deployment, deploy, readArtifact } from "@twinlock/contracts/deploy"
import { type AnvilProcess, startAnvil } from "@twinlock/node/chain/anvilProcess.fixture"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { type Fragment, Interface, JsonRpcProvider, type Result } from "ethers"

/** Contracts that are called. */
const NAMES = {
  collateralStore: "CollateralStore",
  quoteVerifier: "QuoteVerifier",
  nodeRegistry: "NodeRegistry",
} as const satisfies Partial<Record<ContractField, string>>

export type Call = {
  readonly to: keyof typeof NAMES
  readonly method: string
  readonly args: readonly unknown[]
}

export type PlannedBlock = {
  /** Unix seconds, rising from block to block. */
  readonly time: number
  readonly calls: readonly Call[]
}

export type SimulatedChain = {
  readonly deployment: Deployment
  readonly chainId: number
  /** Sends every call; governance of all contracts. */
  readonly account: string
  /** A past block, for challenges. */
  readonly past: { readonly number: bigint; readonly hash: Digest }
  /** What the last call returned, or the name of the first error. @throws Error where the node fails */
  readonly simulate: (
    blocks: readonly PlannedBlock[],
  ) => Promise<{ readonly error: string } | { readonly returned: Result }>
  readonly stop: () => void
}

/** Before every time of the corpus: blocks cannot be simulated in the past. */
const GENESIS_TIME = 1_600_000_000
const GAS_LIMIT = "0xf00000"

/** Answer of eth_simulateV1, as far as it is used. */
type SimulatedBlock = { readonly calls: readonly { readonly status: string; readonly returnData: string }[] }

const interfaceOf = (name: string) => new Interface(readArtifact(name).abi)

/** Errors by selector: a call bubbles up those of the contracts that it calls. */
function errorNames(interfaces: readonly Interface[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const contract of interfaces)
    contract.forEachError((error: Fragment & { selector: string; name: string }) => {
      names.set(error.selector, error.name)
    })
  return names
}

/** @param rootKey x ‖ y that the contracts pin: Intel's, or the simulator's on chain 31337 alone. */
export async function openSimulatedChain(options: {
  readonly chainId: number
  readonly rootKey: Uint8Array
}): Promise<SimulatedChain> {
  const anvil = await startAnvil(
    ...["--chain-id", String(options.chainId), "--timestamp", String(GENESIS_TIME)],
    ...["--gas-limit", "400000000", "--hardfork", "osaka"],
  )
  const provider = new JsonRpcProvider(`http://${anvil.endpoint.name}`, options.chainId, {
    staticNetwork: true,
    pollingInterval: 20,
  })
  const stop = () => {
    provider.destroy()
    anvil.stop()
  }
  try {
    const signer = await provider.getSigner(0)
    const account = await signer.getAddress()
    const genesis = await provider.getBlock(0)
    const coordinate = (from: number) => BigInt(toHex(options.rootKey.subarray(from, from + 32)))
    const deployment = await deploy({
      signer,
      chainId: BigInt(options.chainId),
      genesisHash: genesis?.hash ?? "",
      rootKey: { x: coordinate(0), y: coordinate(32) },
      governance: account,
      guardian: account,
      treasury: account,
      baseFee: 0n,
      cancelWindow: 0n,
      floors: { tcb: 0, qe: 0 },
    })
    const past = await provider.getBlock((await provider.getBlockNumber()) - 1)
    if (!past?.hash) throw new Error("the node lacks its own past")
    return {
      deployment,
      chainId: options.chainId,
      account,
      past: { number: BigInt(past.number), hash: parseDigest(past.hash) },
      simulate: simulatorOf(anvil, deployment, account),
      stop,
    }
  } catch (error) {
    stop()
    throw error
  }
}

function simulatorOf(anvil: AnvilProcess, deployment: Deployment, from: string): SimulatedChain["simulate"] {
  const interfaces = {
    collateralStore: interfaceOf(NAMES.collateralStore),
    quoteVerifier: interfaceOf(NAMES.quoteVerifier),
    nodeRegistry: interfaceOf(NAMES.nodeRegistry),
  }
  const names = errorNames([...Object.values(interfaces), interfaceOf("CollateralParser")])
  return async (blocks) => {
    const blockStateCalls = blocks.map(({ time, calls }) => ({
      blockOverrides: { time: `0x${time.toString(16)}` },
      calls: calls.map(({ to, method, args }) => ({
        from,
        to: deployment[to],
        data: interfaces[to].encodeFunctionData(method, args),
        gas: GAS_LIMIT,
      })),
    }))
    const answer = await anvil.call("eth_simulateV1", { blockStateCalls }, "latest")
    const results = (answer as readonly SimulatedBlock[]).flatMap(({ calls }) => calls)
    const failure = results.find(({ status }) => status !== "0x1")
    if (failure) {
      const selector = failure.returnData.slice(0, 10)
      return { error: names.get(selector) ?? `unknown revert ${selector}` }
    }
    const last = blocks.at(-1)?.calls.at(-1)
    const data = results.at(-1)?.returnData
    if (!last || data === undefined) throw new Error("nothing was simulated")
    return { returned: interfaces[last.to].decodeFunctionResult(last.method, data) }
  }
}
