/**
 * How a dstack guest binds its compose file into the quote: `mr_config_id` version 1 is 01 ‖ SHA-256(app-compose.json)
 * ‖ zeros. The host sets it when it creates the trust domain and the measured guest refuses to boot on a mismatch,
 * but takes zero as "not bound": zero is therefore refused here.
 */
import { concatBytes, fromHex, sha256Digest, toHex } from "../protocol/codec.ts"
import { type Digest, type Hex, parseDigest } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"

/** SHA-256 of the file's exact bytes; the file is never parsed and written again. */
export const composeHashOf = (appCompose: Uint8Array): Digest => sha256Digest(appCompose)

/** The 48-byte register of version 1. */
export const configIdOf = (composeHash: Digest): Hex =>
  toHex(concatBytes(Uint8Array.of(1), fromHex(composeHash), new Uint8Array(15)))

/**
 * The compose hash inside `mrConfigId`.
 * @throws CONFIG_ID_MISSING where it is zero, CONFIG_ID_VERSION where it is not version 1 with zero padding.
 */
export function composeHashOfConfigId(mrConfigId: Hex): Digest {
  const bytes = fromHex(mrConfigId)
  if (bytes.every((byte) => byte === 0))
    throw attestationError("CONFIG_ID_MISSING", "mr_config_id is zero: no compose file is bound")
  if (bytes[0] !== 1 || bytes.subarray(33).some((byte) => byte !== 0))
    throw attestationError("CONFIG_ID_VERSION", `mr_config_id ${mrConfigId} is not of version 1`)
  return parseDigest(toHex(bytes.subarray(1, 33)))
}
