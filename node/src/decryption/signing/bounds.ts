/** How much of one aggregator a node serves for one result (protocol §6.3). */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { OpenResult } from "./openResult.ts"

export type ServingBounds = { readonly maxServed: number; readonly servePeriodMs: number }

/** True where the party may be served once more for this result. */
export function mayServe(
  { served }: OpenResult,
  party: PartyIndex,
  now: number,
  { maxServed, servePeriodMs }: ServingBounds,
): boolean {
  const last = served.get(party)
  return last === undefined || now - last.since >= servePeriodMs || last.count < maxServed
}

export function countServed(
  { served }: OpenResult,
  party: PartyIndex,
  now: number,
  { servePeriodMs }: ServingBounds,
): void {
  const last = served.get(party)
  const fresh = last === undefined || now - last.since >= servePeriodMs
  served.set(party, fresh ? { since: now, count: 1 } : { since: last.since, count: last.count + 1 })
}
