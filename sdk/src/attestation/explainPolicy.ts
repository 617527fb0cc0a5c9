/**
 * Diagnosis under a reader's own policy: checklist lines 9 to 12. Only what the policy names is checked; a quote
 * without policy is judged by Intel's word alone.
 */
import { fromHex } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import type { ComposePolicy } from "./composeFile.ts"
import { composeHashOfConfigId } from "./composeHash.ts"
import { type AttestationErrorCode, attestationError } from "./errors.ts"
import type { Line, Trace } from "./explainTrace.ts"
import { checkPlatformPolicy } from "./platformPolicy.ts"
import { imageIdOf } from "./policy.ts"
import { checkReportData } from "./reportData.ts"
import { type AcceptableStatus, checkAdvisories, checkStatus } from "./statusPolicy.ts"
import type { VerifiedQuote } from "./underRoot.ts"

export type MachineLists = { readonly allowed?: readonly Hex[]; readonly denied?: readonly Hex[] }

/** Every member is optional: what is absent is not checked. */
export type ExplainPolicy = {
  readonly statuses?: readonly AcceptableStatus[]
  /** Days for which a part that Intel has replaced counts as current; only beside `statuses`. */
  readonly outOfDateGraceDays?: number
  /** Advisories that may apply to the machine. */
  readonly advisories?: readonly string[]
  /** Smallest accepted evaluation numbers. */
  readonly floors?: { readonly tcb: number; readonly qe: number }
  /** Exact values, 8 bytes each. */
  readonly tdAttributes?: readonly Hex[]
  /** Bits of the extended features that must and that may be set. */
  readonly xfam?: { readonly required: Hex; readonly allowed: Hex }
  /** Whether mrOwner and mrOwnerConfig must be zero. */
  readonly ownerZero?: boolean
  /** keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2). */
  readonly images?: readonly Digest[]
  /** SHA-256 of app-compose.json, bound by mr_config_id. */
  readonly composeHashes?: readonly Digest[]
  /** Rules on app-compose.json itself. */
  readonly compose?: ComposePolicy
  /** keccak256 of the key provider's JSON, which the event log carries. */
  readonly providers?: readonly Digest[]
  /** Processor packages, 16 bytes each. */
  readonly ppids?: MachineLists
  /** Platform instances, 16 bytes each. */
  readonly piids?: MachineLists
  /** 64 bytes. */
  readonly reportData?: Hex
}

export type PolicyContext = {
  readonly trace: Trace
  readonly policy: ExplainPolicy
  /** Null where the quote is not genuine: then nothing of the policy is judged. */
  readonly quote: VerifiedQuote | null
  /** Document behind mr_config_id of version 3. */
  readonly configDocument: Uint8Array | undefined
}

type Rule = {
  readonly id: string
  readonly item: number
  readonly title: string
  readonly expected: string
  readonly found: (quote: VerifiedQuote) => string
  /** Throws the verifier's error. */
  readonly check: (quote: VerifiedQuote) => void
}

export const anyOf = (values: readonly string[]): string => {
  if (values.length === 0) return "none is allowed"
  return values.length === 1 ? (values[0] ?? "") : `one of ${values.length}`
}
const isZero = (value: Hex): boolean => /^0x0*$/.test(value)
const hasBits = (value: Hex, wanted: Hex): boolean => (BigInt(value) & BigInt(wanted)) === BigInt(wanted)
const listed = ({ allowed }: MachineLists): string =>
  allowed === undefined ? "not a denied one" : anyOf(allowed)

/** A rule on one value. */
const compared = (
  [id, item, title, code]: readonly [string, number, string, AttestationErrorCode],
  expected: string,
  found: Rule["found"],
  accepts: (quote: VerifiedQuote) => boolean,
): Rule => ({
  ...{ id, item, title, expected, found },
  check: (quote) => {
    if (!accepts(quote))
      throw attestationError(code, `${title} ${found(quote)} is not accepted by the policy`)
  },
})

function statusRules(policy: ExplainPolicy): readonly (Rule | undefined)[] {
  const { statuses, outOfDateGraceDays = 0, advisories } = policy
  return [
    statuses && {
      ...{ id: "policy.status", item: 11, title: "TCB status" },
      expected:
        statuses.join(", ") + (outOfDateGraceDays > 0 ? `, or replaced ${outOfDateGraceDays} days ago` : ""),
      found: ({ status }) => status,
      check: (quote) => checkStatus(quote, { accepted: statuses, outOfDateGraceDays, advisories: null }),
    },
    advisories && {
      ...{ id: "policy.advisories", item: 11, title: "advisories" },
      expected: advisories.length === 0 ? "none" : `none but ${advisories.length} known`,
      found: (quote) => quote.advisories.join(", ") || "none",
      check: (quote) => checkAdvisories(quote, advisories),
    },
  ]
}

