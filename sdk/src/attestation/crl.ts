/**
 * Certificate revocation lists, version 2 (RFC 5280 §5) in the subset that Intel issues: one issuer, no indirect
 * entries, no deltas. Parsing only; issuer, signature and dates are checked by `chain.ts`.
 */
import { toHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { readSignature, readSignatureAlgorithm } from "./certificate.ts"
import { DerReader, TAG } from "./der.ts"
import { attestationError, within } from "./errors.ts"

export type Crl = {
  readonly toBeSigned: Uint8Array
  /** r ‖ s. */
  readonly signature: Uint8Array
  readonly issuer: Uint8Array
  /** Unix seconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Serial numbers in the form of `Certificate.serial`. */
  readonly revoked: ReadonlySet<Hex>
}

const malformed = (message: string) => attestationError("CRL_MALFORMED", message)

/** Walks extensions. A critical one, such as that of a partial list, would change the meaning of the list. */
function skipExtensions(list: DerReader): void {
  while (list.peek() !== null) {
    const item = list.inside(TAG.sequence)
    const identifier = item.objectIdentifier()
    if (item.optionalTrue()) throw malformed(`CRL extension ${identifier} is critical`)
    item.content(TAG.octetString)
    item.end()
  }
}

function readEntries(list: DerReader): ReadonlySet<Hex> {
  const revoked = new Set<Hex>()
  while (list.peek() !== null) {
    const entry = list.inside(TAG.sequence)
    revoked.add(toHex(entry.unsigned()))
    entry.time()
    if (entry.peek() !== null) skipExtensions(entry.inside(TAG.sequence))
    entry.end()
  }
  return revoked
}

function parse(der: Uint8Array): Crl {
  const outer = new DerReader(der)
  const crl = outer.inside(TAG.sequence)
  outer.end()
  const toBeSigned = crl.whole(TAG.sequence)
  readSignatureAlgorithm(crl)
  const signature = readSignature(crl)
  crl.end()

  const fields = new DerReader(toBeSigned).inside(TAG.sequence)
  if (fields.smallUnsigned() !== 1) throw malformed("a CRL must have version 2")
  readSignatureAlgorithm(fields)
  const issuer = fields.whole(TAG.sequence)
  const [thisUpdate, nextUpdate] = [fields.time(), fields.time()]
  const revoked = fields.peek() === TAG.sequence ? readEntries(fields.inside(TAG.sequence)) : new Set<Hex>()
  const wrapper = fields.inside(TAG.context0)
  skipExtensions(wrapper.inside(TAG.sequence))
  wrapper.end()
  fields.end()
  return { toBeSigned, signature, issuer, thisUpdate, nextUpdate, revoked }
}

/** Parses one DER list; no signature is checked. @throws CRL_MALFORMED */
export const parseCrl = (der: Uint8Array): Crl => within("CRL_MALFORMED", "CRL", () => parse(der))
