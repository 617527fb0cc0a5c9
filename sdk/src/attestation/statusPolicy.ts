/**
 * Which TCB status a verifier accepts (docs/attestation.md §3, 11). A revoked part is never acceptable. An
 * out-of-date part may have a grace period, which runs from the date of the level that replaced it: Intel re-issues
 * its statements every few days, so their date of issue would extend the period for ever.
 */
import { attestationError } from "./errors.ts"
import type { MatchedLevel } from "./tcbLevel.ts"
import { mergeTcbStatus, type TcbStatus } from "./tcbStatus.ts"

export type AcceptableStatus = Exclude<TcbStatus, "Revoked">

export type StatusPolicy = {
  readonly accepted: readonly AcceptableStatus[]
  /** Days for which a part that Intel has replaced counts as current; 0 for none. */
  readonly outOfDateGraceDays: number
  /** Advisories that may apply to the machine; null for any. */
  readonly advisories: readonly string[] | null
}

/** What is judged: the parts of a `VerifiedQuote` that say how good the machine is. */
export type JudgedStatus = {
  readonly status: TcbStatus
  readonly levels: Readonly<Record<"platform" | "module" | "quotingEnclave", MatchedLevel>>
  readonly advisories: readonly string[]
  /** Unix seconds. */
  readonly verifiedAt: number
}

const DAY = 86_400

/** The status without the demand to update. */
function currentStatus(status: TcbStatus): TcbStatus {
  if (status === "OutOfDate") return "UpToDate"
  return status === "OutOfDateConfigurationNeeded" ? "ConfigurationNeeded" : status
}

/** @throws POLICY_TCB_STATUS, POLICY_TCB_GRACE, POLICY_ADVISORY */
export function checkStatus(judged: JudgedStatus, policy: StatusPolicy): void {
  // "Revoked" may stand in a list that was not checked by its type.
  const isAccepted = (status: TcbStatus) =>
    status !== "Revoked" && policy.accepted.some((allowed) => allowed === status)
  if (!isAccepted(judged.status)) {
    const parts = Object.entries(judged.levels)
    const afterUpdate = parts.map(([, level]) => currentStatus(level.status)).reduce(mergeTcbStatus)
    if (policy.outOfDateGraceDays === 0 || !isAccepted(afterUpdate))
      throw attestationError(
        "POLICY_TCB_STATUS",
        `TCB status ${judged.status} is not accepted (${judged.advisories.join(", ") || "no advisories"})`,
      )
    for (const [part, level] of parts) checkGrace(part, level, policy.outOfDateGraceDays, judged.verifiedAt)
  }
  if (policy.advisories !== null) checkAdvisories(judged, policy.advisories)
}

/** @param accepted those that may apply to the machine. @throws POLICY_ADVISORY */
export function checkAdvisories(
  { advisories }: Pick<JudgedStatus, "advisories">,
  accepted: readonly string[],
): void {
  const unknown = advisories.filter((advisory) => !accepted.includes(advisory))
  if (unknown.length > 0)
    throw attestationError("POLICY_ADVISORY", `advisories ${unknown.join(", ")} are not accepted`)
}

function checkGrace(part: string, level: MatchedLevel, days: number, time: number): void {
  if (currentStatus(level.status) === level.status) return
  if (level.supersededAt === null || time > level.supersededAt + days * DAY)
    throw attestationError(
      "POLICY_TCB_GRACE",
      `the level of the ${part} was replaced at ${level.supersededAt}, more than ${days} days before ${time}`,
    )
}
