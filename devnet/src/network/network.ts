/** Starts the local network: as a second start finds it, or from nothing. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { randomBytes } from "@noble/hashes/utils.js"
import { fetchCollateral } from "@twinlock/node/attestation/pccs"
import { parseDeployment } from "@twinlock/sdk"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { parseEther } from "ethers"
import type { Report } from "../demo/report.ts"
import { type Accounts, createAccounts } from "./accounts.ts"
import { CHAIN_ID, type Chain, startAnvil } from "./anvil.ts"
import { makeKey } from "./ceremony.ts"
import {
  type NodeConfigInput,
  urlsOf,
  writeCoordinatorConfig,
  writeNodeConfig,
  writePlatformConfig,
} from "./configs.ts"
import { type ChainSetup, sent, setUpChain } from "./contracts.ts"
import type { DevNetwork, RunningMember } from "./devNetwork.ts"
import { EXECUTORS, KEYHOLDERS, MEMBERS, type Paths } from "./layout.ts"
import { awaitReady, initMember, type MemberTools, registerMember, runMember } from "./members.ts"
import { type PlatformFacts, startPlatform } from "./platformProcess.ts"
import { freePorts } from "./ports.ts"
import type { Processes } from "./processes.ts"
import {
  buildOf,
  type Identity,
  type NetworkState,
  type Ports,
  readState,
  resetHome,
  writeState,
} from "./state.ts"
import { waitFor } from "./waitFor.ts"

export type NetworkOptions = {
  readonly paths: Paths
  readonly processes: Processes
  readonly report: Report
  readonly signal: AbortSignal
}

const FMSPC = "B0C06F000000"
const CEREMONY_TIMEOUT_MS = 900_000
/** Ether for what an enclave's signer sends: renewals, activation, commitments. */
const SIGNER_ETHER = "100"

type Base = NetworkOptions & {
  readonly ports: Ports
  readonly seed: string
  readonly chain: Chain
  readonly accounts: Accounts
  readonly platform: PlatformFacts
  readonly tools: MemberTools
}

async function choosePorts(): Promise<Ports> {
  const ports = await freePorts(3 + 2 * MEMBERS.length)
  const named = (from: number) =>
    Object.fromEntries(MEMBERS.map(({ name }, i) => [name, ports[from + i] ?? 0]))
  return {
    chain: ports[0] ?? 0,
    collateral: ports[1] ?? 0,
    coordinator: ports[2] ?? 0,
    http: named(3),
    p2p: named(3 + MEMBERS.length),
  }
}

async function startBase(options: NetworkOptions, ports: Ports, seed: string): Promise<Base> {
  const { paths, processes } = options
  const chain = await startAnvil({
    processes,
    root: paths.root,
    port: ports.chain,
    stateFile: paths.chainState,
  })
  mkdirSync(paths.sockets, { recursive: true, mode: 0o700 })
  writePlatformConfig(paths, seed, ports)
  const platform = await startPlatform(paths, processes)
  const accounts = createAccounts(chain.provider)
  return {
    ...options,
    ports,
    seed,
    chain,
    accounts,
    platform,
    tools: { paths, ports, processes, rootKey: platform.rootKey },
  }
}

function startCoordinator({ paths, processes, ports }: Base): Promise<unknown> {
  const url = urlsOf(ports).coordinator
  const started = processes.start({
    name: "coordinator",
    command: process.execPath,
    args: [join(paths.root, "coordinator", "src", "main.ts"), paths.coordinatorConfig],
    cwd: paths.root,
  })
  return waitFor(
    async () => {
      if (!started.isRunning()) throw new Error(`it ended: ${await started.exited}`)
      return (await fetch(new URL("/health", url))).ok
    },
    { what: "the coordinator", timeoutMs: 30_000, everyMs: 100 },
  )
}

/** Starts the members that exist and waits until they are ready but for the parts named. */
async function runMembers(
  { tools }: Base,
  identities: NetworkState["identities"],
  without: readonly string[],
): Promise<readonly RunningMember[]> {
  const running = MEMBERS.map((member) => runMember(tools, member, identities[member.name]?.signer ?? ""))
  await Promise.all(
    running.map(({ member, url, process: current }) =>
      awaitReady(member.name, url, current(), 120_000, without),
    ),
  )
  return running
}

async function makeMembers(
  base: Base,
  setup: ChainSetup,
): Promise<{ readonly identities: Record<string, Identity>; readonly gas: bigint }> {
  const { paths, ports, chain, accounts, platform, tools } = base
  const identities: Record<string, Identity> = {}
  const input: NodeConfigInput = {
    ...{ paths, ports, accounts, identities },
    contracts: setup.contracts,
    startBlock: setup.startBlock,
    genesisHash: chain.genesisHash,
    providerKey: platform.providerKey,
    appIds: Object.fromEntries(platform.cvms.map(({ machine, appId }) => [machine, appId])),
  }
  for (const member of MEMBERS) {
    writeNodeConfig(member, input)
    identities[member.name] = await initMember(tools, member)
  }
  for (const member of MEMBERS) writeNodeConfig(member, input)
  for (const { signer } of Object.values(identities))
    await sent(accounts.funder.signer.sendTransaction({ to: signer, value: parseEther(SIGNER_ETHER) }))
  const gas: bigint[] = []
  for (const member of MEMBERS) gas.push(await registerMember(tools, member))
  return { identities, gas: gas.at(-1) ?? 0n }
}

