/**
 * How long this node stays accepted if its machine stays as it is (docs/attestation.md §7): Intel serves the next sets of
 * TCB levels up to a year before they become the standard, so a machine that will fall out is known long before. Pure;
 * the fetching and telling is `earlyWarning.ts`.
 */
import type { TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import type { EvaluationNumber } from "./evaluationNumbers.ts"

/** The own quote under one of the sets that Intel serves. */
export type SetVerdict = {
  readonly number: number
  /** Null where the verifier refuses the quote altogether. */
  readonly status: TcbStatus | null
  /** Why, where it does. */
  readonly code: string | null
  readonly advisories: readonly string[]
}

export type OutlookInput = {
  /** Chain time, unix seconds. */
  readonly time: number
  readonly standard: SetVerdict
  /** Sets newer than the standard one, in order of their number. */
  readonly newer: readonly SetVerdict[]
  /** Intel's signed list; empty where it could not be read. */
  readonly numbers: readonly EvaluationNumber[]
  /** Whether Intel's list or a service that was asked for the early set says which set is the newest. */
  readonly newestKnown: boolean
  /** Unix seconds: when the first part of the standard collateral runs out. */
  readonly collateralUntil: number
  /** Unix seconds; null where the node is not registered. */
  readonly standingUntil: number | null
}

/**
 * "early": the newest set of levels that Intel serves, what "early" verifiers go by. "standard": the standard set, which
 * takes over the newer ones a year after their event.
 */
export const HORIZONS = ["early", "standard", "collateral", "standing"] as const
export type Horizon = (typeof HORIZONS)[number]

/** One way to fall out. */
export type Outlook = {
  readonly horizon: Horizon
  /**
   * Days until it happens, 0 where it has happened; null where nothing known leads there, or, with `warn`, where it
   * could not be checked.
   */
  readonly days: number | null
  /** Unix seconds. */
  readonly at: number | null
  /** For people. */
  readonly reason: string
  /** Whether an operator has to act. */
  readonly warn: boolean
}

const DAY = 86_400

/**
 * Days before which an operator is warned. A machine's update takes weeks; collateral lives for 30 days and standing
 * for 7, and both are renewed by the node itself, so that only what stays unrenewed is worth a word.
 */
export const WARN_BELOW_DAYS: Readonly<Record<Horizon, number>> = {
  early: 30,
  standard: 30,
  collateral: 7,
  standing: 2,
}

const isAccepted = ({ status }: SetVerdict): boolean => status === "UpToDate"

const describe = ({ number, status, code, advisories }: SetVerdict): string =>
  `${status ?? code ?? "refused"} under set ${number}${advisories.length > 0 ? ` (${advisories.join(", ")})` : ""}`

function outlookOf(horizon: Horizon, at: number | null, time: number, reason: string): Outlook {
  const days = at === null ? null : Math.max(0, (at - time) / DAY)
  return { horizon, days, at, reason, warn: days !== null && days < WARN_BELOW_DAYS[horizon] }
}

/** Sets that Intel lists and no service gives, in order of their number: what they say of the machine is unknown. */
const uncheckedOf = ({ standard, newer, numbers }: OutlookInput): readonly EvaluationNumber[] =>
  numbers.filter(
    ({ number }) => number > standard.number && newer.every((verdict) => verdict.number !== number),
  )

const notChecked = (horizon: Horizon, reason: string): Outlook => ({
  ...{ horizon, days: null, at: null, reason, warn: true },
})

function early(input: OutlookInput): Outlook {
  const { time, standard, newer, newestKnown } = input
  const newest = newer.at(-1) ?? standard
  if (!isAccepted(newest)) return outlookOf("early", time, time, describe(newest))
  if (!newestKnown)
    return notChecked("early", "not checked: no service gives Intel's list of sets or the early set")
  const unchecked = uncheckedOf(input).at(-1)
  if (unchecked !== undefined && unchecked.number > newest.number)
    return notChecked("early", `set ${unchecked.number} is not checked: no service gives it`)
  return outlookOf("early", null, time, describe(newest))
}

/** The first set under which the machine is out, at the time at which it becomes the standard. */
function firstRefusal({ time, newer, numbers }: OutlookInput): Outlook | null {
  const first = newer.find((verdict) => !isAccepted(verdict))
  if (first === undefined) return null
  const known = numbers.find(({ number }) => number === first.number)
  // Without Intel's list the date is unknown: warned of as if it were now.
  const at = known === undefined ? time : known.standardFrom
  const when = known === undefined ? "at a date that Intel's list would tell" : "when it becomes the standard"
  return outlookOf("standard", at, time, `${describe(first)}, ${when}`)
}

/** The first set that nobody could check: warned of however far away, because a service has to be found for it. */
function firstUnchecked(input: OutlookInput): Outlook | null {
  const [first] = uncheckedOf(input)
  if (first === undefined) return null
  const reason = `set ${first.number} is not checked: no service gives it, and then it becomes the standard`
  return { ...outlookOf("standard", first.standardFrom, input.time, reason), warn: true }
}

function standard(input: OutlookInput): Outlook {
  const { time, standard: current, newer } = input
  if (!isAccepted(current)) return outlookOf("standard", time, time, describe(current))
  const [nearest] = [firstRefusal(input), firstUnchecked(input)]
    .filter((danger) => danger !== null)
    .sort(nearestFirst)
  return nearest ?? outlookOf("standard", null, time, describe(newer.at(-1) ?? current))
}

const nearestFirst = (one: Outlook, other: Outlook): number =>
  (one.days ?? Number.POSITIVE_INFINITY) - (other.days ?? Number.POSITIVE_INFINITY) || 0

/** All horizons, the nearest danger first; what nothing leads to is last. */
export function outlook(input: OutlookInput): readonly Outlook[] {
  const { time, collateralUntil, standingUntil } = input
  const all = [
    early(input),
    standard(input),
    outlookOf("collateral", collateralUntil, time, "first part of the collateral runs out"),
    standingUntil === null
      ? outlookOf("standing", null, time, "not registered")
      : outlookOf("standing", standingUntil, time, "standing in the registry ends"),
  ]
  return all.sort(nearestFirst)
}
