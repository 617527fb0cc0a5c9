/** One thread of the simulation: runs the ranges of seeds that `main.ts` sends. */
import "./crypto/fastCrypto.ts"
import { parentPort } from "node:worker_threads"
import type { Outcome } from "./runSeed.ts"

export type Range = { readonly from: number; readonly seeds: number }
export type RangeDone = { readonly outcomes: readonly Outcome[] }

// Only after the hook of fastCrypto.ts is in place.
const { runSeed } = await import("./runSeed.ts")

parentPort?.on("message", async ({ from, seeds }: Range) => {
  const outcomes: Outcome[] = []
  for (let seed = from; seed < from + seeds; seed++) outcomes.push(await runSeed(seed))
  parentPort?.postMessage({ outcomes } satisfies RangeDone)
})
