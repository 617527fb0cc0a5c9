/**
 * npm run simulate -- [--seeds N] [--from N] [--workers K] [--hashes]
 *   runs N seeds; prints a summary, and for each seed that failed the command that runs it again. Exit code 1: failures.
 * npm run simulate -- --seed N [--quiet]
 *   runs one seed again and prints all that happened.
 * npm run simulate -- --planted [--seeds N]
 *   runs nodes with a planted defect each, until a seed finds it, at most N seeds. Exit code 1: one was not found.
 */
import "./crypto/fastCrypto.ts"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import type { Outcome } from "./runSeed.ts"
import type { Range, RangeDone } from "./worker.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "0" },
    seed: { type: "string" },
    workers: { type: "string", default: "2" },
    hashes: { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
  },
})

const CHUNK = 20
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const command = (seed: number): string => `npm run simulate -- --seed ${seed}`

async function runHere(seed: number): Promise<number> {
  const { runSeed } = await import("./runSeed.ts")
  const outcome = await runSeed(seed, { print: values.quiet ? null : say })
  say(JSON.stringify(outcome, null, 2))
  return outcome.failure === null ? 0 : 1
}

async function runAll(from: number, seeds: number): Promise<number> {
  const start = performance.now()
  const outcomes: Outcome[] = []
  let next = from
  const onThread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url))
      const send = (): void => {
        if (next >= from + seeds) return void worker.terminate().then(() => resolve())
        const range: Range = { from: next, seeds: Math.min(CHUNK, from + seeds - next) }
        next += range.seeds
        worker.postMessage(range)
      }
      worker.on("message", (done: RangeDone) => {
        outcomes.push(...done.outcomes)
        for (const { seed, failure } of done.outcomes)
          if (failure !== null) say(`seed ${seed}: ${failure.message}\n  again: ${command(seed)}`)
        send()
      })
      worker.on("error", reject)
      send()
    })
  await Promise.all(Array.from({ length: Number(values.workers) }, onThread))
  const sorted = outcomes.toSorted((a, b) => a.seed - b.seed)
  if (values.hashes) for (const { seed, hash } of sorted) say(`${seed} ${hash}`)
  const failed = sorted.filter(({ failure }) => failure !== null).length
  const seconds = (performance.now() - start) / 1000
  const longest = Math.max(...sorted.map(({ recovery }) => recovery))
  const events = sorted.reduce((sum, outcome) => sum + outcome.events, 0)
  say(
    `${sorted.length} seeds in ${seconds.toFixed(0)} s: ${events} events, ${sorted.filter(({ ceremony }) => ceremony).length} ceremonies, longest recovery ${(longest / 1000).toFixed(0)} s; ${sorted.length - failed} passed, ${failed} failed`,
  )
  return failed === 0 && sorted.length === seeds ? 0 : 1
}

async function runPlanted(seeds: number): Promise<number> {
  const { findDefects } = await import("./planted.ts")
  const found = await findDefects(seeds, (one) => say(JSON.stringify(one)))
  return found.every(({ expected }) => expected) ? 0 : 1
}

process.exitCode = await (values.planted
  ? runPlanted(Number(values.seeds))
  : values.seed === undefined
    ? runAll(Number(values.from), Number(values.seeds))
    : runHere(Number(values.seed)))
