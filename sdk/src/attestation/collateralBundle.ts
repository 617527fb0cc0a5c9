/**
 * The collateral of one platform as it travels: the JSON bundle that PCCS clients exchange. CRLs and signatures are
 * hex without 0x, certificate chains are PEM, and the two Intel documents are strings that keep every byte that
 * Intel signed. Nothing here is verified; `collateral.ts` does that.
 */
import { attestationError } from "./errors.ts"

/** Member names are those of the wire format. */
export type CollateralBundle = {
  /** PEM: the CA that issued the PCK certificate and its CRL, then the root. */
  readonly pck_crl_issuer_chain: string
  readonly root_ca_crl: string
  readonly pck_crl: string
  /** PEM: TCB signing certificate, then the root. */
  readonly tcb_info_issuer_chain: string
  readonly tcb_info: string
  readonly tcb_info_signature: string
  readonly qe_identity_issuer_chain: string
  readonly qe_identity: string
  readonly qe_identity_signature: string
}

const MEMBERS = [
  "pck_crl_issuer_chain",
  "root_ca_crl",
  "pck_crl",
  "tcb_info_issuer_chain",
  "tcb_info",
  "tcb_info_signature",
  "qe_identity_issuer_chain",
  "qe_identity",
  "qe_identity_signature",
] as const

/** No member of a real bundle comes near this; larger ones are refused before anything is parsed. */
const MEMBER_LIMIT = 256 * 1024

/** @throws COLLATERAL_SHAPE unless every member is a string of at most 256 KiB. Further members are dropped. */
export function parseCollateralBundle(value: unknown): CollateralBundle {
  if (typeof value !== "object" || value === null) throw shape("collateral must be an object")
  const record = value as Record<string, unknown>
  const entries = MEMBERS.map((name) => {
    const member = record[name]
    if (typeof member !== "string") throw shape(`collateral member ${name} must be a string`)
    if (member.length > MEMBER_LIMIT)
      throw shape(`collateral member ${name} has ${member.length} characters, the maximum is ${MEMBER_LIMIT}`)
    return [name, member] as const
  })
  return Object.fromEntries(entries) as CollateralBundle
}

const shape = (message: string) => attestationError("COLLATERAL_SHAPE", message)
