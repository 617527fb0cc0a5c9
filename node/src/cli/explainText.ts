/** A diagnosis as text for a terminal of 80 to 120 columns: checks, decoded fields, and the verdict at the end. */
import type { DecodedLevel, NamedBit } from "@twinlock/sdk/attestation/explainDecoded"
import { isoDate } from "@twinlock/sdk/attestation/explainFormat"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { AdvisedCheck, AdvisedExplanation } from "./explainAdvice.ts"
import { type Paint, paintOf, printable, shorten, wrap } from "./terminal.ts"

export type TextOptions = {
  readonly columns: number
  readonly colour: boolean
}

const SECTIONS: Readonly<Record<string, string>> = {
  quote: "Layout of the quote",
  "pck-crl": "Collateral",
  "root-crl": "Collateral",
  "tcb-info": "Collateral",
  "qe-identity": "Collateral",
  chain: "Certificates of the quote",
  platform: "Certificates of the quote",
  signature: "Signatures",
  td: "Trust domain",
  tcb: "TCB levels",
  module: "TCB levels",
  qe: "TCB levels",
  policy: "Policy",
  boot: "Boot",
  "event-log": "Event log",
}
const TITLE_WIDTH = 38

const sectionOf = ({ id }: AdvisedCheck): string => SECTIONS[id.split(".")[0] ?? ""] ?? ""

function describeCheck(check: AdvisedCheck, columns: number, paint: Paint): readonly string[] {
  const { item, title, status, expected, found, code, reason, advice } = check
  const start = `  ${String(item).padStart(2)} `
  const name = shorten(title, TITLE_WIDTH - 1).padEnd(TITLE_WIDTH)
  const room = columns - start.length - 2 - TITLE_WIDTH
  switch (status) {
    case "passed": {
      const value = shorten(printable(found ?? ""), room)
      const wanted = expected === found ? "" : `  (want ${expected})`
      const rest = value.length + wanted.length <= room ? wanted : ""
      return [`${start}${paint("✓", "green")} ${name}${value}${paint(rest, "dim")}`]
    }
    case "not-checked":
      return [paint(`${start}– ${name}${shorten(`not checked: ${reason ?? ""}`, room)}`, "dim")]
    case "failed":
      return [
        `${start}${paint("✗", "red")} ${name}${paint(code ?? "", "red")}`,
        ...detail("expected", expected, columns),
        ...(found === null ? [] : detail("found", found, columns)),
        ...detail("why", withDates(reason ?? ""), columns),
        ...detail("what to do", advice ?? "", columns),
      ]
    default:
      return assertNever(status)
  }
}

/** The verifier speaks of unix seconds. */
const withDates = (text: string): string =>
  text.replace(/\b(from|until|at|to) (\d{9,10})\b/g, (_, word, time) => `${word} ${isoDate(Number(time))}`)

const detail = (name: string, text: string, columns: number): readonly string[] =>
  wrap(printable(text), columns - 20).map(
    (line, index) => `       ${(index === 0 ? name : "").padEnd(13)}${line}`,
  )

function describeChecks({ checks }: AdvisedExplanation, columns: number, paint: Paint): readonly string[] {
  const lines = [paint("Checks (number: line of the checklist)", "bold")]
  let section = ""
  for (const check of checks) {
    const own = sectionOf(check)
    if (own !== section) lines.push(paint(own, "bold"))
    section = own
    lines.push(...describeCheck(check, columns, paint))
  }
  return lines
}

const bits = (named: readonly NamedBit[]): string =>
  named.flatMap(({ bit, name, set }) => (set ? [`${name} (${bit})`] : [])).join(", ") || "none"

type Field = readonly [name: string, value: string | number | null]

