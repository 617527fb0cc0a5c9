/**
 * Structured logs. Fields whose name promises a secret are removed, Secret values print as "[secret]", errors are
 * reduced to name, code, message, culprits and suspects (an error of a library may carry whole requests).
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { pino } from "pino"

export type Fields = Readonly<Record<string, unknown>>

export type Logger = {
  debug(fields: Fields, message: string): void
  info(fields: Fields, message: string): void
  warn(fields: Fields, message: string): void
  error(fields: Fields, message: string): void
  child(fields: Fields): Logger
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const SECRET_FIELDS = [
  "secret",
  "secretKey",
  "privateKey",
  "seed",
  "share",
  "shares",
  "nonce",
  "key",
  "password",
  "token",
  "authorization",
]

const serializeError = (error: unknown): Fields =>
  isProtocolError(error)
    ? {
        code: error.detail.code,
        message: error.detail.message,
        culprits: error.detail.culprits,
        suspects: error.detail.suspects,
        stack: error.stack,
      }
    : error instanceof Error
      ? { type: error.name, message: error.message, stack: error.stack }
      : { message: typeof error }

export type LoggerOptions = {
  readonly level: LogLevel
  /** Fields of every line, such as the node's name. */
  readonly base?: Fields
  /** Where lines go; standard output when absent. */
  readonly destination?: { write(line: string): void }
}

/** Errors go under `err`: `logger.warn({ err: error }, "…")`. */
export function createLogger({ level, base = {}, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: serializeError },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), remove: true },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** A logger that drops everything, for tests. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}
