/**
 * Diagnosis under a reader's own policy: checklist lines 9 to 12. Only what the policy names is checked; a quote
 * without policy is judged by Intel's word alone.
 */
import { fromHex } from "../protocol/codec.ts"
import type { Digest, Hex } from "../protocol/ids.ts"
import { composeHashOfConfigId } from "./composeHash.ts"
import { type AttestationErrorCode, attestationError } from "./errors.ts"
import { type BootFacts, bootFactsOf, parseEventLog, replayRuntimeEvents } from "./eventLog.ts"
import type { Trace } from "./explainTrace.ts"
import { imageIdOf } from "./policy.ts"
import type { TdReport } from "./quote.ts"
import { checkReportData } from "./reportData.ts"
import type { TcbStatus } from "./tcbStatus.ts"
import type { VerifiedQuote } from "./underRoot.ts"

/** Every member is optional: what is absent is not checked. */
export type ExplainPolicy = {
  readonly statuses?: readonly TcbStatus[]
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
  readonly ppids?: { readonly allowed?: readonly Hex[]; readonly denied?: readonly Hex[] }
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
  readonly accepts: (quote: VerifiedQuote) => boolean
  readonly code: AttestationErrorCode
}

const anyOf = (values: readonly string[]): string => {
  if (values.length === 0) return "none is allowed"
  return values.length === 1 ? (values[0] ?? "") : `one of ${values.length}`
}
const isZero = (value: Hex): boolean => /^0x0*$/.test(value)
const hasBits = (value: Hex, wanted: Hex): boolean => (BigInt(value) & BigInt(wanted)) === BigInt(wanted)

function rulesOf(policy: ExplainPolicy, configDocument: Uint8Array | undefined): readonly Rule[] {
  const { statuses, tdAttributes, xfam, ownerZero, images, composeHashes, ppids } = policy
  const composeOf = ({ report }: VerifiedQuote) => composeHashOfConfigId(report.mrConfigId, configDocument)
  const rules: (Rule | false | undefined)[] = [
    statuses && {
      ...{ id: "policy.status", item: 11, title: "TCB status", code: "POLICY_TCB_STATUS" },
      expected: statuses.join(", "),
      found: ({ status }) => status,
      accepts: ({ status }) => statuses.includes(status),
    },
    tdAttributes && {
      ...{ id: "policy.td-attributes", item: 9, title: "TD attributes", code: "POLICY_TD_ATTRIBUTES" },
      expected: anyOf(tdAttributes),
      found: ({ report }) => report.tdAttributes,
      accepts: ({ report }) => tdAttributes.includes(report.tdAttributes),
    },
    xfam && {
      ...{ id: "policy.xfam", item: 9, title: "extended features (XFAM)", code: "POLICY_XFAM" },
      expected: `at least ${xfam.required}, at most ${xfam.allowed}`,
      found: ({ report }) => report.xfam,
      accepts: ({ report }) => hasBits(report.xfam, xfam.required) && hasBits(xfam.allowed, report.xfam),
    },
    ownerZero && {
      ...{ id: "policy.owner", item: 10, title: "owner registers", code: "POLICY_OWNER" },
      expected: "all zero",
      found: ({ report }) =>
        isZero(report.mrOwner) && isZero(report.mrOwnerConfig) ? "all zero" : "not zero",
      accepts: ({ report }) => isZero(report.mrOwner) && isZero(report.mrOwnerConfig),
    },
    images && {
      ...{ id: "policy.image", item: 10, title: "image", code: "POLICY_IMAGE" },
      expected: anyOf(images),
      found: ({ report }) => imageIdOf(report),
      accepts: ({ report }) => images.includes(imageIdOf(report)),
    },
    composeHashes && {
      ...{ id: "policy.compose", item: 10, title: "compose file", code: "POLICY_COMPOSE" },
      expected: anyOf(composeHashes),
      found: composeOf,
      accepts: (quote) => composeHashes.some((hash) => hash === composeOf(quote)),
    },
    ppids && {
      ...{ id: "policy.platform", item: 12, title: "platform (PPID)", code: "POLICY_PLATFORM" },
      expected: ppids.allowed === undefined ? "not a denied one" : anyOf(ppids.allowed),
      found: ({ platform }) => platform.ppid,
      accepts: ({ platform }) =>
        (ppids.allowed?.includes(platform.ppid) ?? true) && !ppids.denied?.includes(platform.ppid),
    },
  ]
  return rules.filter((rule): rule is Rule => typeof rule === "object")
}

/** Lines 9 to 12, as far as the policy names them. */
export function explainPolicy({ trace, policy, quote, configDocument }: PolicyContext): void {
  for (const { id, item, title, expected, found, accepts, code } of rulesOf(policy, configDocument))
    trace.step({
      item,
      needs: { "a genuine quote": quote },
      run: (given) => {
        const value = found(given["a genuine quote"])
        if (!accepts(given["a genuine quote"]))
          throw attestationError(code, `${title} ${value} is not accepted by the policy`)
        return value
      },
      lines: [{ id, title: `policy: ${title}`, expected, found: (value) => value, codes: [] }],
    })
  const { reportData } = policy
  if (reportData === undefined) return
  trace.step({
    item: 10,
    needs: { "a genuine quote": quote },
    run: ({ "a genuine quote": { report } }) => {
      checkReportData(report.reportData, fromHex(reportData))
      return report.reportData
    },
    lines: [
      {
        id: "policy.report-data",
        title: "policy: report data",
        expected: reportData,
        found: (value) => value,
        codes: ["POLICY_REPORT_DATA"],
      },
    ],
  })
}

/** RTMR3 against an event log that came with the quote. @returns what the guest measured while it booted. */
export function explainEventLog(trace: Trace, report: TdReport | null, eventLog: string): BootFacts | null {
  const events = trace.step({
    item: 10,
    needs: { "the quote": report },
    run: ({ "the quote": { rtMr3 } }) => {
      const parsed = parseEventLog(eventLog)
      const replayed = replayRuntimeEvents(parsed)
      if (replayed !== rtMr3)
        throw attestationError("EVENT_LOG_MISMATCH", `the event log replays to ${replayed}`)
      return parsed
    },
    lines: [
      {
        id: "event-log.format",
        title: "event log: well-formed",
        expected: "runtime events of RTMR3",
        found: (parsed) => `${parsed.length} events`,
        codes: ["EVENT_LOG_MALFORMED"],
      },
      {
        id: "event-log.replay",
        title: "event log: replays to RTMR3",
        expected: report?.rtMr3 ?? "RTMR3",
        found: () => "equal, every digest recomputed",
        codes: ["EVENT_LOG_MISMATCH"],
      },
    ],
  })
  return trace.step({
    item: 10,
    needs: { "the event log": events },
    run: (given) => bootFactsOf(given["the event log"]),
    lines: [
      {
        id: "event-log.facts",
        title: "event log: facts of the boot",
        expected: "each once, before system-ready",
        found: ({ composeHash }) => `compose hash ${composeHash}`,
        codes: [],
      },
    ],
  })
}
