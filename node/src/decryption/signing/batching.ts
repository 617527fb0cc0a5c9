/**
 * Which results an aggregator signs together (protocol §6.3). Results that failed in a batch come again in batches of half
 * the size: one result that the others cannot open ends up alone after a few rounds, and holds up nobody. Results whose
 * requesters demand more than a signature are each signed alone, after those that can share one. Pure.
 */
import { needsEvidence } from "@twinlock/sdk/protocol/certificate"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { MAX_LEAVES } from "./batch.ts"
import type { OpenResult } from "./openResult.ts"

/** Failures in a row that the next attempt follows at once. */
const PROMPT_FAILURES = 4

/**
 * The next batch of due results, oldest first.
 * @param approversOf parties that approved a result: a batch is only made of results that a quorum approved together; null
 *   where that is no longer known
 * @param needed quorum
 */
export function chooseBatch(
  due: readonly OpenResult[],
  approversOf: (result: OpenResult) => readonly PartyIndex[] | null,
  needed: number,
): readonly OpenResult[] {
  const shared = due.filter(({ policy }) => !needsEvidence(policy))
  if (shared.length === 0) return due.slice(0, 1)
  const limit = Math.max(...shared.map((result) => result.together))
  const chosen: OpenResult[] = []
  let common: ReadonlySet<PartyIndex> | null = null
  for (const result of shared.filter(({ together }) => together === limit)) {
    if (chosen.length === limit) break
    const both = intersection(common, approversOf(result))
    if (chosen.length > 0 && both !== null && both.size < needed) continue
    common = both
    chosen.push(result)
  }
  return chosen
}

/** Null is everybody. */
function intersection(
  some: ReadonlySet<PartyIndex> | null,
  others: readonly PartyIndex[] | null,
): ReadonlySet<PartyIndex> | null {
  if (others === null) return some
  return new Set(some === null ? others : others.filter((party) => some.has(party)))
}

/** A batch came to nothing. @returns milliseconds that its results wait: none while splitting may help. */
export function afterFailure(results: readonly OpenResult[], pauseMs: number, longestMs: number): number {
  for (const result of results) {
    result.suspect = true
    result.together = Math.max(1, Math.floor(results.length / 2))
    if (results.length === 1) result.failures += 1
  }
  return results.length > 1 ? 0 : pauseAfter(results[0]?.failures ?? 0, pauseMs, longestMs)
}

/** Milliseconds to wait after so many failures in a row. */
export const pauseAfter = (failures: number, pauseMs: number, longestMs: number): number =>
  failures < PROMPT_FAILURES ? 0 : Math.min(pauseMs * 2 ** (failures - PROMPT_FAILURES), longestMs)

/** Signers are back: what was split for want of them is put together again; what failed alone stays alone. */
export function afterSuccess(results: Iterable<OpenResult>): void {
  for (const result of results) if (result.failures === 0) result.together = MAX_LEAVES
}
