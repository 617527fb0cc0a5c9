/** JSON files of unknown origin, read so that every reader must see the same. */
import { parseStrictJson } from "@twinlock/sdk/attestation/strictJson"
import { isProtocolError, type ProtocolError } from "@twinlock/sdk/protocol/errors"

/** @param refuse makes the caller's error from a reason. @throws what `refuse` returns */
export function parseStrict(text: string, refuse: (reason: string) => ProtocolError): unknown {
  try {
    return parseStrictJson(text, "COLLATERAL_SHAPE")
  } catch (error) {
    if (!isProtocolError(error)) throw error
    throw refuse(error.detail.message)
  }
}
