/**
 * The verifier's own judgement of a verified quote (docs/attestation.md §3, 9 to 12): status, attributes,
 * who is measured and in which role, on which machine, and what the quote was made for. It mirrors the rules of the
 * on-chain registry, so that peers never accept what the contract would refuse.
 */
import { concatBytes, fromHex, keccak } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import { composeHashOfConfigId } from "./composeHash.ts"
import { type ConfigDocument, parseConfigDocument } from "./configDocument.ts"
import { attestationError } from "./errors.ts"
import { type BootFacts, bootFactsOf, verifyEventLog } from "./eventLog.ts"
import { ANY_PLATFORM, checkPlatformPolicy, type PlatformPolicy } from "./platformPolicy.ts"
import type { TdReport } from "./quote.ts"
import { checkReportData } from "./reportData.ts"
import type { Role } from "./role.ts"
import { checkStatus, type StatusPolicy } from "./statusPolicy.ts"
import type { VerifiedQuote } from "./underRoot.ts"

/** One entry of the on-chain allow-list: the role is joined to the measurement (docs/attestation.md §6). */
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
  readonly status: StatusPolicy
  /** Exact values, 8 bytes each. */
  readonly tdAttributes: readonly Hex[]
  /** Bits of the extended features (8 bytes) that must and that may be set. */
  readonly xfam: { readonly required: Hex; readonly allowed: Hex }
  readonly platform: PlatformPolicy
  /** The registry holds one active entry per role, image and compose file. */
  readonly entries: readonly AllowListEntry[]
}

/** What the registry's quote verifier demands; entries and denied machines come from the registry. */
export const DEFAULT_POLICY: AttestationPolicy = {
  status: { accepted: ["UpToDate"], outOfDateGraceDays: 0, advisories: null },
  tdAttributes: ["0x0000001000000000"],
  // x87 and SSE always; AVX, AVX-512, PKRU, CET, user interrupts and AMX as the host offers them
  xfam: { required: "0x0300000000000000", allowed: "0xe75a060000000000" },
  platform: ANY_PLATFORM,
  entries: [],
}

export const imageIdOf = (report: Pick<TdReport, "mrTd" | "rtMr0" | "rtMr1" | "rtMr2">): Digest =>
  keccak(concatBytes(...[report.mrTd, report.rtMr0, report.rtMr1, report.rtMr2].map(fromHex)))

/** True where every bit of `wanted` is set in `value`. */
const hasBits = (value: Hex, wanted: Hex): boolean => (BigInt(value) & BigInt(wanted)) === BigInt(wanted)

/** What runs in a trust domain. */
export type MachineFacts = { readonly imageId: Digest; readonly composeHash: Digest }

/**
 * Judges the trust domain itself, by exactly the rules of the contract's `QuoteVerifier.verify`: attributes, extended
 * features, owner fields, bound compose file. Status, platform, allow-list and report data are judged by the
 * registry there and by `appraiseQuote` here.
 * @param configDocument exact bytes, only where mr_config_id has version 3.
 * @throws POLICY_TD_ATTRIBUTES, POLICY_XFAM, POLICY_OWNER, CONFIG_ID_*, CONFIG_DOCUMENT_*
 */
export function appraiseMachine(
  { report }: Pick<VerifiedQuote, "report">,
  policy: AttestationPolicy = DEFAULT_POLICY,
  configDocument?: Uint8Array,
): MachineFacts {
  if (!policy.tdAttributes.includes(report.tdAttributes))
    throw attestationError("POLICY_TD_ATTRIBUTES", `TD attributes ${report.tdAttributes} are not accepted`)
  const { required, allowed } = policy.xfam
  if (!hasBits(report.xfam, required) || !hasBits(allowed, report.xfam))
    throw attestationError("POLICY_XFAM", `extended features ${report.xfam} are not accepted`)
  if (!/^0x0*$/.test(report.mrOwner) || !/^0x0*$/.test(report.mrOwnerConfig))
    throw attestationError("POLICY_OWNER", "owner registers must be zero")
  return {
    imageId: imageIdOf(report),
    composeHash: composeHashOfConfigId(report.mrConfigId, configDocument),
  }
}

