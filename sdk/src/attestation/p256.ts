/**
 * ECDSA on P-256 with SHA-256, verification only. Signatures are r ‖ s, keys x ‖ y. Intel does not normalise s, so
 * both forms of a signature are valid: signatures never name anything.
 */
import { p256 } from "@noble/curves/nist.js"
import { concatBytes } from "../protocol/codec.ts"

/** True where the key's holder signed the message. Never throws. */
export type SignatureCheck = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean

export const verifyP256: SignatureCheck = (signature, message, publicKey) => {
  try {
    const point = concatBytes(Uint8Array.of(4), publicKey)
    return p256.verify(signature, message, point, { lowS: false, format: "compact" })
  } catch {
    return false
  }
}