function machineRules({ ppids, piids }: ExplainPolicy): readonly (Rule | undefined)[] {
  const lists = (name: "Ppids" | "Piids", { allowed, denied }: MachineLists = {}) => ({
    [`allowed${name}`]: allowed ?? null,
    [`denied${name}`]: denied ?? [],
  })
  const check =
    (own: { readonly ppids?: MachineLists; readonly piids?: MachineLists }): Rule["check"] =>
    ({ platform }) =>
      checkPlatformPolicy(platform, {
        ...lists("Ppids", own.ppids),
        ...lists("Piids", own.piids),
        piid: "optional",
      } as Parameters<typeof checkPlatformPolicy>[1])
  return [
    ppids && {
      ...{ id: "policy.ppid", item: 12, title: "machine (PPID)", expected: listed(ppids) },
      found: ({ platform }) => platform.ppid,
      check: check({ ppids }),
    },
    piids && {
      ...{ id: "policy.piid", item: 12, title: "platform instance (PIID)", expected: listed(piids) },
      found: ({ platform }) => platform.piid ?? "none",
      check: check({ piids }),
    },
  ]
}

function rulesOf(policy: ExplainPolicy, configDocument: Uint8Array | undefined): readonly Rule[] {
  const { tdAttributes, xfam, ownerZero, images, composeHashes } = policy
  const composeOf = ({ report }: VerifiedQuote) => composeHashOfConfigId(report.mrConfigId, configDocument)
  const rules: readonly (Rule | false | undefined)[] = [
    ...statusRules(policy),
    tdAttributes &&
      compared(
        ["policy.td-attributes", 9, "TD attributes", "POLICY_TD_ATTRIBUTES"],
        anyOf(tdAttributes),
        ({ report }) => report.tdAttributes,
        ({ report }) => tdAttributes.includes(report.tdAttributes),
      ),
    xfam &&
      compared(
        ["policy.xfam", 9, "extended features (XFAM)", "POLICY_XFAM"],
        `at least ${xfam.required}, at most ${xfam.allowed}`,
        ({ report }) => report.xfam,
        ({ report }) => hasBits(report.xfam, xfam.required) && hasBits(xfam.allowed, report.xfam),
      ),
    ownerZero &&
      compared(
        ["policy.owner", 10, "owner registers", "POLICY_OWNER"],
        "all zero",
        ({ report }) => (isZero(report.mrOwner) && isZero(report.mrOwnerConfig) ? "all zero" : "not zero"),
        ({ report }) => isZero(report.mrOwner) && isZero(report.mrOwnerConfig),
      ),
    images &&
      compared(
        ["policy.image", 10, "image", "POLICY_IMAGE"],
        anyOf(images),
        ({ report }) => imageIdOf(report),
        ({ report }) => images.includes(imageIdOf(report)),
      ),
    composeHashes &&
      compared(
        ["policy.compose", 10, "compose file", "POLICY_COMPOSE"],
        anyOf(composeHashes),
        composeOf,
        (quote) => composeHashes.includes(composeOf(quote)),
      ),
    ...machineRules(policy),
  ]
  return rules.filter((rule): rule is Rule => typeof rule === "object")
}

/** Lines 9 to 12, as far as the policy names them. */
export function explainPolicy({ trace, policy, quote, configDocument }: PolicyContext): void {
  const step = (item: number, line: Line<string>, run: (quote: VerifiedQuote) => string): void => {
    trace.step({
      item,
      needs: { "a genuine quote": quote },
      run: (given) => run(given["a genuine quote"]),
      lines: [line],
    })
  }
  const found = (value: string): string => value
  for (const rule of rulesOf(policy, configDocument)) {
    const { id, title, expected } = rule
    step(rule.item, { id, title: `policy: ${title}`, expected, found, codes: [] }, (given) => {
      rule.check(given)
      return rule.found(given)
    })
  }
  const { reportData } = policy
  if (reportData === undefined) return
  const line = {
    id: "policy.report-data",
    title: "policy: report data",
    expected: reportData,
    found,
    codes: [],
  }
  step(10, line, ({ report }) => {
    checkReportData(report.reportData, fromHex(reportData))
    return report.reportData
  })
}
