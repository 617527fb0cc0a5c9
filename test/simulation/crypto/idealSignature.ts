/** ECDSA of the SDK with an ideal functionality in its place: same forms, same refusals, no curve. */
import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, toHex } from "../../../sdk/src/protocol/codec.ts"
import { ProtocolError } from "../../../sdk/src/protocol/errors.ts"
import type { Address, Digest } from "../../../sdk/src/protocol/ids.ts"
import * as real from "../../../sdk/src/protocol/signature.ts"
import { ledger } from "./ledger.ts"

export * from "../../../sdk/src/protocol/signature.ts"

const addresses = new Map<string, Address>()

/** Keys of runs come again and again. */
export function addressOfSecretKey(secretKey: Uint8Array): Address {
  const name = toHex(secretKey)
  const known = addresses.get(name) ?? real.addressOfSecretKey(secretKey)
  addresses.set(name, known)
  return known
}

export function signDigest(digest: Digest, secretKey: Uint8Array): Uint8Array {
  if (ledger.real) return real.signDigest(digest, secretKey)
  const signature = new Uint8Array(real.SIGNATURE_BYTES)
  const r = sha256(concatBytes(secretKey, fromHex(digest)))
  signature.set(r)
  signature.set(sha256(r), 32)
  // Below half of the order, and not zero.
  signature[32] = 1
  signature[64] = 27
  ledger.signers.set(digest + toHex(signature), addressOfSecretKey(secretKey))
  return signature
}

export function recoverSigner(digest: Digest, signature: Uint8Array): Address {
  const known = ledger.signers.get(digest + toHex(signature))
  return known === undefined ? real.recoverSigner(digest, signature) : (known as Address)
}

export function verifySignature(digest: Digest, signature: Uint8Array, signer: Address): void {
  const actual = recoverSigner(digest, signature)
  if (actual !== signer)
    throw new ProtocolError({ code: "SIGNATURE_SIGNER", message: `want ${signer}, got ${actual}` })
}
