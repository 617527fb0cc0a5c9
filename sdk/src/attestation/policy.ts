/**
 * The verifier's own judgement of a verified quote (attestation.md §3.5 items 9 to 12 and §6.2): status, attributes,
 * who is measured and in which role, on which machine, and what the quote was made for. It mirrors the rules of the
 * on-chain registry, so that peers never accept what the contract would refuse.
 */
import { concatBytes, fromHex, keccak } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import { composeHashOfConfigId } from "./composeHash.ts"
import { attestationError } from "./errors.ts"
import { type BootFacts, bootFactsOf, parseEventLog, replayRuntimeEvents } from "./eventLog.ts"
import type { TdReport } from "./quote.ts"
import { checkReportData } from "./reportData.ts"
import type { Role } from "./role.ts"
import type { TcbStatus } from "./tcbStatus.ts"
import type { VerifiedQuote } from "./underRoot.ts"

/** One entry of the on-chain allow-list: the role is joined to the measurement (amendment 5). */
export type AllowListEntry = {
  readonly role: Role
  /** keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2): firmware, machine shape, kernel, root file system. */
  readonly imageId: Digest
  readonly composeHash: Digest
  /** keccak256 of the key provider's JSON in the event log. */
  readonly providerId: Digest
  readonly version: number
}

export type AttestationPolicy = {
  /** A revoked TCB is never acceptable. */
  readonly statuses: readonly Exclude<TcbStatus, "Revoked">[]
  /** Exact values, 8 bytes each. */
  readonly tdAttributes: readonly Hex[]
  readonly xfam: readonly Hex[]
  readonly entries: readonly AllowListEntry[]
  /** Machines that are out for good. */
  readonly deniedPpids: readonly Hex[]
}

/** Strict defaults of attestation.md §6.2; entries and denied machines come from the registry. */
export const DEFAULT_POLICY: AttestationPolicy = {
  statuses: ["UpToDate"],
  tdAttributes: ["0x0000001000000000"],
  xfam: [
    "0xe702060000000000",
    "0x0702000000000000",
    "0xe718060000000000",
    "0xe742060000000000",
    "0xe700060000000000",
  ],
  entries: [],
  deniedPpids: [],
}

export const imageIdOf = (report: Pick<TdReport, "mrTd" | "rtMr0" | "rtMr1" | "rtMr2">): Digest =>
  keccak(concatBytes(...[report.mrTd, report.rtMr0, report.rtMr1, report.rtMr2].map(fromHex)))

function checkMachine(quote: VerifiedQuote, policy: AttestationPolicy): void {
  const { report, platform, status } = quote
  if (!policy.statuses.some((allowed) => allowed === status))
    throw attestationError(
      "POLICY_TCB_STATUS",
      `TCB status ${status} is not accepted (${quote.advisories.join(", ") || "no advisories"})`,
    )
  if (!policy.tdAttributes.includes(report.tdAttributes))
    throw attestationError("POLICY_TD_ATTRIBUTES", `TD attributes ${report.tdAttributes} are not accepted`)
  if (!policy.xfam.includes(report.xfam))
    throw attestationError("POLICY_XFAM", `extended features ${report.xfam} are not accepted`)
  if (!/^0x0*$/.test(report.mrOwner) || !/^0x0*$/.test(report.mrOwnerConfig))
    throw attestationError("POLICY_OWNER", "owner registers must be zero")
  if (policy.deniedPpids.includes(platform.ppid))
    throw attestationError("POLICY_PLATFORM", `platform ${platform.ppid} is denied`)
}

function entriesOf(report: TdReport, policy: AttestationPolicy, role: Role): readonly AllowListEntry[] {
  const imageId = imageIdOf(report)
  const composeHash = composeHashOfConfigId(report.mrConfigId)
  const images = policy.entries.filter((entry) => entry.role === role && entry.imageId === imageId)
  if (images.length === 0)
    throw attestationError("POLICY_IMAGE", `image ${imageId} is not on the allow-list for a ${role}`)
  const entries = images.filter((entry) => entry.composeHash === composeHash)
  if (entries.length === 0)
    throw attestationError(
      "POLICY_COMPOSE",
      `compose file ${composeHash} is not on the allow-list for a ${role}`,
    )
  return entries
}

/**
 * Judges what the quote says, without an event log: the same facts that the contract sees.
 * @param expected.reportData 64 bytes, from `reportData.ts`.
 * @returns the allow-list entries that the quote matches; several only where they differ in the key provider.
 * @throws POLICY_*, CONFIG_ID_*
 */
export function appraiseQuote(
  quote: VerifiedQuote,
  policy: AttestationPolicy,
  expected: { readonly role: Role; readonly reportData: Uint8Array },
): readonly AllowListEntry[] {
  checkMachine(quote, policy)
  const entries = entriesOf(quote.report, policy, expected.role)
  checkReportData(quote.report.reportData, expected.reportData)
  return entries
}

export type AppraisedBoot = { readonly facts: BootFacts; readonly entry: AllowListEntry }

/**
 * Judges the boot that RTMR3 measured: the log must replay to the quoted register, agree with the bound compose file
 * and name the key provider of an allow-list entry.
 * @param entries those that `appraiseQuote` found.
 * @throws EVENT_LOG_*, CONFIG_ID_MISMATCH, POLICY_KEY_PROVIDER
 */
export function appraiseEventLog(
  quote: VerifiedQuote,
  entries: readonly AllowListEntry[],
  eventLog: string,
): AppraisedBoot {
  const events = parseEventLog(eventLog)
  const replayed = replayRuntimeEvents(events)
  if (replayed !== quote.report.rtMr3)
    throw attestationError(
      "EVENT_LOG_MISMATCH",
      `the event log replays to ${replayed}, RTMR3 is ${quote.report.rtMr3}`,
    )
  const facts = bootFactsOf(events)
  const bound = composeHashOfConfigId(quote.report.mrConfigId)
  if (facts.composeHash !== bound)
    throw attestationError(
      "CONFIG_ID_MISMATCH",
      `the guest booted compose file ${facts.composeHash}, its quote binds ${bound}`,
    )
  const entry = entries.find((candidate) => candidate.providerId === facts.providerId)
  if (!entry)
    throw attestationError(
      "POLICY_KEY_PROVIDER",
      `key provider ${facts.providerId} is not that of the allow-list entry`,
    )
  return { facts, entry }
}
