/**
 * n keyholders in n processes around a real chain: the network of devnet without its ceremony, executors and coordinator,
 * whose parts the caller plays itself. Benchmarks and chaos runs stand on it.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Deployment } from "@twinlock/contracts/deploy"
import { type Base, choosePorts, makeContracts, makeMembers, startBase } from "@twinlock/devnet/network/base"
import type { AddressOf } from "@twinlock/devnet/network/configs"
import type { RunningMember } from "@twinlock/devnet/network/devNetwork"
import { layoutOf, pathsOf } from "@twinlock/devnet/network/layout"
import { awaitReady, runMember } from "@twinlock/devnet/network/members"
import { withProcesses } from "@twinlock/devnet/network/ownProcesses"
import { type Ports, resetHome } from "@twinlock/devnet/network/state"
import { waitFor } from "@twinlock/devnet/network/waitFor"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { FheType } from "@twinlock/sdk/protocol/fheType"
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import { dealtShares } from "../dealtShares.ts"
import { type ChainControl, createChainControl } from "./chainControl.ts"
import { createCiphertexts } from "./ciphertexts.ts"
import { type CoordinatorStub, startCoordinatorStub } from "./coordinatorStub.ts"
import { type InstalledKey, installKey } from "./installKey.ts"
import { createLoad, type Load } from "./load.ts"
import { commandsHere, openMember } from "./memberStore.ts"

const ROOT = join(import.meta.dirname, "..", "..", "..")
/** Seconds of chain time between a request and the block from which it is due. */
export const CANCEL_WINDOW = 1
const READY_MS = 180_000

export type Cluster = {
  readonly n: number
  readonly t: number
  readonly base: Base
  readonly contracts: Deployment
  readonly keyId: KeyId
  /** A signature of the group, without its nodes. */
  readonly sign: InstalledKey["sign"]
  readonly control: ChainControl
  readonly coordinator: CoordinatorStub
  readonly load: Load
  readonly keyholders: readonly RunningMember[]
  /** By name: every process but this one. */
  readonly pids: ReadonlyMap<string, number>
}

export type ClusterOptions = {
  /** Of its folder in .cache, and seed of its platform: two with one name must not run at once. */
  readonly name: string
  /** Program of a node, with the arguments of devnet's twinlockNode.ts, which is the default. */
  readonly program?: string
  /** Gives nodes other addresses of their peers than the peers' own, for something in between. */
  readonly addresses?: (ports: Ports) => AddressOf
  readonly n: number
  readonly t: number
  readonly fheType: FheType
  readonly progress: (text: string) => void
}

/** Starts everything, runs, stops everything. */
export async function withCluster<T>(
  options: ClusterOptions,
  run: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const { name, addresses, program } = options
  const paths = pathsOf(ROOT, join(ROOT, ".cache", name))
  resetHome(paths)
  const stubs: CoordinatorStub[] = []
  return withProcesses(paths.logs, async (processes) => {
    try {
      const layout = layoutOf(options)
      const ports = await choosePorts(layout)
      const between = addresses === undefined ? {} : { addressOf: addresses(ports) }
      const nodes = program === undefined ? {} : { program }
      const base = await startBase({ paths, layout, processes, ...between, ...nodes }, ports, name)
      const cluster = await start(options, base, stubs)
      const result = await run(cluster)
      const ended = processes.casualties()
      if (ended.length > 0) throw new Error(`ended unasked: ${ended.join("; ")}`)
      return result
    } finally {
      for (const stub of stubs) await stub.stop()
    }
  })
}

async function start(
  { n, t, fheType, progress }: ClusterOptions,
  base: Base,
  stubs: CoordinatorStub[],
): Promise<Cluster> {
  const { paths, layout, tools, chain, accounts, processes, ports } = base
  mkdirSync(paths.logs, { recursive: true })
  progress(`contracts and ${n} + 2 registrations`)
  const { contracts, ...setup } = await makeContracts(base, BigInt(CANCEL_WINDOW))
  const { identities } = await makeMembers(base, { contracts, ...setup }, commandsHere)
  progress("a dealt key, activated")
  const dealt = await dealtShares({ n, t })
  const { keyId, sign } = await installKey({ base, contracts, identities, dealt })
  const executorKeys = await Promise.all(
    layout.executors.map(async (executor) => {
      const member = await openMember(tools, executor)
      const key = member.identity.signerKey.use((bytes) => toHex(bytes))
      await member.close()
      return key
    }),
  )
  const ciphertexts = createCiphertexts(dealt, fheType)
  const coordinator = await startCoordinatorStub(ports.coordinator, ciphertexts.words)
  stubs.push(coordinator)
  progress(`${n} nodes`)
  const keyholders = layout.keyholders.map((member) =>
    runMember(tools, member, identities[member.name]?.signer ?? ""),
  )
  await Promise.all(
    keyholders.map(async ({ member, url, process: current }) => {
      await awaitReady(member.name, url, current(), READY_MS)
      await waitFor(async () => (await peersOf(url)) >= n - 1, {
        what: `${member.name} to know all its peers`,
        timeoutMs: READY_MS,
      })
    }),
  )
  const control = createChainControl(chain.provider)
  await control.takeOver()
  const load = await createLoad({
    ...{ control, contracts, keyId, ciphertexts, executorKeys },
    provider: chain.provider,
    userKey: accounts.organiser.privateKey,
  })
  const pids = new Map(processes.list().map(({ name, pid }) => [name, pid]))
  return { n, t, base, contracts, keyId, sign, control, coordinator, load, keyholders, pids }
}

/** Attested peers of a node. */
export async function peersOf(url: string): Promise<number> {
  const response = await fetch(new URL("/v1/status", url))
  const { peers } = (await response.json()) as { readonly peers: readonly string[] }
  return peers.length
}
