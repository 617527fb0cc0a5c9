/**
 * How a dstack guest binds its compose file into the quote: `mr_config_id` version 1 is 01 ‖ SHA-256(app-compose.json)
 * ‖ zeros, version 3 is 03 ‖ hash of a document that names it ‖ zeros (`configDocument.ts`). The host sets the
 * register when it creates the trust domain and the measured guest refuses to boot on a mismatch, but takes zero as
 * "not bound": zero is therefore refused here, and so is version 2, whose hash hides what it was made from.
 */
import { concatBytes, fromHex, sha256Digest, toHex } from "../protocol/codec.ts"
import { type Digest, type Hex, parseDigest } from "../protocol/ids.ts"
import { configIdOfDocument, parseConfigDocument } from "./configDocument.ts"
import { attestationError } from "./errors.ts"

/** SHA-256 of the file's exact bytes; the file is never parsed and written again. */
export const composeHashOf = (appCompose: Uint8Array): Digest => sha256Digest(appCompose)

/** The 48-byte register of version 1. */
export const configIdOf = (composeHash: Digest): Hex =>
  toHex(concatBytes(Uint8Array.of(1), fromHex(composeHash), new Uint8Array(15)))

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/**
 * The compose hash that `mrConfigId` binds.
 * @param mrConfigId 48 bytes.
 * @param configDocument exact bytes of the document of version 3; empty or absent for version 1.
 * @throws CONFIG_ID_MISSING where nothing is bound, CONFIG_ID_VERSION where the register is neither version 1 nor 3
 * with zero padding, CONFIG_DOCUMENT_MISSING, CONFIG_DOCUMENT_MISMATCH, CONFIG_DOCUMENT_MALFORMED
 */
export function composeHashOfConfigId(
  mrConfigId: Hex,
  configDocument: Uint8Array = new Uint8Array(0),
): Digest {
  const bytes = fromHex(mrConfigId)
  const version = bytes[0]
  if (isZero(bytes))
    throw attestationError("CONFIG_ID_MISSING", "mr_config_id is zero: no compose file is bound")
  if ((version !== 1 && version !== 3) || !isZero(bytes.subarray(33)))
    throw attestationError("CONFIG_ID_VERSION", `mr_config_id ${mrConfigId} is neither of version 1 nor 3`)
  const composeHash =
    version === 1 ? boundDirectly(bytes, configDocument) : boundByDocument(mrConfigId, configDocument)
  if (isZero(fromHex(composeHash)))
    throw attestationError("CONFIG_ID_MISSING", "the bound compose hash is zero: no compose file is bound")
  return composeHash
}

function boundDirectly(register: Uint8Array, configDocument: Uint8Array): Digest {
  if (configDocument.length > 0)
    throw attestationError("CONFIG_DOCUMENT_MISMATCH", "mr_config_id of version 1 has no document")
  return parseDigest(toHex(register.subarray(1, 33)))
}

function boundByDocument(mrConfigId: Hex, configDocument: Uint8Array): Digest {
  if (configDocument.length === 0)
    throw attestationError("CONFIG_DOCUMENT_MISSING", "mr_config_id of version 3 needs its document")
  if (configIdOfDocument(configDocument) !== mrConfigId)
    throw attestationError("CONFIG_DOCUMENT_MISMATCH", `the document is not the one of ${mrConfigId}`)
  return parseConfigDocument(configDocument).composeHash
}
