/** A verification as a list of named steps: what each one checks, what it means, and how it came out. Public data. */
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"

export type StepId =
  | "form"
  | "proposal"
  | "rounds"
  | "order"
  | "quotes"
  | "seeds"
  | "checks"
  | "chunks"
  | "published"
  | "masks"
  | "crs"
  | "self-test"
  | "signing-key"
  | "activation"
  | "policy"
  | "chain"

export type AuditErrorCode =
  /** the rule of a step does not hold. */
  | "AUDIT_REFUSED"
  /** something outside the transcript that was to be asked does not answer. */
  | "AUDIT_UNREACHABLE"

export type Step = {
  readonly id: StepId
  readonly title: string
  /** One sentence: what holds where the step passes. */
  readonly meaning: string
  /** @throws ProtocolError where the rule does not hold */
  run(): Finding | Promise<Finding>
}

/** A line for the reader, or why the step had nothing to look at. */
export type Finding = { readonly found: string } | { readonly skipped: string }

export type StepResult = Pick<Step, "id" | "title" | "meaning"> &
  (
    | { readonly status: "passed"; readonly found: string }
    | { readonly status: "not-checked"; readonly reason: string }
    | { readonly status: "failed" | "unreachable"; readonly code: string; readonly reason: string }
  )

export const refuse = (message: string): ProtocolError =>
  new ProtocolError({ code: "AUDIT_REFUSED" satisfies AuditErrorCode, message })

/** Errors that say nothing about the transcript. */
const OUTSIDE: readonly string[] = [
  "AUDIT_UNREACHABLE" satisfies AuditErrorCode,
  "CHAIN_UNAVAILABLE",
  "CHAIN_DISAGREEMENT",
  "CHAIN_MALFORMED",
]

/** Runs the steps in order. After one that does not pass, nothing that follows means anything. */
export async function runSteps(steps: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  let ended: StepId | null = null
  for (const { id, title, meaning, run } of steps) {
    const about = { id, title, meaning }
    if (ended !== null) {
      results.push({ ...about, status: "not-checked", reason: `the step "${ended}" did not pass` })
      continue
    }
    try {
      const finding = await run()
      results.push(
        "found" in finding
          ? { ...about, status: "passed", found: finding.found }
          : { ...about, status: "not-checked", reason: finding.skipped },
      )
    } catch (error) {
      if (!isProtocolError(error)) throw error
      const { code, message } = error.detail
      const status = OUTSIDE.includes(code) ? "unreachable" : "failed"
      results.push({ ...about, status, code, reason: message })
      ended = id
    }
  }
  return results
}
