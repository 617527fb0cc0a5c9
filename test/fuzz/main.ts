/**
 * npm run fuzz:attestation -- --cases N --seed S [--first N] [--workers K] [--json FILE]
 *   runs the cases first, first + 1, …; prints progress to stderr and a JSON summary to stdout. Exit code 1: findings,
 *   or interrupted before the last case: the summary says up to where, and --first continues there.
 * npm run fuzz:attestation -- --seed S --case N
 *   runs one case again, in this thread.
 * npm run fuzz:attestation -- --planted [--cases N] [--seed S]
 *   runs against verifiers with a planted bug each, until it is found, at most N cases.
 */
import "./fastSignatures.ts"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import type { Finding, Run, Tally } from "./runCases.ts"
import type { Range, WorkerData } from "./worker.ts"

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string", default: "twinlock" },
    first: { type: "string", default: "0" },
    case: { type: "string" },
    workers: { type: "string", default: "2" },
    json: { type: "string" },
    planted: { type: "boolean", default: false },
  },
})
const { seed } = values
const [cases, first] = [Number(values.cases), Number(values.first)]

const CHUNK = 500
const REPORT_MS = 10_000
/** A case takes milliseconds; one that takes this long never ends, and is reported by its number. */
const STUCK_MS = 120_000

/** Adds the counts of `part`. */
function addTally(sum: Tally, part: Tally): void {
  for (const [subject, outcomes] of Object.entries(part)) {
    const known = sum[subject] ?? {}
    for (const [outcome, count] of Object.entries(outcomes)) known[outcome] = (known[outcome] ?? 0) + count
    sum[subject] = known
  }
}

type Sum = { cases: number; readonly tally: Tally; readonly findings: Finding[] }

function runOnThread(next: () => Range | null, sum: Sum): Promise<void> {
  const progress = new SharedArrayBuffer(8)
  const inWork = new Float64Array(progress)
  const workerData: WorkerData = { seed, progress }
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData })
  let seen = -1
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      const now = inWork[0] ?? 0
      if (now === seen) {
        sum.findings.push({
          seed,
          caseNumber: now,
          subject: "any",
          message: `the case did not end within ${STUCK_MS} ms`,
        })
        end()
      }
      seen = now
    }, STUCK_MS)
    const end = () => {
      clearInterval(watch)
      void worker.terminate().then(() => resolve())
    }
    const send = () => {
      const range = next()
      if (range === null) end()
      else worker.postMessage(range)
    }
    worker.on("message", (run: Run) => {
      sum.cases += run.cases
      addTally(sum.tally, run.tally)
      sum.findings.push(...run.findings)
      send()
    })
    worker.on("error", reject)
    send()
  })
}

async function runAll(): Promise<number> {
  const sum: Sum = { cases: 0, tally: {}, findings: [] }
  let at = first
  let interrupted = false
  const interrupt = () => {
    interrupted = true
  }
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt)
  const next = (): Range | null => {
    if (interrupted) return null
    const range = { first: at, cases: Math.min(CHUNK, first + cases - at) }
    at += range.cases
    return range.cases > 0 ? range : null
  }
  const from = performance.now()
  const seconds = () => (performance.now() - from) / 1000
  const report = setInterval(() => {
    const rate = (sum.cases / seconds()).toFixed(0)
    process.stderr.write(
      `${sum.cases} of ${cases} cases, ${rate} per second, ${sum.findings.length} findings\n`,
    )
  }, REPORT_MS)
  await Promise.all(Array.from({ length: Number(values.workers) }, () => runOnThread(next, sum)))
  clearInterval(report)
  const findings = sum.findings.toSorted((a, b) => a.caseNumber - b.caseNumber)
  for (const { caseNumber, subject, message } of findings.slice(0, 20))
    process.stderr.write(`--seed ${seed} --case ${caseNumber}: ${subject}: ${message}\n`)
  const summary = {
    seed,
    first,
    cases: sum.cases,
    seconds: Math.round(seconds()),
    findings,
    outcomes: sum.tally,
  }
  const text = `${JSON.stringify(summary, null, 2)}\n`
  if (values.json !== undefined) writeFileSync(values.json, text)
  process.stdout.write(text)
  return findings.length === 0 && sum.cases === cases ? 0 : 1
}

async function runHere(): Promise<number> {
  const { runCase } = await import("./runCases.ts")
  const { sdkTarget } = await import("./target.ts")
  const { rootKey } = await import("./world.ts")
  const target = sdkTarget(rootKey.publicKey)
  if (values.planted) {
    const { findPlanted } = await import("./planted.ts")
    const found = findPlanted(target, seed, cases)
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    return found.every(({ foundAt }) => foundAt !== null) ? 0 : 1
  }
  const result = runCase(seed, Number(values.case), target)
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  return "message" in result ? 1 : 0
}

process.exitCode = await (values.planted || values.case !== undefined ? runHere() : runAll())
