/** Deploys the contracts, brings collateral on chain, admits operators and allow-list entries. */
import { type Deployment as DeployedContracts, deploy, readArtifact } from "@twinlock/contracts/deploy"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { AllowListEntry } from "@twinlock/sdk/attestation/policy"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { Contract, type JsonRpcProvider, type TransactionReceipt } from "ethers"
import type { Account, Accounts } from "./accounts.ts"
import type { Chain } from "./anvil.ts"
import { CHAIN_ID } from "./anvil.ts"
import { type IngestGas, ingestCollateral } from "./collateral.ts"

export const CANCEL_WINDOW_SECONDS = 2n
export const BASE_FEE_WEI = 1_000_000_000_000_000n
/** Timelock of allow-list entries on this chain id. */
export const TIMELOCK_SECONDS = 60

const ROLES = { keyholder: 1, executor: 2 } as const

export type ChainSetup = {
  readonly contracts: DeployedContracts
  readonly startBlock: number
  readonly ingestGas: IngestGas
}

/** A built contract at an address, acting as `account`. */
export function contractAt(name: string, address: string, account: Account): Contract {
  return new Contract(address, readArtifact(name).abi as never, account.signer)
}

export async function sent(
  transaction: Promise<{ wait(): Promise<TransactionReceipt | null> }>,
): Promise<TransactionReceipt> {
  const receipt = await (await transaction).wait()
  if (receipt === null || receipt.status !== 1) throw new Error("a transaction was not included")
  return receipt
}

/** Lets the chain's clock pass. For the first set-up only; demonstrations wait. */
export async function advanceChainClock(provider: JsonRpcProvider, seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds])
  await provider.send("evm_mine", [])
}

/** The contract's form of an entry. */
export const entryArgument = ({ role, imageId, composeHash, providerId, version }: AllowListEntry) => ({
  role: ROLES[role],
  imageId,
  composeHash,
  providerId,
  version,
})

export type SetupOptions = {
  readonly chain: Chain
  readonly accounts: Accounts
  /** x ‖ y, 64 bytes of hex. */
  readonly rootKey: string
  readonly collateral: CollateralBundle
  readonly entries: readonly AllowListEntry[]
  readonly operators: readonly string[]
  /** In seconds; {@link CANCEL_WINDOW_SECONDS} by default. */
  readonly cancelWindow?: bigint
}

export async function setUpChain({
  chain,
  accounts,
  rootKey,
  collateral,
  entries,
  operators,
  cancelWindow = CANCEL_WINDOW_SECONDS,
}: SetupOptions): Promise<ChainSetup> {
  const { provider, genesisHash } = chain
  const startBlock = await provider.getBlockNumber()
  const key = fromHex(rootKey)
  const coordinate = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`)
  const contracts = await deploy({
    signer: accounts.deployer.signer,
    chainId: CHAIN_ID,
    genesisHash,
    rootKey: { x: coordinate(key.subarray(0, 32)), y: coordinate(key.subarray(32)) },
    governance: accounts.governance.address,
    guardian: accounts.guardian.address,
    treasury: accounts.treasury.address,
    baseFee: BASE_FEE_WEI,
    cancelWindow,
  })
  accounts.deployer.signer.reset()
  const ingestGas = await ingestCollateral(
    contractAt("CollateralStore", contracts.collateralStore, accounts.deployer),
    collateral,
  )
  const registry = contractAt("NodeRegistry", contracts.nodeRegistry, accounts.governance)
  for (const operator of operators) await sent(registry.getFunction("admitOperator").send(operator))
  const ids: bigint[] = []
  for (const entry of entries) ids.push(await proposeEntry(registry, entry))
  await advanceChainClock(provider, TIMELOCK_SECONDS + 1)
  for (const id of ids) await sent(registry.getFunction("activateEntry").send(id))
  return { contracts, startBlock, ingestGas }
}

/** Starts the timelock of an entry and returns its id. */
export async function proposeEntry(registry: Contract, entry: AllowListEntry): Promise<bigint> {
  const receipt = await sent(registry.getFunction("proposeEntry").send(entryArgument(entry)))
  for (const log of receipt.logs) {
    const parsed = registry.interface.parseLog(log)
    if (parsed?.name === "EntryProposed") return BigInt(parsed.args["entryId"])
  }
  throw new Error("no entry was proposed")
}
