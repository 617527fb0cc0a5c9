/** Counts of many runs: what they went through, so that a run that tests nothing shows. */
import type { Outcome } from "./runSeed.ts"

export type Counts = {
  /** Requests that the contract fulfilled by the group's signature, by a quorum's endorsements, and with evidence. */
  readonly group: number
  readonly endorsed: number
  readonly policy: number
  /** User decryptions that opened. */
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
  /** Events of one run. */
  most: number
}

export const emptySum = (): Sum => ({
  ...{ seeds: 0, failed: 0, ceremonies: 0, users: 0, crashes: 0, events: 0, longest: 0 },
  ...{ group: 0, endorsed: 0, policy: 0, most: 0 },
})

export function addTo(sum: Sum, { counts, failure, ceremony, recovery }: Outcome): void {
  sum.seeds += 1
  if (failure !== null) sum.failed += 1
  if (ceremony) sum.ceremonies += 1
  sum.group += counts.group
  sum.endorsed += counts.endorsed
  sum.policy += counts.policy
  sum.users += counts.users
  sum.crashes += counts.crashes
  sum.events += counts.events
  sum.most = Math.max(sum.most, counts.events)
  sum.longest = Math.max(sum.longest, recovery)
}

/** @param time seconds on the clock, and of all processors */
export const summaryOf = (sum: Sum, time: { readonly wall: number; readonly cpu: number }): string =>
  [
    `${sum.seeds} seeds in ${time.wall.toFixed(0)} s (${time.cpu.toFixed(0)} s of processors)`,
    `${sum.events} events, at most ${sum.most} in one, ${sum.crashes} crashes, ${sum.ceremonies} ceremonies`,
    `requests fulfilled: ${sum.group} by the group, ${sum.endorsed} by endorsements, ${sum.policy} with evidence`,
    `${sum.users} users served`,
    `longest recovery ${(sum.longest / 1000).toFixed(0)} s`,
    `${sum.seeds - sum.failed} passed, ${sum.failed} failed`,
  ].join("; ")