async function create(options: NetworkOptions): Promise<{
  readonly base: Base
  readonly state: NetworkState
  readonly members: readonly RunningMember[]
}> {
  const { paths, report } = options
  resetHome(paths)
  mkdirSync(paths.logs, { recursive: true })
  const seed = toHex(randomBytes(16)).slice(2)
  const base = await report.step(
    "start.platform",
    "chain and simulated TDX platform with its own root CA",
    async () => startBase(options, await choosePorts(), seed),
  )
  const { chain, accounts, platform, ports } = base
  const collateral = await fetchCollateral(
    { fmspc: FMSPC, authority: "platform" },
    { url: platform.pccsUrl, timeoutMs: 10_000 },
  )
  const entries = (["keyholder", "executor"] as const).flatMap(
    (role) => platform.cvms.find((cvm) => cvm.role === role) ?? [],
  )
  const setup = await report.step("start.contracts", "contracts, collateral, operators, allow-list", () =>
    setUpChain({
      chain,
      accounts,
      rootKey: platform.rootKey,
      collateral,
      entries,
      operators: MEMBERS.map(({ operator }) => accounts.operator(operator).address),
    }),
  )
  for (const [document, gas] of Object.entries(setup.ingestGas)) report.gas(`collateral.${document}`, gas)
  const { identities, gas } = await report.step(
    "start.register",
    "six enclaves make their keys and register: quotes verified by the contract",
    () => makeMembers(base, setup),
  )
  report.gas("quote_register", gas)
  const { contracts, startBlock } = setup
  writeCoordinatorConfig({ paths, ports, contracts, startBlock, accounts })
  await startCoordinator(base)
  const members = await report.step("start.nodes", "nodes attest each other on their channels", () =>
    runMembers(base, identities, ["key"]),
  )
  const { keyId, activationGas } = await report.step(
    "ceremony.total",
    "key ceremony without a dealer, CRS, FROST, activation",
    (progress) =>
      makeKey({ ...split(members), chain, accounts, contracts, progress, timeoutMs: CEREMONY_TIMEOUT_MS }),
  )
  report.gas("activate", activationGas)
  await Promise.all(
    members.map(({ member, url, process: current }) => awaitReady(member.name, url, current(), 120_000)),
  )
  const state: NetworkState = {
    version: 1,
    seed,
    ports,
    contracts,
    startBlock,
    genesisHash: chain.genesisHash,
    identities,
    keyId,
    creation: creationOf(report),
    build: buildOf(paths),
  }
  writeState(paths, state)
  return { base, state, members }
}

async function reuse(
  options: NetworkOptions,
  state: NetworkState,
): Promise<{ readonly base: Base; readonly members: readonly RunningMember[] }> {
  const { report } = options
  repeatCreation(report, state.creation)
  const base = await report.step("start.platform", "chain and simulated TDX platform as they were", () =>
    startBase(options, state.ports, state.seed),
  )
  await startCoordinator(base)
  const members = await report.step(
    "start.nodes",
    "nodes unseal their shares and attest each other again",
    () => runMembers(base, state.identities, []),
  )
  return { base, members }
}

/** Figures of the steps that a later start does not repeat. */
function creationOf(report: Report): NetworkState["creation"] {
  const { timings_ms, gas } = report.toJson()
  const timings = Object.fromEntries(
    ["start.contracts", "start.register", "ceremony.total"].map((name) => [name, timings_ms[name] ?? 0]),
  )
  return { timings, gas }
}

function repeatCreation(report: Report, { timings, gas }: NetworkState["creation"]): void {
  for (const [name, ms] of Object.entries(timings)) report.timing(name, ms)
  for (const [name, amount] of Object.entries(gas)) report.gas(name, amount)
}

const split = (members: readonly RunningMember[]) => ({
  keyholders: members.filter(({ member }) => KEYHOLDERS.includes(member)),
  executors: members.filter(({ member }) => EXECUTORS.includes(member)),
})

/** @throws Error naming the process or step that failed; the caller stops `processes`. */
export async function startNetwork(options: NetworkOptions): Promise<DevNetwork> {
  const { paths, processes } = options
  const known = readState(paths)
  const { base, state, members } =
    known === null ? await create(options) : { ...(await reuse(options, known)), state: known }
  const { contracts } = state
  const deployment = parseDeployment({
    ...contracts,
    chainId: String(CHAIN_ID),
    startBlock: String(state.startBlock),
  })
  const urls = urlsOf(state.ports)
  return {
    ...split(members),
    ...{ contracts, deployment, processes },
    chain: base.chain,
    accounts: base.accounts,
    keyId: state.keyId,
    coordinatorUrl: urls.coordinator,
    collateralUrl: urls.collateral,
    entryOf(role) {
      const entry = base.platform.cvms.find((cvm) => cvm.role === role)
      if (entry === undefined) throw new Error(`there is no ${role}`)
      return entry
    },
    stop: () => processes.stopAll(),
  }
}
