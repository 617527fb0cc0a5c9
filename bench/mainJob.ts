/** The main job on a network of its own: ceremony, vote, decryption latency, gas, memory, warm start. */

import { rmSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { gasOfAcceptance } from "@twinlock/devnet/demo/acceptanceGas"
import { runDemo } from "@twinlock/devnet/demo/demo"
import { peakMeter } from "@twinlock/devnet/demo/peakMeter"
import { createReport, type Report, versionsOf } from "@twinlock/devnet/demo/report"
import { createSetting } from "@twinlock/devnet/demo/setting"
import { awaitSum, openSums, requestSum } from "@twinlock/devnet/demo/sums"
import { pathsOf } from "@twinlock/devnet/network/layout"
import { startNetwork } from "@twinlock/devnet/network/network"
import { withProcesses } from "@twinlock/devnet/network/ownProcesses"
import { type Figure, figure, percentile } from "./figure.ts"

const root = join(import.meta.dirname, "..")
const REQUESTS = 30
const MB = 1024 * 1024

function newReport(): Report {
  return createReport({
    write: (text) => void process.stderr.write(text),
    interactive: false,
    versions: versionsOf(pathToFileURL(`${root}/`)),
    now: () => performance.now(),
  })
}

async function onNetwork<T>(
  home: string,
  run: (
    report: Report,
    start: () => ReturnType<typeof startNetwork>,
    meter: ReturnType<typeof peakMeter>,
  ) => Promise<T>,
): Promise<T> {
  const paths = pathsOf(root, home)
  const report = newReport()
  return withProcesses(paths.logs, async (processes) => {
    const meter = peakMeter(processes)
    try {
      return await run(
        report,
        () => startNetwork({ paths, processes, report, signal: new AbortController().signal }),
        meter,
      )
    } finally {
      meter.stop()
    }
  })
}

export async function mainJob(): Promise<readonly Figure[]> {
  const home = join(root, ".cache", "bench-network")
  rmSync(home, { recursive: true, force: true })
  const committee = { n: 4, t: 1 }
  const cold = await onNetwork(home, async (report, start, meter) => {
    const network = await start()
    const setting = createSetting(network, report)
    const sums = await openSums(setting)
    const latencies: number[] = []
    for (let i = 0; i < REQUESTS; i++)
      latencies.push((await awaitSum(setting, await requestSum(setting, sums, i))).latencyMs)
    const rss = Math.max(...network.keyholders.map((keyholder) => keyholder.process().residentBytes()))
    await runDemo(setting)
    const accept = await gasOfAcceptance(setting, sums)
    await setting.prover.stop()
    const { timings_ms, gas, ok } = report.toJson()
    if (!ok) throw new Error("a check of the demonstration failed")
    const figures = [
      figure("gas.accept", accept, "gas", { ...committee, signers: 3, results: 1 }),
      figure("gas.quote_register", gas["quote_register"] ?? 0, "gas"),
      figure("gas.quote_renew", gas["quote_renew"] ?? 0, "gas"),
      figure("ceremony.total_s", (timings_ms["ceremony.total"] ?? 0) / 1000, "s", committee),
      figure("decrypt.latency_ms", percentile(latencies, 50), "ms", {
        ...committee,
        type: "FheUint16",
        p: 50,
      }),
      figure("decrypt.latency_ms", percentile(latencies, 99), "ms", {
        ...committee,
        type: "FheUint16",
        p: 99,
      }),
      figure("node.rss_mb", rss / MB, "MB", committee),
      figure("demo.peak_rss_mb", meter.peak() / MB, "MB", committee),
    ]
    return { figures, sums }
  })
  const warm = await onNetwork(home, async (report, start) => {
    const from = performance.now()
    const setting = createSetting(await start(), report)
    await awaitSum(setting, await requestSum(setting, cold.sums, 2))
    await setting.prover.stop()
    return [figure("start.warm_first_decryption_ms", performance.now() - from, "ms", committee)]
  })
  return [...cold.figures, ...warm]
}
