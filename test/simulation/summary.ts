/** Counts of many runs: what they went through, so that a run that tests nothing shows. */
import type { Outcome } from "./runSeed.ts"

export type Counts = {
  /** Requests that the contract fulfilled, and user decryptions that opened. */
  readonly fulfilled: number
  readonly users: number
  readonly crashes: number
  readonly events: number
}

type Sum = { -readonly [K in keyof Counts]: number } & {
  seeds: number
  failed: number
  ceremonies: number
  /** Milliseconds. */
  longest: number
}

export const emptySum = (): Sum => ({
  ...{ seeds: 0, failed: 0, ceremonies: 0, fulfilled: 0, users: 0, crashes: 0, events: 0, longest: 0 },
})

export function addTo(sum: Sum, { counts, failure, ceremony, recovery }: Outcome): void {
  sum.seeds += 1
  if (failure !== null) sum.failed += 1
  if (ceremony) sum.ceremonies += 1
  sum.fulfilled += counts.fulfilled
  sum.users += counts.users
  sum.crashes += counts.crashes
  sum.events += counts.events
  sum.longest = Math.max(sum.longest, recovery)
}

export const summaryOf = (sum: Sum, seconds: number): string =>
  [
    `${sum.seeds} seeds in ${seconds.toFixed(0)} s`,
    `${sum.events} events, ${sum.crashes} crashes, ${sum.ceremonies} ceremonies`,
    `${sum.fulfilled} requests fulfilled, ${sum.users} users served`,
    `longest recovery ${(sum.longest / 1000).toFixed(0)} s`,
    `${sum.seeds - sum.failed} passed, ${sum.failed} failed`,
  ].join("; ")
