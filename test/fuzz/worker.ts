/** One thread of the fuzzer: runs the ranges of cases that `main.ts` sends. */
import "./fastSignatures.ts"
import { parentPort, workerData } from "node:worker_threads"

export type Range = { readonly first: number; readonly cases: number }
export type WorkerData = {
  readonly seed: string
  /** One number: the case in work. */
  readonly progress: SharedArrayBuffer
}

// Only after the hook of fastSignatures.ts is in place.
const { runCases } = await import("./runCases.ts")
const { sdkTarget } = await import("./target.ts")
const { rootKey } = await import("./world.ts")

const { seed, progress } = workerData as WorkerData
const inWork = new Float64Array(progress)
const target = sdkTarget(rootKey.publicKey)

parentPort?.on("message", ({ first, cases }: Range) => {
  const onCase = (caseNumber: number) => {
    inWork[0] = caseNumber
  }
  parentPort?.postMessage(runCases({ seed, first, cases, target, onCase }))
})
