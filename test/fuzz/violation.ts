/** What a fuzz case may end in: acceptance, a refusal with a code of the closed list, or a broken promise. */
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"

/** The closed list at run time; the type makes it complete. */
const CODES: Readonly<Record<AttestationErrorCode, true>> = {
  DER_MALFORMED: true,
  PEM_MALFORMED: true,
  CERTIFICATE_MALFORMED: true,
  CRL_MALFORMED: true,
  COLLATERAL_SHAPE: true,
  COLLATERAL_TERMS: true,
  TCB_INFO_MALFORMED: true,
  QE_IDENTITY_MALFORMED: true,
  EVENT_LOG_MALFORMED: true,
  CONFIG_DOCUMENT_MALFORMED: true,
  COMPOSE_MALFORMED: true,
  QUOTE_LENGTH: true,
  QUOTE_TRAILING: true,
  QUOTE_VERSION: true,
  QUOTE_KEY_TYPE: true,
  QUOTE_TEE_TYPE: true,
  QUOTE_VENDOR: true,
  QUOTE_BODY_TYPE: true,
  QUOTE_CERTIFICATION_TYPE: true,
  ROOT_MISMATCH: true,
  CHAIN_LENGTH: true,
  CHAIN_ISSUER: true,
  CHAIN_SUBJECT: true,
  CHAIN_AUTHORITY: true,
  CHAIN_PATH_LENGTH: true,
  CHAIN_END_ENTITY: true,
  CHAIN_SIGNATURE: true,
  CERTIFICATE_EXPIRED: true,
  CERTIFICATE_NOT_YET_VALID: true,
  PCK_EXTENSION_MISSING: true,
  CRL_ISSUER: true,
  CRL_SIGNATURE: true,
  CRL_EXPIRED: true,
  CRL_NOT_YET_VALID: true,
  PCK_REVOKED: true,
  PCK_CA_REVOKED: true,
  TCB_SIGNER_REVOKED: true,
  TCB_SIGNER: true,
  TCB_INFO_SIGNATURE: true,
  TCB_INFO_EXPIRED: true,
  TCB_INFO_NOT_YET_VALID: true,
  TCB_INFO_FMSPC: true,
  TCB_INFO_PCE: true,
  TCB_INFO_BELOW_FLOOR: true,
  QE_IDENTITY_SIGNATURE: true,
  QE_IDENTITY_EXPIRED: true,
  QE_IDENTITY_NOT_YET_VALID: true,
  QE_IDENTITY_BELOW_FLOOR: true,
  QE_REPORT_SIGNATURE: true,
  QE_REPORT_BINDING: true,
  QE_SIGNER: true,
  QE_PRODUCT: true,
  QE_MISC_SELECT: true,
  QE_ATTRIBUTES: true,
  QE_TCB_LEVEL: true,
  QUOTE_SIGNATURE: true,
  TCB_LEVEL: true,
  MODULE_SIGNER: true,
  MODULE_ATTRIBUTES: true,
  MODULE_UNKNOWN: true,
  MODULE_TCB_LEVEL: true,
  TD_DEBUG: true,
  TD_RESERVED_ATTRIBUTES: true,
  TD_SEPT_VE: true,
  TD_SERVICE: true,
  POLICY_TCB_STATUS: true,
  POLICY_TCB_GRACE: true,
  POLICY_ADVISORY: true,
  POLICY_TD_ATTRIBUTES: true,
  POLICY_XFAM: true,
  POLICY_OWNER: true,
  POLICY_IMAGE: true,
  POLICY_COMPOSE: true,
  POLICY_PLATFORM: true,
  POLICY_PPID: true,
  POLICY_PIID: true,
  POLICY_KEY_PROVIDER: true,
  POLICY_REPORT_DATA: true,
  EVENT_LOG_MISMATCH: true,
  EVENT_LOG_INCOMPLETE: true,
  EVENT_LOG_DUPLICATE: true,
  EVENT_LOG_UNKNOWN: true,
  CONFIG_ID_MISSING: true,
  CONFIG_ID_VERSION: true,
  CONFIG_ID_MISMATCH: true,
  CONFIG_DOCUMENT_MISSING: true,
  CONFIG_DOCUMENT_MISMATCH: true,
  DEVNET_ROOT_REFUSED: true,
  COMPOSE_HASH: true,
  COMPOSE_FIELD: true,
  COMPOSE_RUNNER: true,
  COMPOSE_IMAGE: true,
  COMPOSE_SCRIPT: true,
  COMPOSE_ENVIRONMENT: true,
  COMPOSE_KEY_PROVIDER: true,
  COMPOSE_FLAG: true,
}

/** A promise of the verifier that an input breaks: what the fuzzer looks for. */
export class Violation extends Error {
  override readonly name = "Violation"
}

export type Attempt<T> =
  | { readonly status: "accepted"; readonly value: T }
  | { readonly status: "refused"; readonly code: AttestationErrorCode }

const isCode = (code: string): code is AttestationErrorCode => Object.hasOwn(CODES, code)

/** Runs `verify`. @throws Violation on anything but a refusal of the closed list */
export function attempt<T>(verify: () => T): Attempt<T> {
  try {
    return { status: "accepted", value: verify() }
  } catch (error) {
    if (error instanceof Violation) throw error
    if (!isProtocolError(error))
      throw new Violation(`unhandled exception: ${String(error)}`, { cause: error })
    const { code } = error.detail
    if (!isCode(code))
      throw new Violation(`refused with ${code}, which is no attestation code`, { cause: error })
    return { status: "refused", code }
  }
}

/** Compact JSON with bigints, byte strings, maps and sets spelt out, members sorted. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Uint8Array) return `bytes:${Buffer.from(item).toString("hex")}`
    if (item instanceof Map || item instanceof Set) return [...item]
    if (typeof item === "bigint") return `${item}n`
    if (typeof item === "object" && item !== null && !Array.isArray(item))
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
    return item
  })
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

/** @throws Violation that names the first place where both differ. */
export function mustEqual(what: string, actual: unknown, expected: unknown): void {
  if (canonical(actual) === canonical(expected)) return
  if (isObject(actual) && isObject(expected))
    for (const name of new Set([...Object.keys(actual), ...Object.keys(expected)]))
      mustEqual(`${what}.${name}`, actual[name], expected[name])
  const [one, other] = [canonical(actual), canonical(expected)].map((text) => String(text).slice(0, 400))
  throw new Violation(`${what} is ${one}, the oracle says ${other}`)
}
