/**
 * npm run chaos -- [--minutes 30] [--n 7 --t 2] [--seed S] [--rate 4]
 *   real keyholder processes on a real chain under load, while they are killed, stopped, cut off and slowed down.
 *   Ends with a line of figures and a verdict. Exit code 1: a promise was broken, or the run could not be made.
 */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { layoutOf } from "@twinlock/devnet/network/layout"
import { waitFor } from "@twinlock/devnet/network/waitFor"
import { FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { percentile } from "../../bench/figure.ts"
import { type Cluster, peersOf, withCluster } from "../support/cluster/cluster.ts"
import { accusations, culpritsCounted } from "./checks.ts"
import { createFaults } from "./faults.ts"
import { type Links, startLinks } from "./links.ts"
import { liveTime, type Schedule, scheduleOf } from "./schedule.ts"
import { type Answered, createTraffic } from "./traffic.ts"

/** Of time in which at most t nodes are disturbed or on their way back: docs/chaos.md. */
const BOUND_MS = 60_000
/** Within which every node knows all others again after the last healing. */
const REUNION_MS = 90_000
const MOST_BYTES = 400 * 1024 * 1024

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    n: { type: "string", default: "7" },
    t: { type: "string", default: "2" },
    seed: { type: "string" },
    rate: { type: "string", default: "4" },
  },
})

const [n, t, minutes, rate] = [values.n, values.t, values.minutes, values.rate].map(Number) as [
  number,
  number,
  number,
  number,
]
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed)
if (![n, t, seed].every(Number.isSafeInteger) || !(minutes > 0) || !(rate > 0) || n < 3 * t + 1 || t < 1)
  throw new RangeError("want n ≥ 3t + 1, t ≥ 1, an integer as seed, and positive minutes and rate")

const name = `chaos-${n}`
const home = join(import.meta.dirname, "..", "..", ".cache")
const logs = join(home, name, "logs")
const faultLog = join(home, `${name}-faults.jsonl`)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function run(cluster: Cluster, schedule: Schedule, links: Links): Promise<void> {
  const { keyholders, base } = cluster
  const startedAt = performance.now()
  const log = (entry: Readonly<Record<string, unknown>>): void =>
    appendFileSync(
      faultLog,
      `${JSON.stringify({ ms: Math.round(performance.now() - startedAt), ...entry })}\n`,
    )
  const culprits: string[] = []
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // told by whoever waits for it, if anybody does
  const faults = createFaults({
    ...{ schedule, keyholders, links, log },
    beforeKill: async (keyholder) =>
      void culprits.push(...(await culpritsCounted(keyholder).catch(() => []))),
    onError: failed.reject,
  })
  const traffic = createTraffic(cluster, { rate, startedAt, live: liveTime(schedule), boundMs: BOUND_MS })
  const orFailed = <T>(work: Promise<T>): Promise<T> => Promise.race([work, failed.promise])
  say(`${schedule.faults.length} faults and ${schedule.storms.length} storms in ${minutes} minutes`)
  faults.begin()
  try {
    await orFailed(traffic.run(schedule.endMs))
  } catch (error) {
    // Stopped nodes would not end when they are told to; nobody waits for those that were started again.
    void faults.heal()
    throw error
  }
  await faults.heal()
  log({ event: "all healed" })
  await orFailed(traffic.drain())
  await Promise.all(
    keyholders.map(({ member, url }) =>
      waitFor(async () => (await peersOf(url)) >= n - 1, {
        what: `${member.name} to know all its peers again`,
        timeoutMs: REUNION_MS,
      }),
    ),
  )
  await orFailed(Promise.resolve())
  for (const keyholder of keyholders) culprits.push(...(await culpritsCounted(keyholder)))
  const names = keyholders.map(({ member }) => member.name)
  const accused = [...culprits, ...accusations(base.paths.logs, names)]
  if (accused.length > 0) throw new Error(`honest parties are accused:\n  ${accused.join("\n  ")}`)
  const bytes = keyholders.map(({ process: current }) => current().residentBytes())
  say(JSON.stringify(figuresOf(cluster, schedule, traffic.answered, traffic.judged(), Math.max(...bytes))))
  const heavy = bytes.findIndex((size) => size > MOST_BYTES)
  if (heavy >= 0)
    throw new Error(`${names[heavy]} has ${bytes[heavy]} bytes resident, more than ${MOST_BYTES}`)
}

function figuresOf(
  { coordinator }: Cluster,
  { faults, storms }: Schedule,
  answered: readonly Answered[],
  judged: number,
  residentBytes: number,
) {
  const times = answered.map(({ askedAt, certifiedAt }) => Math.round(certifiedAt - askedAt))
  const live = liveTime(scheduleOf({ seed, n, t, minutes }))
  const count = (kind: string) => faults.filter(({ action }) => action.kind === kind).length
  return {
    ...{ seed, n, t, minutes, rate },
    results: answered.length,
    wrong: 0,
    lost: 0,
    certificatesJudged: judged,
    deliveries: coordinator.deliveries(),
    latencyMs: { p50: percentile(times, 50), p99: percentile(times, 99), most: Math.max(...times) },
    liveMsMost: Math.round(
      Math.max(...answered.map(({ askedAt, certifiedAt }) => live(askedAt, certifiedAt))),
    ),
    /** After a storm, until everything that was asked before its end has its certificate. */
    afterStormMsMost: Math.round(
      Math.max(
        0,
        ...storms.flatMap(({ until }) =>
          answered.filter(({ askedAt }) => askedAt <= until).map(({ certifiedAt }) => certifiedAt - until),
        ),
      ),
    ),
    faults: { kill: count("kill"), stop: count("stop"), cut: count("cut"), slow: count("slow") },
    storms: storms.length,
    residentMbMost: Math.round(residentBytes / 1024 / 1024),
  }
}

const schedule = scheduleOf({ seed, n, t, minutes })
mkdirSync(home, { recursive: true })
writeFileSync(faultLog, "")
say(`seed ${seed}, n = ${n}, t = ${t}`)
const links = await startLinks(layoutOf({ n, t }).keyholders.map((member) => member.name))
try {
  await withCluster(
    { name, n, t, fheType: FHE_TYPES.uint64, progress: say, addresses: (ports) => links.addresses(ports) },
    (cluster) => run(cluster, schedule, links),
  )
  say("passed: every request was certified as its plaintext, and nobody honest was accused or lost")
} catch (error) {
  say(`failed: ${error instanceof Error ? error.message : String(error)}`)
  say(`seed ${seed}\nfaults: ${faultLog}\nlogs: ${logs}`)
  process.exitCode = 1
} finally {
  await links.stop()
}
// A run that failed may still be waiting for nodes that are gone.
process.exit()
