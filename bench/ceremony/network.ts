/** Whole ceremonies among node processes, from the proposal to the active key, on a network of their own. */
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { createReport, versionsOf } from "@twinlock/devnet/demo/report"
import { makeKey } from "@twinlock/devnet/network/ceremony"
import type { RunningMember } from "@twinlock/devnet/network/devNetwork"
import { layoutOf, type Paths, pathsOf } from "@twinlock/devnet/network/layout"
import { type RunningMembers, startMembers } from "@twinlock/devnet/network/network"
import { withProcesses } from "@twinlock/devnet/network/ownProcesses"
import type { Processes } from "@twinlock/devnet/network/processes"
import type { Ports } from "@twinlock/devnet/network/state"
import { waitFor } from "@twinlock/devnet/network/waitFor"
import { peersOf } from "../../test/support/cluster/cluster.ts"
import { commandsHere } from "../../test/support/cluster/memberStore.ts"
import { type Figure, figure } from "../figure.ts"
import { meterOf, type Reading } from "../threshold/meter.ts"
import { abortCause, hasFinished, type RoundTime, roundTimes } from "./nodeLog.ts"
import { meterProcesses, type ProcessUse } from "./processUse.ts"
import type { Size } from "./size.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const MB = 1024 * 1024
const READY_MS = 300_000
/** The proposal's own deadline. */
const CEREMONY_MS = 3_600_000
const LOOK_MS = 2_000
/** Rounds that take longer are told. */
const LONG_SECONDS = 1

/** @throws Error naming why the ceremony failed */
export async function networkFigures(size: Size, say: (text: string) => void): Promise<readonly Figure[]> {
  const home = join(ROOT, ".cache", `bench-ceremony-${size.n}`)
  rmSync(home, { recursive: true, force: true })
  const paths = pathsOf(ROOT, home)
  try {
    return await withProcesses(paths.logs, (processes) => measure(size, paths, processes, say))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function measure(
  size: Size,
  paths: Paths,
  processes: Processes,
  say: (text: string) => void,
): Promise<readonly Figure[]> {
  const layout = layoutOf(size)
  const report = createReport({
    write: (text) => void process.stderr.write(text),
    interactive: false,
    versions: versionsOf(pathToFileURL(`${ROOT}/`)),
    now: () => performance.now(),
  })
  const network = await startMembers({
    ...{ paths, layout, processes, report },
    commands: commandsHere,
    program: join(import.meta.dirname, "..", "threshold", "measuredNode.ts"),
  })
  const { keyholders, executors } = network
  const members = [...keyholders, ...executors]
  await Promise.all(members.map((member) => knowsAll(member, members.length - 1)))
  const readings = () => Promise.all(keyholders.map(({ member }) => meterOf(paths.socket(member)).read()))

  const before = await readings()
  const meter = meterProcesses(members.map((member) => member.process().pid))
  const seconds = await ceremony(network, report.step)
  // The chain may show the key before a node has noticed.
  await waitFor(async () => keyholders.every((holder) => hasFinished(logOf(paths, holder))), {
    what: "all keyholders to finish",
    timeoutMs: READY_MS,
  })
  const use = meter.stop()
  const after = await readings()

  const ended = processes.casualties()
  if (ended.length > 0) throw new Error(`ended unasked: ${ended.join("; ")}`)
  const rounds = roundTimes(logOf(paths, keyholders[0]))
  for (const { name, seconds } of rounds) if (seconds > LONG_SECONDS) say(`${name}: ${seconds.toFixed(1)} s`)
  const sent = after.map((reading, at) => bytesSent(before[at], reading, network.base.ports))
  return figuresOf(size, { seconds, rounds, sent, use: [use.slice(0, size.n), use.slice(size.n)] })
}

const knowsAll = ({ member, url }: RunningMember, others: number): Promise<boolean> =>
  waitFor(async () => (await peersOf(url)) >= others, {
    what: `${member.name} to know all its peers`,
    timeoutMs: READY_MS,
  })

const logOf = (paths: Paths, holder: RunningMember | undefined): string =>
  readFileSync(join(paths.logs, `${holder?.member.name}.log`), "utf8")

/** @returns its seconds. @throws Error at once where a node has aborted: the chain would show it only after the deadline */
async function ceremony(
  { base, setup, keyholders, executors }: RunningMembers,
  step: ReturnType<typeof createReport>["step"],
): Promise<number> {
  const { paths, layout, chain, accounts } = base
  const aborted = new AbortController()
  const look = setInterval(() => {
    for (const holder of keyholders) {
      const cause = abortCause(logOf(paths, holder))
      if (cause !== null) aborted.abort(new Error(`${holder.member.name} aborted: ${cause}`))
    }
  }, LOOK_MS)
  try {
    const from = performance.now()
    await step("ceremony.total", `key ceremony of ${keyholders.length} parties`, (progress) =>
      makeKey({
        ...{ chain, layout, accounts, keyholders, executors, progress },
        contracts: setup.contracts,
        timeoutMs: CEREMONY_MS,
        signal: aborted.signal,
      }),
    )
    return (performance.now() - from) / 1000
  } finally {
    clearInterval(look)
  }
}

type Sent = { readonly peers: number; readonly coordinator: number; readonly all: number }

/** What left a node's sockets, encryption and repetitions included; answers of its own API are not the ceremony's. */
function bytesSent(before: Reading | undefined, after: Reading, ports: Ports): Sent {
  const over = (chosen: readonly number[]): number =>
    chosen.reduce(
      (sum, port) => sum + (after.traffic[port]?.sent ?? 0) - (before?.traffic[port]?.sent ?? 0),
      0,
    )
  const peers = over(Object.values(ports.p2p))
  const coordinator = over([ports.coordinator])
  return { peers, coordinator, all: peers + coordinator + over([ports.chain, ports.collateral]) }
}

type Measured = {
  readonly seconds: number
  readonly rounds: readonly RoundTime[]
  readonly sent: readonly Sent[]
  /** Of keyholders and executors. */
  readonly use: readonly [readonly ProcessUse[], readonly ProcessUse[]]
}

function figuresOf(size: Size, { seconds, rounds, sent, use }: Measured): readonly Figure[] {
  const [keyholders, executors] = use
  const most = (values: readonly number[]): number => Math.max(...values)
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length
  const line = (name: string, value: number, unit: string, more: Figure["params"] = {}): Figure =>
    figure(name, value, unit, { ...size, processes: size.n, ...more })
  const bytes = (to: keyof Sent): Figure =>
    line("ceremony.bytes_sent_per_party", mean(sent.map((one) => one[to])), "bytes", { to })
  return [
    line("ceremony.total_s", seconds, "s"),
    line("ceremony.rounds", rounds.length, "rounds"),
    ...(["all", "peers", "coordinator"] as const).map(bytes),
    line("ceremony.cpu_s_per_party", mean(keyholders.map((one) => one.cpuSeconds)), "s"),
    line("ceremony.peak_rss_mb", most(keyholders.map((one) => one.peakBytes)) / MB, "MB"),
    line(
      "ceremony.peak_beyond_base_mb",
      most(keyholders.map((one) => one.peakBytes - one.baseBytes)) / MB,
      "MB",
    ),
    line("ceremony.executor_peak_rss_mb", most(executors.map((one) => one.peakBytes)) / MB, "MB"),
  ]
}