function fieldsOf(explanation: AdvisedExplanation): readonly (readonly [string, readonly Field[]])[] {
  const { quote, platform, collateral, boot } = explanation
  const groups: [string, readonly Field[]][] = []
  if (quote !== null) {
    const { module, tdAttributes, xfam, mrConfigId, quotingEnclave } = quote
    groups.push([
      "Quote",
      [
        ["version", `${quote.version}, ${quote.body}`],
        ["report data", quote.reportData],
        ["TDX module", `version ${module.version}, SVN ${module.svn}`],
        ["TEE TCB SVN", quote.teeTcbSvn.join(".")],
        ["TD attributes", tdAttributes.raw],
        ["", `set: ${bits(tdAttributes.bits)}`],
        ["", `clear: ${clear(tdAttributes.bits)}`],
        ["XFAM", xfam.raw],
        ["", `set: ${bits(xfam.bits)}`],
        ["", `clear: ${clear(xfam.bits)}`],
        ["MRTD", quote.mrTd],
        ["RTMR0", quote.rtMr0],
        ["RTMR1", quote.rtMr1],
        ["RTMR2", quote.rtMr2],
        ["RTMR3", quote.rtMr3],
        ["image id", quote.imageId],
        ["MRCONFIGID", mrConfigId.raw],
        ["", mrConfigId.hash === null ? mrConfigId.kind : `${mrConfigId.kind}: ${mrConfigId.hash}`],
        ["MROWNER", zeroOr(quote.mrOwner)],
        ["MROWNERCONFIG", zeroOr(quote.mrOwnerConfig)],
        ["MRSERVICETD", quote.mrServiceTd === null ? null : zeroOr(quote.mrServiceTd)],
        ["MRSEAM", quote.mrSeam],
        ["MRSIGNERSEAM", zeroOr(quote.mrSignerSeam)],
        ["SEAM attributes", quote.seamAttributes],
        ["QE SVN, PCE SVN", `${quote.qeSvn}, ${quote.pceSvn} (header, informative)`],
        ["user data", quote.userData],
        ["QE", `product ${quotingEnclave.isvProdId}, SVN ${quotingEnclave.isvSvn}`],
        ["QE signer", quotingEnclave.mrSigner],
        ["QE measurement", quotingEnclave.mrEnclave],
        ["QE attributes", `${quotingEnclave.attributes}, miscselect ${quotingEnclave.miscSelect}`],
      ],
    ])
  }
  if (platform !== null)
    groups.push([
      "Platform",
      [
        ["FMSPC, PCE id", `${platform.fmspc}, ${platform.pceId}`],
        ["PPID", platform.ppid],
        ["PIID", platform.piid],
        ["CPU SVN, PCE SVN", `${platform.cpuSvn.join(".")}, ${platform.pceSvn}`],
        ["PCK certificate", `serial ${platform.pckSerial}`],
        ["PCK authority", platform.pckAuthority],
      ],
    ])
  if (collateral !== null) {
    const { levels } = collateral
    groups.push([
      "TCB",
      [
        ["platform", describeLevel(levels.platform)],
        ["TDX module", describeLevel(levels.module)],
        ["quoting enclave", describeLevel(levels.quotingEnclave)],
        ["advisories", explanation.advisories.join(", ") || null],
        ["evaluation number", collateral.evaluationNumber],
        ["of the QE identity", collateral.qeEvaluationNumber],
      ],
    ])
    groups.push(["Runs out", Object.entries(collateral.expiries)])
  }
  if (boot !== null)
    groups.push([
      "Boot, as RTMR3 measured it",
      [
        ["app id", boot.appId],
        ["compose hash", boot.composeHash],
        ["instance id", boot.instanceId],
        ["key provider id", boot.providerId],
      ],
    ])
  return groups
}

const describeLevel = (level: DecodedLevel | null): string | null =>
  level === null ? null : `${level.status}, TCB date ${level.tcbDate.slice(0, 10)}`

const clear = (named: readonly NamedBit[]): string =>
  named.flatMap(({ bit, name, set }) => (set ? [] : [`${name} (${bit})`])).join(", ") || "none"

const zeroOr = (hex: string): string => (/^0x0*$/.test(hex) ? "zero" : hex)

function describeFields(explanation: AdvisedExplanation, columns: number, paint: Paint): readonly string[] {
  const groups = fieldsOf(explanation).filter(([, fields]) => fields.some(([, value]) => value !== null))
  const note = explanation.verdict === "refused" ? "  as written: a refused quote proves nothing" : ""
  return groups.flatMap(([name, fields], index) => [
    paint(name, "bold") + (index === 0 ? paint(note, "dim") : ""),
    ...fields.flatMap(([field, value]) =>
      value === null
        ? []
        : wrap(printable(String(value)), columns - 22).map(
            (line, index) => `  ${(index === 0 ? field : "").padEnd(20)}${line}`,
          ),
    ),
  ])
}

function verdictLine({ verdict, failure, status }: AdvisedExplanation, paint: Paint): string {
  switch (verdict) {
    case "up-to-date":
      return paint("GENUINE, UpToDate", "green", "bold")
    case "genuine":
      return status === "Revoked"
        ? paint("GENUINE, but Revoked: IT MUST NEVER BE ACCEPTED", "red", "bold")
        : paint(`GENUINE, but ${status ?? ""}`, "yellow", "bold")
    case "refused":
      return paint(`REFUSED: ${failure?.code ?? ""}`, "red", "bold")
    default:
      return assertNever(verdict)
  }
}

function describeVerdict(explanation: AdvisedExplanation, columns: number, paint: Paint): readonly string[] {
  const { checks, failure, time, expiresAt, advisories, collateral } = explanation
  const count = (status: AdvisedCheck["status"]) => checks.filter((check) => check.status === status).length
  const lines: Field[] = [
    ["judged at", isoDate(time)],
    ["checks", `${count("passed")} passed, ${count("failed")} failed, ${count("not-checked")} not checked`],
  ]
  if (failure === null) {
    const { evaluationNumber, qeEvaluationNumber } = collateral ?? {}
    lines.push([
      "evaluation number",
      `${evaluationNumber ?? ""}, of the QE identity ${qeEvaluationNumber ?? ""}`,
    ])
    if (advisories.length > 0) lines.push(["advisories", advisories.join(", ")])
    if (expiresAt !== null) lines.push(["holds until", isoDate(expiresAt)])
  } else lines.push(["why", withDates(failure.reason)], ["what to do", failure.advice])
  return [
    verdictLine(explanation, paint),
    ...lines.flatMap(([name, value]) =>
      wrap(printable(String(value)), columns - 22).map(
        (line, index) => `  ${(index === 0 ? name : "").padEnd(20)}${line}`,
      ),
    ),
  ]
}

/** The whole diagnosis; colour only where asked for. */
export function describeExplanation(explanation: AdvisedExplanation, options: TextOptions): string {
  const columns = Math.min(120, Math.max(80, options.columns))
  const paint = paintOf(options.colour)
  return [
    ...describeChecks(explanation, columns, paint),
    "",
    ...describeFields(explanation, columns, paint),
    "",
    ...describeVerdict(explanation, columns, paint),
  ].join("\n")
}
