/**
 * npm start: brings up the local network, runs the demonstration, prints a report. Exit code 0 only if every check held.
 *   --keep        leaves the network running until Ctrl-C
 *   --json FILE   writes the report as JSON
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { runDemo } from "./demo/demo.ts"
import { peakMeter } from "./demo/peakMeter.ts"
import { createReport, versionsOf } from "./demo/report.ts"
import { createSetting } from "./demo/setting.ts"
import { pathsOf } from "./network/layout.ts"
import { startNetwork } from "./network/network.ts"
import { createProcesses } from "./network/processes.ts"
import { markAtRest, markInUse } from "./network/state.ts"

const root = join(import.meta.dirname, "..", "..")
const { values: options } = parseArgs({
  options: { keep: { type: "boolean", default: false }, json: { type: "string" } },
})

const paths = pathsOf(root, join(root, ".devnet"))
const processes = createProcesses(paths.logs)
const report = createReport({
  write: (text) => void process.stdout.write(text),
  interactive: process.stdout.isTTY === true,
  versions: versionsOf(pathToFileURL(`${root}/`)),
  now: () => performance.now(),
})
const interrupted = new AbortController()
const meter = peakMeter(processes)

async function end(code: number): Promise<never> {
  meter.stop()
  await processes.stopAll()
  process.exit(code)
}
/** The first signal stops every process in order, a second one kills what is left. */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort()
    process.stdout.write("\nstopping every process of the network\n")
    void end(130)
  })
process.once("exit", () => processes.killAll())

function writeJson(): void {
  if (options.json === undefined) return
  mkdirSync(dirname(resolve(options.json)), { recursive: true })
  writeFileSync(options.json, `${JSON.stringify(report.toJson(), null, 2)}\n`)
}

try {
  report.section("Local network")
  const network = await startNetwork({ paths, processes, report, signal: interrupted.signal })
  const setting = createSetting(network, report)
  markInUse(paths)
  await runDemo(setting)
  markAtRest(paths)
  await setting.prover.stop()
  report.size(
    "node_rss",
    Math.max(...network.keyholders.map((keyholder) => keyholder.process().residentBytes())),
  )
  report.size("peak_rss", meter.peak())
  const unasked = processes.casualties()
  report.check(
    "processes",
    unasked.length === 0,
    unasked.length === 0 ? "no process ended unasked" : unasked.join("; "),
  )
  const ok = report.finish()
  writeJson()
  if (options.keep) {
    process.stdout.write(
      `\nThe network stays up until Ctrl-C:\n  chain        ${network.chain.url} (chain id ${network.deployment.chainId})\n  coordinator  ${network.coordinatorUrl}\n${[...network.keyholders, ...network.executors].map(({ member, url }) => `  ${member.name.padEnd(12)} ${url}`).join("\n")}\n  logs         ${paths.logs}\n`,
    )
    await new Promise(() => {})
  }
  await end(ok ? 0 : 1)
} catch (error) {
  if (!interrupted.signal.aborted) {
    report.check("run", false, error instanceof Error ? error.message : String(error))
    report.finish()
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify(report.toJson(), null, 2)}\n`)
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\nlogs: ${paths.logs}\n`)
    await end(1)
  }
}
