/** A judged transcript as text for a terminal of 80 to 120 columns: the steps, the key, and the verdict at the end. */

import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { OpenQuestion } from "../ceremony/verify/assurance.ts"
import type { StepResult } from "../ceremony/verify/step.ts"
import type { TextOptions } from "./explainText.ts"
import { type Paint, paintOf, printable, wrap } from "./terminal.ts"
import type { CeremonyAudit } from "./verifyCeremony.ts"

const INDENT = 5
const NAME_WIDTH = 20

const indented = (text: string, columns: number, first = " ".repeat(INDENT)): readonly string[] =>
  wrap(printable(text), columns - INDENT).map((line, at) => (at === 0 ? first : " ".repeat(INDENT)) + line)

function describeStep(step: StepResult, columns: number, paint: Paint): readonly string[] {
  const { title, meaning } = step
  const means = indented(meaning, columns).map((line) => paint(line, "dim"))
  switch (step.status) {
    case "passed":
      return [`  ${paint("✓", "green")}  ${paint(title, "bold")}`, ...means, ...indented(step.found, columns)]
    case "not-checked":
      return indented(`${title}: not checked, ${step.reason}`, columns, "  –  ").map((line) =>
        paint(line, "dim"),
      )
    case "failed":
    case "unreachable":
      return [
        `  ${paint("✗", "red")}  ${paint(title, "bold")}  ${paint(step.code, "red")}`,
        ...means,
        ...indented(step.reason, columns),
      ]
    default:
      return assertNever(step)
  }
}

type Field = readonly [name: string, value: string]

const fields = (rows: readonly Field[], columns: number): readonly string[] =>
  rows.flatMap(([name, value]) =>
    wrap(printable(value), columns - NAME_WIDTH - 2).map(
      (line, at) => `  ${(at === 0 ? name : "").padEnd(NAME_WIDTH)}${line}`,
    ),
  )

function describeKey({ key, verdict }: CeremonyAudit, columns: number, paint: Paint): readonly string[] {
  if (key === null) return []
  const note = verdict === "refused" ? "  as written: a refused transcript proves nothing" : ""
  const rows: readonly Field[] = [
    ["key id", key.keyId],
    ["epoch", String(key.epoch)],
    ["chain", key.chainId],
    ["contract", key.verifyingContract],
    ["committee", `${key.n} parties, ${key.t} of them may lie`],
    ...key.parties.map((party, at): Field => [at === 0 ? "parties" : "", `${at + 1}  ${party}`]),
    ...key.executors.map((executor, at): Field => [at === 0 ? "executors" : "", executor]),
    ["public key", key.publicKeyDigest],
    ["server key", key.serverKeyDigest],
    ["CRS", key.crsDigest],
    ["transcript", key.transcriptDigest],
    ["group key", `${key.groupX}, parity ${key.groupV}`],
  ]
  return ["", paint("Key", "bold") + paint(note, "dim"), ...fields(rows, columns)]
}

const SEALED: Field = ["not shown", "what parties sealed to each other: only its hashes are public"]
const NEXT: Field = [
  "next",
  "ask the chain with --rpc and your own --deployment; or compare parties or the transcript's digest with a source that you trust, and name them with images, composeHashes and providers in --policy. Key id and contract prove nothing: anybody can copy them",
]

const notAsked = (steps: readonly StepResult[]): readonly Field[] => {
  const titles = steps.flatMap(({ title, status }) => (status === "not-checked" ? [title] : []))
  return titles.length === 0 ? [] : [["not checked", titles.join(", ")]]
}

function describeQuestion(question: OpenQuestion): Field {
  switch (question) {
    case "key":
      return ["open", "whether this is the key that you mean: you named no party and no digest of it"]
    case "code":
      return ["open", "what the enclaves ran: every image was accepted"]
    default:
      return assertNever(question)
  }
}

function describeVerdict(
  { verdict, steps, open }: CeremonyAudit,
  columns: number,
  paint: Paint,
): readonly string[] {
  const count = (status: StepResult["status"]) => steps.filter((step) => step.status === status).length
  const stopped = steps.find(({ status }) => status === "failed" || status === "unreachable")
  const counted: Field = ["steps", `${count("passed")} passed, ${count("not-checked")} not checked`]
  switch (verdict) {
    case "holds":
      return [paint("HOLDS", "green", "bold"), ...fields([counted, SEALED, ...notAsked(steps)], columns)]
    case "holds-as-written":
      return [
        paint("HOLDS AS WRITTEN", "yellow", "bold"),
        ...fields([counted, ...open.map(describeQuestion), SEALED, ...notAsked(steps), NEXT], columns),
      ]
    case "refused":
      return [
        paint(`REFUSED at step "${stopped?.id ?? ""}"`, "red", "bold"),
        ...fields(
          [
            counted,
            ["what to do", "get the file again from another party; if it stays so, do not use this key"],
          ],
          columns,
        ),
      ]
    case "unreachable":
      return [
        paint(`NOT JUDGED: step "${stopped?.id ?? ""}" has no answer`, "yellow", "bold"),
        ...fields(
          [
            counted,
            [
              "what to do",
              stopped?.id === "chain"
                ? "ask another endpoint; old blocks need an archive endpoint"
                : "ask again, or another folder or service",
            ],
          ],
          columns,
        ),
      ]
    default:
      return assertNever(verdict)
  }
}

/** The whole audit; colour only where asked for. */
export function describeAudit(audit: CeremonyAudit, options: TextOptions): string {
  const columns = Math.min(120, Math.max(80, options.columns))
  const paint = paintOf(options.colour)
  return [
    paint("Steps", "bold"),
    ...audit.steps.flatMap((step) => describeStep(step, columns, paint)),
    ...describeKey(audit, columns, paint),
    "",
    ...describeVerdict(audit, columns, paint),
  ].join("\n")
}
