/**
 * Deploys the whole system. Contracts refer to each other by immutable addresses in circles, so every address is
 * predicted from the deployer's nonce first and compared afterwards. Needs `forge build`. For devnet, tests and operators.
 */
import { readFileSync } from "node:fs"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { ContractFactory, getCreateAddress, type InterfaceAbi, type Signer } from "ethers"

/** 0x-prefixed lower-case address. */
export type ContractAddress = `0x${string}`

export type DeployOptions = {
  /** Pays and deploys; must send nothing else meanwhile. Holds no power over the contracts afterwards. */
  readonly signer: Signer
  /** Chain that `signer` must be connected to. */
  readonly chainId: bigint
  /** Hash of the chain's first block: part of every key id. */
  readonly genesisHash: string
  /** Root key of the platform vendor's certificates: Intel's, or the simulator's on chain id 31337 alone. */
  readonly rootKey: { readonly x: bigint; readonly y: bigint }
  /** Proposes keys, admits operators and measurements. */
  readonly governance: string
  /** Ends proposals, removes and revokes; adds nothing. */
  readonly guardian: string
  /** Earns the fees of decryptions. */
  readonly treasury: string
  /** Fee of a decryption request in wei. */
  readonly baseFee: bigint
  /** Seconds in which a request may be cancelled and nodes wait. */
  readonly cancelWindow: bigint
  /**
   * Seconds from a request to its deadline at least: cancel window, finality and service; the cancel window and half an
   * hour by default.
   */
  readonly minLifetime?: bigint
  /** Largest age in blocks of the challenge that a registration quote carries, at most 8191; 1024 by default. */
  readonly maxChallengeAge?: number
  /**
   * First floors of Intel's evaluation numbers; 0 takes every set that has not expired. Must be given, but on the local
   * test network (0 by default).
   */
  readonly floors?: { readonly tcb: number; readonly qe: number }
  /** Seconds for which collateral may serve fresh quotes past its nextUpdate, at most 30 days; 14 days by default. */
  readonly collateralGrace?: bigint
}

/** FLOORS_MISSING: no first floors for a chain other than the local test network. */
export type DeployErrorCode = "FLOORS_MISSING"

const LOCAL_CHAIN_ID = 31_337n
const MAX_CHALLENGE_AGE = 1024
/** Half an hour in seconds: blocks of Ethereum are final after 13 to 20 minutes. */
const SERVICE_TIME = 1_800n
/**
 * Fourteen days in seconds: Intel signs sets for 30 days and anew every day, so grace begins after weeks without its
 * service, or without a parser for its new JSON; a replaced parser alone waits seven days.
 */
const COLLATERAL_GRACE = 1_209_600n

const CONTRACTS = [
  ["collateralParser", "CollateralParser"],
  ["collateralStore", "CollateralStore"],
  ["quoteVerifier", "QuoteVerifier"],
  ["nodeRegistry", "NodeRegistry"],
  ["keyRegistry", "KeyRegistry"],
  ["decryptionVerifier", "DecryptionVerifier"],
  ["decryptionGateway", "DecryptionGateway"],
  ["ciphertextCommitments", "CiphertextCommitments"],
  ["coprocessor", "Coprocessor"],
] as const

export type ContractField = (typeof CONTRACTS)[number][0]
export type Deployment = Readonly<Record<ContractField, ContractAddress>>

/** Constructor arguments of every contract, given all addresses. */
function constructorArguments(
  to: Deployment,
  options: DeployOptions,
): Record<ContractField, readonly unknown[]> {
  const { rootKey, governance, guardian } = options
  return {
    collateralParser: [],
    collateralStore: [
      ...[rootKey.x, rootKey.y, governance, guardian, to.collateralParser],
      // The registry observes: revoked certificates end seats in the transaction that brings the list.
      ...[to.nodeRegistry, options.collateralGrace ?? COLLATERAL_GRACE],
    ],
    quoteVerifier: [to.collateralStore],
    nodeRegistry: [
      ...[to.keyRegistry, to.decryptionVerifier, to.quoteVerifier, governance, guardian],
      ...[options.maxChallengeAge ?? MAX_CHALLENGE_AGE, options.floors?.tcb ?? 0, options.floors?.qe ?? 0],
    ],
    keyRegistry: [options.genesisHash, to.nodeRegistry, to.decryptionVerifier, governance, guardian],
    decryptionVerifier: [to.keyRegistry, to.nodeRegistry],
    ...hostArguments(to, options),
  }
}

