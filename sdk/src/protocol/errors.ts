/** Typed errors of the whole project: one class, a closed union of details per domain (protocol §errors). */
import type { PartyIndex } from "./ids.ts"

/** What every detail carries: a closed SCREAMING_SNAKE code and, where a party is proven at fault, its index. */
export type ErrorDetail = {
  readonly code: string
  /** One sentence, lower case: the rule that was broken with the offending value; never a secret. */
  readonly message: string
  /** Parties proven at fault by this error; empty or absent where nobody can be named. */
  readonly culprits?: readonly PartyIndex[]
  /** Parties of which at least one is at fault, and this error cannot say which: no proof against any of them. */
  readonly suspects?: readonly PartyIndex[]
}

/** The base of all errors that cross a module boundary. `detail.code` is safe to use as a metric label. */
export class ProtocolError<D extends ErrorDetail = ErrorDetail> extends Error {
  override readonly name = "ProtocolError"
  readonly detail: D

  constructor(detail: D, options?: ErrorOptions) {
    super(`${detail.code}: ${detail.message}`, options)
    this.detail = detail
  }
}

/** True where `error` is a ProtocolError with one of `codes` (any code when none is given). */
export function isProtocolError(error: unknown, ...codes: readonly string[]): error is ProtocolError {
  return error instanceof ProtocolError && (codes.length === 0 || codes.includes(error.detail.code))
}

/** The parties that `error` proves at fault. */
export function culprits(error: unknown): readonly PartyIndex[] {
  return error instanceof ProtocolError ? (error.detail.culprits ?? []) : []
}

/** The parties of which `error` proves that at least one is at fault. */
export function suspects(error: unknown): readonly PartyIndex[] {
  return error instanceof ProtocolError ? (error.detail.suspects ?? []) : []
}

/** Closes a switch over a discriminated union. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
