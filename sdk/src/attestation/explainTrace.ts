/**
 * The record that a diagnosis keeps: one entry per check, in the verifier's order. A step runs one function of the
 * verifier; its failure is recorded with the verifier's code, and later steps that need its result are recorded as not
 * checked. Nothing here judges anything itself.
 */
import { ProtocolError } from "../protocol/errors.ts"
import type { AttestationErrorCode, AttestationErrorDetail } from "./errors.ts"

export type CheckStatus = "passed" | "failed" | "not-checked"

export type Check = {
  /** Stable name, such as "td.debug". */
  readonly id: string
  /** Line of the verifier's checklist (docs/attestation.md §3), 1 to 12. */
  readonly item: number
  /** What is checked, for people. */
  readonly title: string
  readonly status: CheckStatus
  readonly expected: string
  /** Null where nothing could be read. */
  readonly found: string | null
  /** The verifier's code where the check failed. */
  readonly code: AttestationErrorCode | null
  /** Why it failed, or what it would need. */
  readonly reason: string | null
}

/** One line of a step; its place says in which order the step's function looks. */
export type Line<T> = {
  readonly id: string
  readonly title: string
  readonly expected: string
  /** From the step's result, or a text that is known before. */
  readonly found: string | ((value: T) => string)
  /** The codes of the step's function that belong to this line; the last line takes every other. */
  readonly codes: readonly AttestationErrorCode[]
}

/** @param line.codes where the step has other lines too; the last line needs none. */
export const named = <T>(
  id: string,
  title: string,
  line: {
    readonly expected: string
    readonly found: Line<T>["found"]
    readonly codes?: readonly AttestationErrorCode[]
  },
): Line<T> => ({ codes: [], ...line, id, title })

type Needs<N> = { readonly [K in keyof N]: N[K] | null }

export type Step<N, T> = {
  readonly item: number
  /** Results of earlier steps by name; null where they failed. */
  readonly needs: Needs<N>
  /** Throws the verifier's error, or returns what later steps need. */
  readonly run: (needs: N) => T
  readonly lines: readonly Line<T>[]
}

export type Trace = {
  /** @returns the step's result, or null where it failed or was not run. */
  step<N, T>(step: Step<N, T>): T | null
  checks(): readonly Check[]
}

const isAttestationError = (error: unknown): error is ProtocolError<AttestationErrorDetail> =>
  error instanceof ProtocolError

export function createTrace(): Trace {
  const checks: Check[] = []

  const record = <N, T>(
    { item }: Step<N, T>,
    { id, title, expected, found }: Line<T>,
    status: CheckStatus,
    more: { readonly value?: T; readonly code?: AttestationErrorCode; readonly reason?: string } = {},
  ): void => {
    const text = typeof found === "string" ? found : status === "passed" ? found(more.value as T) : null
    const { code = null, reason = null } = more
    checks.push({ id, item, title, status, expected, found: text, code, reason })
  }

  return {
    step(step) {
      const missing = Object.entries(step.needs).flatMap(([name, value]) => (value === null ? [name] : []))
      if (missing.length > 0) {
        for (const line of step.lines)
          record(step, line, "not-checked", { reason: `needs ${missing.join(" and ")}` })
        return null
      }
      try {
        const value = step.run(step.needs as never)
        for (const line of step.lines) record(step, line, "passed", { value })
        return value
      } catch (error) {
        if (!isAttestationError(error)) throw error
        const { code, message } = error.detail
        const at = step.lines.findIndex((line) => line.codes.includes(code))
        const failing = at < 0 ? step.lines.length - 1 : at
        for (const [index, line] of step.lines.entries()) {
          // What the function looked at before is good, but its value went down with the failure.
          if (index < failing) record(step, { ...line, found: textOr(line.found, line.expected) }, "passed")
          else if (index === failing) record(step, line, "failed", { code, reason: message })
          else record(step, line, "not-checked", { reason: `needs ${step.lines[failing]?.title ?? ""}` })
        }
        return null
      }
    },
    checks: () => checks,
  }
}

const textOr = <T>(found: Line<T>["found"], fallback: string): string =>
  typeof found === "string" ? found : fallback
