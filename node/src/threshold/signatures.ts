/**
 * ECDSA by the addon (protocol §2): what signs every gossip message, in constant time, and what verifies it. Equal in every
 * answer to the SDK's own functions of these names.
 */
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import type { DigestSigner, SignatureErrorCode, SignerRecovery } from "@twinlock/sdk/protocol/signature"
import { callNative } from "./native.ts"

const bad = (code: SignatureErrorCode, message: string) => new ProtocolError({ code, message })

/** @throws SIGNATURE_FORM where the signature is not canonical. */
export const recoverSigner: SignerRecovery = (digest, signature) => {
  const address = callNative((addon) => addon.recoverSigner(fromHex(digest), signature))
  if (address === null)
    throw bad(
      "SIGNATURE_FORM",
      `want the canonical 65 bytes r ‖ s ‖ v of a signature, got ${signature.length} bytes`,
    )
  return parseAddress(toHex(address))
}

/** **Security:** the key MUST stay with its holder; the addon wipes its copy. @throws SIGNATURE_KEY */
export const signDigest: DigestSigner = (digest, secretKey) => {
  const signature =
    secretKey.length === 32 ? callNative((addon) => addon.signDigest(fromHex(digest), secretKey)) : null
  if (signature === null) throw bad("SIGNATURE_KEY", "a signing key is 32 bytes and in 1..n-1")
  return signature
}
