/**
 * The seam to the native addon: loads it and turns its failures, Errors with the message `CODE|culprits|suspects|text`, into
 * ProtocolErrors. Codes are those of node/native/src/errors.rs and crs/error.rs.
 */
import { createRequire } from "node:module"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type * as Addon from "../../native/index.d.ts"

const addon: typeof Addon = createRequire(import.meta.url)("../../native/twinlock.node")

/** Every code of the addon. */
export const NATIVE_ERROR_CODES = [
  "CIPHERTEXT_MALFORMED",
  "CIPHERTEXT_TYPE",
  "CRS_CONTEXT",
  "CRS_CURVE",
  "CRS_ENCODING",
  "CRS_FIRST_ZERO",
  "CRS_GAP",
  "CRS_HEADER",
  "CRS_LENGTH",
  "CRS_ORDER",
  "CRS_POWERS",
  "CRS_PREVIOUS",
  "CRS_PROOF",
  "CRS_PROOF_POINT",
  "CRS_SUBGROUP",
  "CRS_UNCHANGED",
  "CRS_UNUSABLE",
  "INPUT_LIST_MALFORMED",
  "INPUT_PROOF_INVALID",
  "KEYGEN_COMMITMENT_MISMATCH",
  "KEYGEN_DEGREE_CHECK",
  "KEYGEN_KEY_CONFIRMATION",
  "KEYGEN_KEY_LAYOUT",
  "KEYGEN_MESSAGE_MALFORMED",
  "KEYGEN_PRODUCT_POINTS",
  "KEYGEN_PRODUCT_VALUE",
  "KEYGEN_ROUND_ORDER",
  "KEYGEN_ROW_ENERGY",
  "KEYGEN_ROW_LIKENESS",
  "KEYGEN_ROW_MAXIMUM",
  "KEYGEN_ROW_POINTS",
  "KEYGEN_SEALED_BOX",
  "NATIVE_CONFIG",
  "NATIVE_DESTROYED",
  "NATIVE_INTERNAL",
  "NATIVE_IO",
  "NATIVE_RANDOMNESS",
  "OPERATION_INVALID",
  "PUBLIC_KEY_INVALID",
  "SELF_TEST_LIST",
  "SERVER_KEY_INVALID",
  "SHARE_FAULT",
  "SHARE_MALFORMED",
  "SHARE_SEALED",
  "SHARE_WORDS",
] as const

export type NativeErrorCode = (typeof NATIVE_ERROR_CODES)[number]

const FAILURE = /^([A-Z0-9_]+)\|((?:\d+(?:,\d+)*)?)\|((?:\d+(?:,\d+)*)?)\|(.+)$/s
const KNOWN: ReadonlySet<string> = new Set(NATIVE_ERROR_CODES)

const partiesOf = (list: string | undefined): readonly PartyIndex[] =>
  list ? list.split(",").map((index) => Number(index) as PartyIndex) : []

/** The ProtocolError of a failure of the addon; anything else (a wrong type of argument: an own bug) as it is. */
export function nativeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const [, code, culprits, suspects, message] = FAILURE.exec(error.message) ?? []
  if (code === undefined || message === undefined || !KNOWN.has(code)) return error
  return new ProtocolError({
    code: code as NativeErrorCode,
    message,
    culprits: partiesOf(culprits),
    suspects: partiesOf(suspects),
  })
}

/** Runs a synchronous function of the addon. @throws ProtocolError with a {@link NativeErrorCode} */
export function callNative<T>(work: (addon: typeof Addon) => T): T {
  try {
    return work(addon)
  } catch (error) {
    throw nativeError(error)
  }
}

/** Runs a function of the addon that works off the main thread. Rejects as {@link callNative} throws. */
export async function awaitNative<T>(work: (addon: typeof Addon) => Promise<T>): Promise<T> {
  try {
    return await work(addon)
  } catch (error) {
    throw nativeError(error)
  }
}
