/**
 * n keyholders in n processes around a real chain: the network of devnet without its ceremony, executors and coordinator,
 * whose parts the benchmark plays itself.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Deployment } from "@twinlock/contracts/deploy"
import { type Base, choosePorts, makeContracts, makeMembers, startBase } from "@twinlock/devnet/network/base"
import type { RunningMember } from "@twinlock/devnet/network/devNetwork"
import { layoutOf, pathsOf } from "@twinlock/devnet/network/layout"
import { awaitReady, runMember } from "@twinlock/devnet/network/members"
import { createProcesses } from "@twinlock/devnet/network/processes"
import { resetHome } from "@twinlock/devnet/network/state"
import { waitFor } from "@twinlock/devnet/network/waitFor"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { FheType } from "@twinlock/sdk/protocol/fheType"
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import { dealtShares } from "../../test/support/dealtShares.ts"
import { type ChainControl, createChainControl } from "./chainControl.ts"
import { createCiphertexts } from "./ciphertexts.ts"
import { type CoordinatorStub, startCoordinatorStub } from "./coordinatorStub.ts"
import { type InstalledKey, installKey } from "./installKey.ts"
import { createLoad, type Load } from "./load.ts"
import { commandsHere, openMember } from "./memberStore.ts"
import { type Meter, meterOf } from "./meter.ts"

const ROOT = join(import.meta.dirname, "..", "..")
/** Seconds of chain time between a request and the block from which it is due. */
export const CANCEL_WINDOW = 1
const READY_MS = 180_000

export type Keyholder = RunningMember & { readonly meter: Meter }

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
  readonly keyholders: readonly Keyholder[]
  /** By name: every process but this one. */
  readonly pids: ReadonlyMap<string, number>
}

export type ClusterOptions = {
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
  const paths = pathsOf(ROOT, join(ROOT, ".cache", `bench-threshold-${options.n}`))
  resetHome(paths)
  const processes = createProcesses(paths.logs)
  const stop = () => {
    processes.killAll()
    process.exit(130)
  }
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
  const stubs: CoordinatorStub[] = []
  try {
    const layout = layoutOf(options)
    const base = await startBase(
      { paths, layout, processes },
      await choosePorts(layout),
      "threshold benchmark",
    )
    const cluster = await start(options, base, stubs)
    const result = await run(cluster)
    const ended = processes.casualties()
    if (ended.length > 0) throw new Error(`ended unasked: ${ended.join("; ")}`)
    return result
  } finally {
    process.removeListener("SIGINT", stop)
    process.removeListener("SIGTERM", stop)
    for (const stub of stubs) await stub.stop()
    await processes.stopAll()
  }
}

async function start(
  { n, t, fheType, progress }: ClusterOptions,
  started: Base,
  stubs: CoordinatorStub[],
): Promise<Cluster> {
  const base: Base = {
    ...started,
    tools: { ...started.tools, program: join(import.meta.dirname, "measuredNode.ts") },
  }
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
  const keyholders = layout.keyholders.map((member) => ({
    ...runMember(tools, member, identities[member.name]?.signer ?? ""),
    meter: meterOf(paths.socket(member)),
  }))
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

async function peersOf(url: string): Promise<number> {
  const response = await fetch(new URL("/v1/status", url))
  const { peers } = (await response.json()) as { readonly peers: readonly string[] }
  return peers.length
}
