/** When a batch is worth its gas. The figures are of contracts/snapshots/Transactions.json; what a result costs by either way is left out. */

/** Verification of a result alone, as a transaction of its own. */
const ALONE = 37_119
/** Verification of 64 under one signature. */
const OF_64 = 412_120
/** Look at a request that does not wait any more, and its event. */
const SKIPPED = 4_000

const LEAF = (OF_64 - ALONE) / 63

/** Whether `fulfilMany` over all leaves costs less than a transaction for each result that waits. */
export const isCheaper = (waiting: number, leaves: number): boolean =>
  ALONE + (leaves - 1) * LEAF + (leaves - waiting) * SKIPPED < waiting * ALONE
