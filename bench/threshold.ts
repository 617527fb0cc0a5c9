/**
 * Decryption as a committee does it: single steps, then whole clusters of node processes on a real chain, with every check
 * on. Committee, epoch and contracts are real; the key comes from a dealer (threshold/installKey.ts).
 */
import { cpus } from "node:os"
import { FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { type Figure, figure, percentile } from "./figure.ts"
import { checkFulfilled, checkResults } from "./threshold/acceptance.ts"
import { type Cluster, withCluster } from "./threshold/cluster.ts"
import { gasFigures } from "./threshold/gas.ts"
import { measureLatency } from "./threshold/latency.ts"
import { loadAverage } from "./threshold/meter.ts"
import { microFigures, type Size } from "./threshold/micro.ts"
import { type LoadResult, measureThroughput } from "./threshold/throughput.ts"

const SMALL: Size = { n: 4, t: 1 }
const LARGE: Size = { n: 13, t: 4 }
const MB = 1024 * 1024
/** Certificates of a run that the contract judges. */
const JUDGED = 64
const type = "FheUint64"

type Plan = {
  readonly size: Size
  readonly samples: number
  readonly warmUpSeconds: number
  readonly seconds: number
  /** Results per second at most for which handles are prepared. */
  readonly prepared: number
  /** Results per second that are tried first. */
  readonly tried: number
}

const FULL: readonly Plan[] = [
  { size: SMALL, samples: 200, warmUpSeconds: 10, seconds: 60, prepared: 250, tried: 110 },
  { size: LARGE, samples: 60, warmUpSeconds: 10, seconds: 30, prepared: 60, tried: 3 },
]
const QUICK: readonly Plan[] = [
  { size: SMALL, samples: 3, warmUpSeconds: 1, seconds: 3, prepared: 10, tried: 5 },
]

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** @param quick seconds instead of minutes: shows that everything works, measures nothing. */
export async function threshold({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const model = cpus()[0]?.model ?? "unknown"
  say(`${cpus().length} × ${model}, load ${loadAverage()}`)
  const figures = [...(await microFigures([SMALL, LARGE], quick ? 3 : 30))]
  for (const plan of quick ? QUICK : FULL) figures.push(...(await clusterFigures(plan)))
  return figures
}

function clusterFigures(plan: Plan): Promise<readonly Figure[]> {
  const { n, t } = plan.size
  const progress = (text: string) => say(`n=${n} t=${t}: ${text}`)
  return withCluster({ n, t, fheType: FHE_TYPES.uint64, progress }, async (cluster) => [
    ...(await loadFigures(cluster, plan, progress)),
    ...(await latencyFigures(cluster, plan, progress)),
  ])
}

async function latencyFigures(
  cluster: Cluster,
  { size, samples }: Plan,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  progress(`latency of ${samples} requests, one at a time`)
  const warmUp = Math.min(5, samples)
  const handles = await cluster.load.prepare(warmUp + samples)
  const all = await measureLatency(cluster, handles)
  await checkResults(
    cluster,
    all.map(({ asked }) => asked),
    JUDGED,
  )
  const measured = all.slice(warmUp)
  const times = measured.map(({ ms }) => ms)
  const [first] = measured
  if (first === undefined) throw new RangeError("no latency was measured")
  const params = { ...size, type, samples, load: loadAverage() }
  return [
    ...[50, 99].map((p) => figure("decrypt.latency_ms", percentile(times, p), "ms", { ...params, p })),
    ...(await gasFigures(cluster, first)),
  ]
}

async function loadFigures(
  cluster: Cluster,
  plan: Plan,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const { size, warmUpSeconds, seconds, prepared, tried } = plan
  // A short run tells how much a long one may need. It begins near what is expected: a committee at work in large batches can
  // do more than one that climbs to them.
  const trial = await measureThroughput(cluster, await cluster.load.prepare(20 * tried), {
    ...{ warmUpSeconds: 8, seconds: 6, startRate: tried },
  })
  const rate = Math.max(2, trial.results / trial.seconds)
  const count = Math.ceil(Math.min(prepared, 2 * rate) * (warmUpSeconds + seconds + 3))
  progress(`${rate.toFixed(1)} results/s in a trial; ${count} ciphertexts for ${seconds} s`)
  const handles = await cluster.load.prepare(count)
  const options = { warmUpSeconds, seconds, startRate: rate }
  const measured = await measureThroughput(cluster, handles, options)
  await checkResults(cluster, [...trial.asked, ...measured.asked], JUDGED)
  await checkFulfilled(cluster)
  progress(`others per result: ${JSON.stringify(measured.othersCpuMsPerResult)}`)
  return figuresOf(size, measured)
}

function figuresOf(size: Size, measured: LoadResult): readonly Figure[] {
  const { results, seconds, load, exhausted } = measured
  const params = { ...size, type, p: 50, seconds: Math.round(seconds), load }
  return [
    figure("decrypt.throughput", results / seconds, "results/s", {
      ...params,
      ...(exhausted ? { ended: "handles used up" } : {}),
    }),
    figure("decrypt.cpu_ms_per_result_per_node", measured.cpuMsPerResultPerNode, "ms", params),
    figure("decrypt.peak_rss_mb", measured.peakBytesPerNode / MB, "MB", params),
    figure("decrypt.wire_bytes_per_result_per_node", measured.wireBytesPerResultPerNode, "bytes", params),
    figure(
      "decrypt.fetched_bytes_per_result_per_node",
      measured.fetchedBytesPerResultPerNode,
      "bytes",
      params,
    ),
  ]
}
