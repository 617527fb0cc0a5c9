/**
 * npm run simulate -- [--seeds N] [--from N] [--workers K] [--hashes]
 *   runs N seeds; prints a summary, and for each seed that failed the command that runs it again. Exit code 1: failures.
 * npm run simulate -- --long [--seeds N]
 *   the same with 100,000 seeds unless said otherwise; goes on where the last long run stopped.
 * npm run simulate -- --seed N [--defect NAME] [--quiet]
 *   runs one seed again and prints all that happened.
 * npm run simulate -- --planted [--seeds N]
 *   runs nodes with a planted defect each, until a seed finds it, at most N seeds. Exit code 1: one was not found.
 */
import "./crypto/fastCrypto.ts"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import type { Outcome } from "./runSeed.ts"
import { addTo, emptySum, summaryOf } from "./summary.ts"
import { runOnThreads } from "./threads.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "0" },
    seed: { type: "string" },
    defect: { type: "string" },
    workers: { type: "string", default: "2" },
    hashes: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
  },
})

const CI_SEEDS = 2000
const LONG_SEEDS = 100_000
/** Seeds of a long run between two notes of how far it came. */
const STEP = 1000
const NOTE = join(import.meta.dirname, "..", "..", ".cache", "simulation", "long.json")

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function runHere(seed: number): Promise<number> {
  const [{ runSeed }, { DEFECTS }] = [await import("./runSeed.ts"), await import("./planted.ts")]
  const planted = DEFECTS.find(({ name }) => name === values.defect) ?? null
  const outcome = await runSeed(seed, { planted, print: values.quiet ? null : say })
  say(JSON.stringify(outcome, null, 2))
  return outcome.failure === null ? 0 : 1
}

async function runPlanted(seeds: number): Promise<number> {
  const { findDefects } = await import("./planted.ts")
  const found = await findDefects(seeds, (one) => say(JSON.stringify(one)))
  return found.every(({ expected }) => expected) ? 0 : 1
}

let interrupted = false
process.once("SIGINT", () => {
  interrupted = true
})
process.once("SIGTERM", () => {
  interrupted = true
})

function report({ seed, failure }: Outcome): void {
  if (failure !== null) say(`seed ${seed}: ${failure.message}\n  again: npm run simulate -- --seed ${seed}`)
}

/** Seconds since `start`, and those of this process and its threads. */
function spent(start: number): { readonly wall: number; readonly cpu: number } {
  const { user, system } = process.cpuUsage()
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

async function runSeeds(from: number, seeds: number): Promise<number> {
  const start = performance.now()
  const sum = emptySum()
  const hashes: (readonly [number, string])[] = []
  await runOnThreads({
    ...{ from, seeds, workers: Number(values.workers), stop: () => interrupted },
    onOutcome(outcome) {
      report(outcome)
      addTo(sum, outcome)
      hashes.push([outcome.seed, outcome.hash])
    },
  })
  if (values.hashes) for (const [seed, hash] of hashes.toSorted(([a], [b]) => a - b)) say(`${seed} ${hash}`)
  say(summaryOf(sum, spent(start)))
  return sum.failed === 0 && sum.seeds === seeds ? 0 : 1
}

type Note = { readonly next: number; readonly failed: readonly number[] }

/** In steps, each noted: whoever interrupts a long run loses one step at most. */
async function runLong(seeds: number): Promise<number> {
  const fresh: Note = { next: 0, failed: [] }
  let note = existsSync(NOTE) ? (JSON.parse(readFileSync(NOTE, "utf8")) as Note) : fresh
  mkdirSync(dirname(NOTE), { recursive: true })
  if (note.next > 0) say(`goes on at seed ${note.next}, ${note.failed.length} failed before`)
  const start = performance.now()
  while (note.next < seeds && !interrupted) {
    const failed = [...note.failed]
    const sum = emptySum()
    const count = Math.min(STEP, seeds - note.next)
    await runOnThreads({
      ...{ from: note.next, seeds: count, workers: Number(values.workers), stop: () => interrupted },
      onOutcome(outcome) {
        report(outcome)
        addTo(sum, outcome)
        if (outcome.failure !== null) failed.push(outcome.seed)
      },
    })
    if (sum.seeds < count) break
    note = { next: note.next + count, failed }
    writeFileSync(NOTE, JSON.stringify(note))
    say(`up to ${note.next} of ${seeds}: ${summaryOf(sum, spent(start))}`)
  }
  if (note.next < seeds) return 1
  rmSync(NOTE)
  say(`${seeds} seeds, ${note.failed.length} failed${note.failed.map((seed) => ` ${seed}`).join("")}`)
  return note.failed.length === 0 ? 0 : 1
}

const seedsOr = (otherwise: number): number => Number(values.seeds ?? otherwise)

function run(): Promise<number> {
  if (values.seed !== undefined) return runHere(Number(values.seed))
  if (values.planted) return runPlanted(seedsOr(CI_SEEDS))
  return values.long ? runLong(seedsOr(LONG_SEEDS)) : runSeeds(Number(values.from), seedsOr(CI_SEEDS))
}

process.exitCode = await run()
