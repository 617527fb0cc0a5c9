/**
 * Signature recovery by the addon (protocol §2): what verifies the signature of every gossip message. Public inputs.
 * Accepts exactly what the SDK's own `recoverSigner` accepts.
 */
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import { callNative } from "./native.ts"

/** @throws SIGNATURE_FORM where the signature is not canonical. */
export const recoverSigner: SignerRecovery = (digest, signature) => {
  const address = callNative((addon) => addon.recoverSigner(fromHex(digest), signature))
  if (address === null)
    throw new ProtocolError({
      code: "SIGNATURE_FORM",
      message: `want the canonical 65 bytes r ‖ s ‖ v of a signature, got ${signature.length} bytes`,
    })
  return parseAddress(toHex(address))
}
