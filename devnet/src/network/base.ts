/** What a network of any layout stands on: chain, simulated platform, contracts, and members with keys and standing. */
import { mkdirSync } from "node:fs"
import { fetchCollateral } from "@twinlock/node/attestation/pccs"
import { parseEther } from "ethers"
import { type Accounts, createAccounts } from "./accounts.ts"
import { type Chain, startAnvil } from "./anvil.ts"
import { type AddressOf, type NodeConfigInput, writeNodeConfig, writePlatformConfig } from "./configs.ts"
import { type ChainSetup, sent, setUpChain } from "./contracts.ts"
import { type Layout, type Member, membersOf, type Paths } from "./layout.ts"
import { initMember, type MemberTools, registerMember } from "./members.ts"
import { type PlatformFacts, startPlatform } from "./platformProcess.ts"
import { freePorts } from "./ports.ts"
import type { Processes } from "./processes.ts"
import type { Identity, Ports } from "./state.ts"

const FMSPC = "B0C06F000000"
/** Ether for what an enclave's signer sends: renewals, activation, commitments. */
const SIGNER_ETHER = "100"

export type BaseOptions = {
  readonly paths: Paths
  readonly layout: Layout
  readonly processes: Processes
  /** How members reach each other, where that is not directly. */
  readonly addressOf?: AddressOf
  /** Program of a node, with the arguments of twinlockNode.ts, which is the default. */
  readonly program?: string
}

export type Base = BaseOptions & {
  readonly ports: Ports
  readonly seed: string
  readonly chain: Chain
  readonly accounts: Accounts
  readonly platform: PlatformFacts
  readonly tools: MemberTools
}

export async function choosePorts(layout: Layout): Promise<Ports> {
  const members = membersOf(layout)
  const ports = await freePorts(3 + 2 * members.length)
  const named = (from: number) =>
    Object.fromEntries(members.map(({ name }, i) => [name, ports[from + i] ?? 0]))
  return {
    chain: ports[0] ?? 0,
    collateral: ports[1] ?? 0,
    coordinator: ports[2] ?? 0,
    http: named(3),
    p2p: named(3 + members.length),
  }
}

/** @param seed of the simulated platform. */
export async function startBase(
  { paths, layout, processes, addressOf, program }: BaseOptions,
  ports: Ports,
  seed: string,
): Promise<Base> {
  const chain = await startAnvil({
    processes,
    root: paths.root,
    port: ports.chain,
    stateFile: paths.chainState,
  })
  mkdirSync(paths.sockets, { recursive: true, mode: 0o700 })
  writePlatformConfig(paths, seed, ports, layout)
  const platform = await startPlatform(paths, processes)
  const accounts = createAccounts(chain.provider)
  return {
    ...{ paths, layout, processes, ports, seed, chain, accounts, platform },
    ...(addressOf === undefined ? {} : { addressOf }),
    tools: {
      ...{ paths, ports, processes, rootKey: platform.rootKey },
      ...(program === undefined ? {} : { program }),
    },
  }
}

/** Contracts, collateral, operators and allow-list. @param cancelWindow in seconds. */
export async function makeContracts(
  { layout, chain, accounts, platform }: Base,
  cancelWindow?: bigint,
): Promise<ChainSetup> {
  const collateral = await fetchCollateral(
    { fmspc: FMSPC, authority: "platform" },
    { url: platform.pccsUrl, timeoutMs: 10_000 },
  )
  return setUpChain({
    ...{ chain, accounts, collateral },
    rootKey: platform.rootKey,
    entries: (["keyholder", "executor"] as const).flatMap(
      (role) => platform.cvms.find((cvm) => cvm.role === role) ?? [],
    ),
    operators: membersOf(layout).map(({ operator }) => accounts.operator(operator).address),
    ...(cancelWindow === undefined ? {} : { cancelWindow }),
  })
}

/** How a member gets its identity, and its registration with the gas that it took. */
export type MemberCommands = {
  init(tools: MemberTools, member: Member): Promise<Identity>
  register(tools: MemberTools, member: Member): Promise<bigint>
}

const PROCESSES: MemberCommands = { init: initMember, register: registerMember }

/** Every member's identity, configuration and standing. */
export async function makeMembers(
  base: Base,
  setup: ChainSetup,
  commands: MemberCommands = PROCESSES,
): Promise<{ readonly identities: Readonly<Record<string, Identity>>; readonly gas: bigint }> {
  const { paths, layout, ports, chain, accounts, platform, tools, addressOf } = base
  const identities: Record<string, Identity> = {}
  const input: NodeConfigInput = {
    ...{ paths, layout, ports, accounts, identities },
    contracts: setup.contracts,
    startBlock: setup.startBlock,
    genesisHash: chain.genesisHash,
    ...(addressOf === undefined ? {} : { addressOf }),
    providerKey: platform.providerKey,
    appIds: Object.fromEntries(platform.cvms.map(({ machine, appId }) => [machine, appId])),
  }
  const members = membersOf(layout)
  for (const member of members) {
    writeNodeConfig(member, input)
    identities[member.name] = await commands.init(tools, member)
  }
  for (const member of members) writeNodeConfig(member, input)
  for (const { signer } of Object.values(identities))
    await sent(accounts.funder.signer.sendTransaction({ to: signer, value: parseEther(SIGNER_ETHER) }))
  const gas: bigint[] = []
  for (const member of members) gas.push(await commands.register(tools, member))
  return { identities, gas: gas.at(-1) ?? 0n }
}
