/**
 * When a node renews its standing, as a pure function of chain time. A renewal costs gas and must never be late: it
 * is due at half of the standing's lifetime, retried with back-off, and reported to the operator when little is left.
 */

export type Standing = {
  /** Chain time, seconds: when the newest registration or renewal was recorded. */
  readonly since: bigint
  /** Chain time, seconds, exclusive. Zero where standing was removed. */
  readonly liveUntil: bigint
  /** Whether what the registry demands has changed since: a fresh quote is judged by the new rules, the old one is not. */
  readonly outdated: boolean
}

export type RenewalState =
  /** Nothing to do before `wakeAt`. */
  | { readonly status: "fresh"; readonly wakeAt: bigint }
  /** Renew now; on failure again at `retryAt`. */
  | { readonly status: "due"; readonly retryAt: bigint }
  /** As due, and the operator must look: less than a quarter of the lifetime is left. */
  | { readonly status: "urgent"; readonly retryAt: bigint; readonly secondsLeft: bigint }
  /** Standing is gone; renewing brings it back unless the entry was removed or the node revoked. */
  | { readonly status: "lapsed"; readonly retryAt: bigint }

const FIRST_RETRY = 30n
const LAST_RETRY = 3_600n

/** Doubles from 30 seconds, at most an hour and at most an eighth of what is left. */
function retryDelay(attempts: number, secondsLeft: bigint): bigint {
  const doubled = FIRST_RETRY << BigInt(Math.min(attempts, 16))
  const capped = doubled < LAST_RETRY ? doubled : LAST_RETRY
  const eighth = secondsLeft / 8n
  if (secondsLeft <= 0n || eighth > capped) return capped
  return eighth > 5n ? eighth : 5n
}

/**
 * @param now chain time in seconds.
 * @param attempts failed attempts since the last success.
 */
export function renewalState(standing: Standing, now: bigint, attempts: number): RenewalState {
  const { since, liveUntil, outdated } = standing
  const secondsLeft = liveUntil - now
  const retryAt = now + retryDelay(attempts, secondsLeft)
  if (secondsLeft <= 0n) return { status: "lapsed", retryAt }
  const lifetime = liveUntil > since ? liveUntil - since : 0n
  const dueAt = since + lifetime / 2n
  if (now < dueAt && !outdated) return { status: "fresh", wakeAt: dueAt }
  if (secondsLeft * 4n < lifetime) return { status: "urgent", retryAt, secondsLeft }
  return { status: "due", retryAt }
}