/** Of the contracts of one host. */
function hostArguments(
  to: HostContracts & HostOptions["network"],
  {
    treasury,
    baseFee,
    cancelWindow,
    minLifetime = cancelWindow + SERVICE_TIME,
  }: Omit<HostOptions, "network">,
): Record<keyof HostContracts, readonly unknown[]> {
  return {
    decryptionGateway: [to.decryptionVerifier, treasury, baseFee, cancelWindow, minLifetime],
    ciphertextCommitments: [to.keyRegistry, to.nodeRegistry, to.coprocessor],
    coprocessor: [to.keyRegistry, to.nodeRegistry, to.decryptionVerifier, to.ciphertextCommitments],
  }
}

/** ABI and creation code of a built contract. `name` is also the name of its file. */
export function readArtifact(name: string): { readonly abi: InterfaceAbi; readonly bytecode: string } {
  const file = new URL(`./out/${name}.sol/${name}.json`, import.meta.url)
  const artifact = JSON.parse(readFileSync(file, "utf8")) as {
    readonly abi: InterfaceAbi
    readonly bytecode: { readonly object: string }
  }
  return { abi: artifact.abi, bytecode: artifact.bytecode.object }
}

/** What a key serves (protocol §1), beside the contracts that all keys of a network share. */
const HOST_CONTRACTS = [
  ["decryptionGateway", "DecryptionGateway"],
  ["ciphertextCommitments", "CiphertextCommitments"],
  ["coprocessor", "Coprocessor"],
] as const

export type HostContracts = Pick<Deployment, (typeof HOST_CONTRACTS)[number][0]>

export type HostOptions = Pick<
  DeployOptions,
  "signer" | "chainId" | "treasury" | "baseFee" | "cancelWindow" | "minLifetime"
> & {
  readonly network: Pick<Deployment, "nodeRegistry" | "keyRegistry" | "decryptionVerifier">
}

/**
 * The whole system with its first host.
 * @throws ProtocolError FLOORS_MISSING
 * @throws Error where the signer is on another chain, or an address comes out other than predicted.
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { chainId } = options
  if (chainId !== LOCAL_CHAIN_ID && !options.floors) {
    const code: DeployErrorCode = "FLOORS_MISSING"
    throw new ProtocolError({ code, message: `no floors are given for chain ${chainId}` })
  }
  return createAll(CONTRACTS, options, (to) => constructorArguments(to, options))
}

/**
 * A further host for a further key of a network that exists.
 * @throws Error as {@link deploy}
 */
export const deployHost = (options: HostOptions): Promise<HostContracts> =>
  createAll(HOST_CONTRACTS, options, (own) => hostArguments({ ...options.network, ...own }, options))

type Contracts<F extends string> = Readonly<Record<F, ContractAddress>>

/** Sends all creations at once and waits for them. */
async function createAll<F extends string>(
  contracts: readonly (readonly [F, string])[],
  { signer, chainId }: Pick<DeployOptions, "signer" | "chainId">,
  argumentsOf: (all: Contracts<F>) => Record<F, readonly unknown[]>,
): Promise<Contracts<F>> {
  const network = await signer.provider?.getNetwork()
  if (network?.chainId !== chainId)
    throw new Error(`signer is on chain ${network?.chainId ?? "none"}, want ${chainId}`)
  const from = await signer.getAddress()
  const first = await signer.getNonce()
  const predicted = Object.fromEntries(
    contracts.map(([field], i) => [field, getCreateAddress({ from, nonce: first + i }).toLowerCase()]),
  ) as Contracts<F>
  const constructors = argumentsOf(predicted)
  const pending = []
  for (const [i, [field, name]] of contracts.entries()) {
    const { abi, bytecode } = readArtifact(name)
    const factory = new ContractFactory(abi, bytecode, signer)
    pending.push([field, name, await factory.deploy(...constructors[field], { nonce: first + i })] as const)
  }
  for (const [field, name, contract] of pending) {
    const receipt = await contract.deploymentTransaction()?.wait()
    const address = receipt?.contractAddress?.toLowerCase()
    if (address !== predicted[field])
      throw new Error(`${name} is at ${address ?? "no address"}, predicted ${predicted[field]}`)
  }
  return predicted
}
