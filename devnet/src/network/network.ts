/** Starts the local network: as a second start finds it, or from nothing. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { randomBytes } from "@noble/hashes/utils.js"
import { parseDeployment } from "@twinlock/sdk"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Report } from "../demo/report.ts"
import { CHAIN_ID } from "./anvil.ts"
import {
  type Base,
  type BaseOptions,
  choosePorts,
  type MemberCommands,
  makeContracts,
  makeMembers,
  startBase,
} from "./base.ts"
import { makeKey } from "./ceremony.ts"
import { urlsOf, writeCoordinatorConfig } from "./configs.ts"
import type { ChainSetup } from "./contracts.ts"
import type { DevNetwork, RunningMember } from "./devNetwork.ts"
import { type Layout, LOCAL_LAYOUT, membersOf, type Paths } from "./layout.ts"
import { awaitReady, runMember } from "./members.ts"
import type { Processes } from "./processes.ts"
import { buildOf, type NetworkState, readState, resetHome, writeState } from "./state.ts"
import { waitFor } from "./waitFor.ts"

export type NetworkOptions = {
  readonly paths: Paths
  /** {@link LOCAL_LAYOUT} by default; a network is found again with its own layout only. */
  readonly layout?: Layout
  readonly processes: Processes
  readonly report: Report
  readonly signal: AbortSignal
}

export type MembersOptions = BaseOptions & {
  readonly report: Report
  /** How members get identity and standing; in processes of their own by default. */
  readonly commands?: MemberCommands
}

/** A network before its key. */
export type RunningMembers = {
  readonly base: Base
  readonly setup: ChainSetup
  readonly identities: NetworkState["identities"]
  readonly keyholders: readonly RunningMember[]
  readonly executors: readonly RunningMember[]
}

const CEREMONY_TIMEOUT_MS = 900_000

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
  { layout, tools }: Base,
  identities: NetworkState["identities"],
  without: readonly string[],
): Promise<readonly RunningMember[]> {
  const running = membersOf(layout).map((member) =>
    runMember(tools, member, identities[member.name]?.signer ?? ""),
  )
  await Promise.all(
    running.map(({ member, url, process: current }) =>
      awaitReady(member.name, url, current(), 120_000, without),
    ),
  )
  return running
}

/** Starts from nothing, up to nodes that have attested each other. */
export async function startMembers(options: MembersOptions): Promise<RunningMembers> {
  const { paths, report, commands } = options
  resetHome(paths)
  mkdirSync(paths.logs, { recursive: true })
  const seed = toHex(randomBytes(16)).slice(2)
  const base = await report.step(
    "start.platform",
    "chain and simulated TDX platform with its own root CA",
    async () => startBase(options, await choosePorts(options.layout), seed),
  )
  const { layout, accounts, ports } = base
  const setup = await report.step("start.contracts", "contracts, collateral, operators, allow-list", () =>
    makeContracts(base),
  )
  for (const [document, gas] of Object.entries(setup.ingestGas)) report.gas(`collateral.${document}`, gas)
  const { identities, gas } = await report.step(
    "start.register",
    `${membersOf(layout).length} enclaves make their keys and register: quotes verified by the contract`,
    () => makeMembers(base, setup, commands),
  )
  report.gas("quote_register", gas)
  const { contracts, startBlock } = setup
  writeCoordinatorConfig({ paths, layout, ports, contracts, startBlock, accounts })
  await startCoordinator(base)
  const members = await report.step("start.nodes", "nodes attest each other on their channels", () =>
    runMembers(base, identities, ["key"]),
  )
  return { base, setup, identities, ...split(layout, members) }
}

async function create(options: MembersOptions): Promise<{
  readonly base: Base
  readonly state: NetworkState
  readonly members: readonly RunningMember[]
}> {
  const { paths, report } = options
  const { base, setup, identities, keyholders, executors } = await startMembers(options)
  const { layout, chain, accounts, ports, seed } = base
  const { contracts, startBlock } = setup
  const members = [...keyholders, ...executors]
  const { keyId, activationGas } = await report.step(
    "ceremony.total",
    "key ceremony without a dealer, CRS, FROST, activation",
    (progress) =>
      makeKey({
        ...{ chain, layout, accounts, contracts, keyholders, executors, progress },
        timeoutMs: CEREMONY_TIMEOUT_MS,
      }),
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
  options: MembersOptions,
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

const split = ({ keyholders, executors }: Layout, members: readonly RunningMember[]) => ({
  keyholders: members.filter(({ member }) => keyholders.includes(member)),
  executors: members.filter(({ member }) => executors.includes(member)),
})

/** @throws Error naming the process or step that failed; the caller stops `processes`. */
export async function startNetwork(options: NetworkOptions): Promise<DevNetwork> {
  const { paths, processes, layout = LOCAL_LAYOUT } = options
  const making = { ...options, layout }
  const known = readState(paths)
  const { base, state, members } =
    known === null ? await create(making) : { ...(await reuse(making, known)), state: known }
  const { contracts } = state
  const deployment = parseDeployment({
    ...contracts,
    chainId: String(CHAIN_ID),
    startBlock: String(state.startBlock),
  })
  const urls = urlsOf(state.ports)
  return {
    ...split(layout, members),
    ...{ contracts, deployment, processes },
    chain: base.chain,
    accounts: base.accounts,
    keyId: state.keyId,
    coordinatorUrl: urls.coordinator,
    collateralUrl: urls.collateral,
    rootKey: base.platform.rootKey,
    entryOf(role) {
      const entry = base.platform.cvms.find((cvm) => cvm.role === role)
      if (entry === undefined) throw new Error(`there is no ${role}`)
      return entry
    },
    stop: () => processes.stopAll(),
  }
}
