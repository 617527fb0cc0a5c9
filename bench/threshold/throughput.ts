/**
 * Sustained load: requests come with every block, as many as the committee answers. The offered rate follows what is
 * waiting, so that the nodes always have work and never an endless queue.
 */

import type { Asked, Openable } from "../../test/support/cluster/load.ts"
import type { Cluster, Keyholder } from "./cluster.ts"
import { cpuMsOf, loadAverage, peakBytesOf, resetPeak } from "./meter.ts"

const BLOCK_MS = 500
/** Requests of a block are due and final within so many blocks: window of one second, two blocks of finality. */
const BLOCKS_UNTIL_DUE = 5
const DRAIN_MS = 60_000
/** Blocks of requests that wait while the committee has enough to do: batches are what makes it fast. */
const FULL = 2

export type LoadOptions = {
  readonly warmUpSeconds: number
  readonly seconds: number
  /** Results per second to begin with. */
  readonly startRate: number
}

export type LoadResult = {
  readonly asked: readonly Asked[]
  /** Certified in the measured time, and how long that was. */
  readonly results: number
  readonly seconds: number
  readonly cpuMsPerResultPerNode: number
  /** CPU of every process but the nodes, by name, per result. */
  readonly othersCpuMsPerResult: Readonly<Record<string, number>>
  readonly peakBytesPerNode: number
  /** Sent to other nodes. */
  readonly wireBytesPerResultPerNode: number
  /** Received from chain and coordinator. */
  readonly fetchedBytesPerResultPerNode: number
  /** True where the prepared handles were used up before the end. */
  readonly exhausted: boolean
  readonly load: number
}

type Snapshot = {
  readonly at: number
  readonly results: number
  readonly nodeCpuMs: number
  readonly otherCpuMs: ReadonlyMap<string, number>
  readonly sent: number
  readonly fetched: number
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

async function snapshot({ base, coordinator, keyholders, pids }: Cluster): Promise<Snapshot> {
  const readings = await Promise.all(keyholders.map(({ meter }) => meter.read()))
  const wire = new Set(Object.values(base.ports.p2p).map(String))
  const outside = [String(base.ports.chain), String(base.ports.coordinator)]
  const names = new Set(keyholders.map(({ member }) => member.name))
  const others = [...pids]
    .filter(([name]) => !names.has(name))
    .map(([name, pid]) => [name, cpuMsOf(pid)] as const)
  const { user, system } = process.cpuUsage()
  return {
    at: performance.now(),
    results: coordinator.delivered.size,
    nodeCpuMs: sum(readings.map(({ cpuMs }) => cpuMs)),
    otherCpuMs: new Map([...others, ["load", (user + system) / 1000]]),
    sent: sum(
      readings.flatMap(({ traffic }) =>
        Object.entries(traffic).map(([port, { sent }]) => (wire.has(port) ? sent : 0)),
      ),
    ),
    fetched: sum(readings.flatMap(({ traffic }) => outside.map((port) => traffic[port]?.received ?? 0))),
  }
}

const pidOf = (keyholder: Keyholder): number => keyholder.process().pid

/** @param handles prepared; where they run out, the measurement ends early. */
export async function measureThroughput(
  cluster: Cluster,
  handles: readonly Openable[],
  { warmUpSeconds, seconds, startRate }: LoadOptions,
): Promise<LoadResult> {
  const { control, load, coordinator, keyholders } = cluster
  const asked: Asked[] = []
  const sizes: number[] = []
  const before = coordinator.delivered.size
  let quota = Math.max(1, (startRate * BLOCK_MS) / 1000)
  // What was measured before is no part of this load.
  const brought = new Set(coordinator.delivered.keys())
  let used = 0

  /** One block, with what the committee can take. */
  async function block(): Promise<void> {
    const due = sum(sizes.slice(0, Math.max(0, sizes.length - BLOCKS_UNTIL_DUE)))
    const backlog = due - (coordinator.delivered.size - before)
    if (backlog < FULL * quota) quota *= 1.04
    else if (backlog > 4 * FULL * quota) quota = Math.max(1, quota * 0.8)
    const count = backlog > 6 * FULL * quota ? 0 : Math.round(quota)
    const part = handles.slice(used, used + count)
    used += part.length
    if (part.length > 0) await load.send(part)
    await bring(cluster, brought)
    await control.mine()
    sizes.push(part.length)
    if (part.length > 0) asked.push(...(await load.asked((await control.latest()).number)))
  }

  async function blocks(forMs: number): Promise<void> {
    const end = performance.now() + forMs
    for (let next = performance.now(); next < end && used < handles.length; ) {
      await block()
      next += BLOCK_MS
      await pause(next - performance.now())
    }
  }

  await blocks(warmUpSeconds * 1000)
  for (const keyholder of keyholders) resetPeak(pidOf(keyholder))
  const start = await snapshot(cluster)
  await blocks(seconds * 1000)
  const end = await snapshot(cluster)
  const averageLoad = loadAverage()
  const exhausted = used >= handles.length
  const peakBytesPerNode = Math.max(...keyholders.map((keyholder) => peakBytesOf(pidOf(keyholder))))
  await drain(cluster, asked, brought)
  const results = end.results - start.results
  const perNode = (total: number) => total / results / keyholders.length
  return {
    ...{ asked, results, exhausted, peakBytesPerNode, load: averageLoad },
    seconds: (end.at - start.at) / 1000,
    cpuMsPerResultPerNode: perNode(end.nodeCpuMs - start.nodeCpuMs),
    othersCpuMsPerResult: Object.fromEntries(
      [...end.otherCpuMs].map(([name, ms]) => [name, (ms - (start.otherCpuMs.get(name) ?? 0)) / results]),
    ),
    wireBytesPerResultPerNode: perNode(end.sent - start.sent),
    fetchedBytesPerResultPerNode: perNode(end.fetched - start.fetched),
  }
}

/** Certificates that came since are on their way to the gateway. */
async function bring({ coordinator, load }: Cluster, brought: Set<string>): Promise<void> {
  const fresh = [...coordinator.delivered].filter(([requestId]) => !brought.has(requestId))
  for (const [requestId] of fresh) brought.add(requestId)
  await load.fulfil(fresh.map(([, delivered]) => delivered))
}

/** Waits until every request has its certificate. @throws Error with how many have none */
async function drain(cluster: Cluster, asked: readonly Asked[], brought: Set<string>): Promise<void> {
  const { control, coordinator } = cluster
  const missing = () => asked.filter(({ requestId }) => !coordinator.delivered.has(requestId))
  for (const end = performance.now() + DRAIN_MS; performance.now() < end && missing().length > 0; ) {
    await bring(cluster, brought)
    await control.mine()
    await pause(BLOCK_MS)
  }
  await bring(cluster, brought)
  await control.mine()
  if (missing().length > 0)
    throw new Error(`${missing().length} of ${asked.length} requests were never certified`)
}