function entryOf(
  { imageId, composeHash }: MachineFacts,
  policy: AttestationPolicy,
  role: Role,
): AllowListEntry {
  const images = policy.entries.filter((entry) => entry.role === role && entry.imageId === imageId)
  if (images.length === 0)
    throw attestationError("POLICY_IMAGE", `image ${imageId} is not on the allow-list for a ${role}`)
  const entry = images.find((candidate) => candidate.composeHash === composeHash)
  if (!entry)
    throw attestationError(
      "POLICY_COMPOSE",
      `compose file ${composeHash} is not on the allow-list for a ${role}`,
    )
  return entry
}

/**
 * Judges what the quote says, without an event log: the same facts that the contract sees.
 * @param expected.reportData 64 bytes, from `reportData.ts`.
 * @param expected.configDocument exact bytes, only where mr_config_id has version 3.
 * @returns the allow-list entry that the quote matches.
 * @throws POLICY_*, CONFIG_ID_*, CONFIG_DOCUMENT_*
 */
export function appraiseQuote(
  quote: VerifiedQuote,
  policy: AttestationPolicy,
  expected: { readonly role: Role; readonly reportData: Uint8Array; readonly configDocument?: Uint8Array },
): AllowListEntry {
  checkStatus(quote, policy.status)
  checkPlatformPolicy(quote.platform, policy.platform)
  const facts = appraiseMachine(quote, policy, expected.configDocument)
  const entry = entryOf(facts, policy, expected.role)
  checkReportData(quote.report.reportData, expected.reportData)
  return entry
}

/**
 * Judges the boot that RTMR3 measured: the log must replay to the quoted register, agree with the bound compose file
 * and name the key provider of the allow-list entry.
 * @param entry that `appraiseQuote` found.
 * @throws EVENT_LOG_*, CONFIG_ID_MISMATCH, POLICY_KEY_PROVIDER
 */
export function appraiseEventLog(
  quote: Pick<VerifiedQuote, "report">,
  entry: AllowListEntry,
  eventLog: string,
  configDocument?: Uint8Array,
): BootFacts {
  const facts = bootFactsOf(verifyEventLog(eventLog, quote.report.rtMr3))
  checkBoot(facts, composeHashOfConfigId(quote.report.mrConfigId, configDocument), configDocument)
  checkProvider(facts, [entry.providerId])
  return facts
}

/**
 * The boot must be the one that the quote binds.
 * @param bound compose hash of mr_config_id. @throws CONFIG_ID_MISMATCH
 */
export function checkBoot(facts: BootFacts, bound: Digest, configDocument?: Uint8Array): void {
  if (facts.composeHash !== bound)
    throw attestationError(
      "CONFIG_ID_MISMATCH",
      `the guest booted compose file ${facts.composeHash}, its quote binds ${bound}`,
    )
  if (configDocument && configDocument.length > 0) checkInstance(facts, parseConfigDocument(configDocument))
}

/** @throws POLICY_KEY_PROVIDER */
export function checkProvider({ providerId }: BootFacts, accepted: readonly Digest[]): void {
  if (!accepted.includes(providerId))
    throw attestationError(
      "POLICY_KEY_PROVIDER",
      `key provider ${providerId} is not accepted, want ${accepted.join(" or ") || "none"}`,
    )
}

/** The document of version 3 names the instance, too. @throws CONFIG_ID_MISMATCH */
function checkInstance(facts: BootFacts, { appId, instanceId }: ConfigDocument): void {
  if (facts.appId !== appId || facts.instanceId !== instanceId)
    throw attestationError(
      "CONFIG_ID_MISMATCH",
      `instance ${facts.instanceId} of app ${facts.appId} booted, bound is ${instanceId} of ${appId}`,
    )
}
