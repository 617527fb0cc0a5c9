/**
 * Signatures of seat signers, operators and users (protocol §2): secp256k1 ECDSA over a 32-byte digest, as the
 * chain's ecrecover reads them: 65 bytes r ‖ s ‖ v, v in {27, 28}, low s (one signature has one encoding).
 * Secret input: the 32-byte signing key of `signDigest`. RFC 6979 nonces; noble is not constant time.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { fromHex, keccakBytes, toHex } from "./codec.ts"
import { ProtocolError } from "./errors.ts"
import { type Address, type Digest, parseAddress } from "./ids.ts"

export type SignatureErrorCode = "SIGNATURE_FORM" | "SIGNATURE_KEY" | "SIGNATURE_SIGNER"

export const SIGNATURE_BYTES = 65
const N = secp256k1.Point.Fn.ORDER

/** Whether 32 bytes are an s in 1..n/2: of the two values that the curve allows, the one that counts as a signature. */
export function isLowS(bytes: Uint8Array): boolean {
  const s = BigInt(toHex(bytes))
  return s !== 0n && s <= N / 2n
}

const bad = (code: SignatureErrorCode, message: string): ProtocolError => new ProtocolError({ code, message })

/** Address of a public key, compressed or not. @throws SIGNATURE_KEY */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  try {
    const point = secp256k1.Point.fromBytes(publicKey)
    return parseAddress(toHex(keccakBytes(point.toBytes(false).subarray(1)).subarray(12)))
  } catch {
    throw bad("SIGNATURE_KEY", "not a point of secp256k1")
  }
}

/** Address of a 32-byte secret key. @throws SIGNATURE_KEY (without the key). */
export function addressOfSecretKey(secretKey: Uint8Array): Address {
  if (!secp256k1.utils.isValidSecretKey(secretKey))
    throw bad("SIGNATURE_KEY", "a signing key is 32 bytes and in 1..n-1")
  return addressOfPublicKey(secp256k1.getPublicKey(secretKey, false))
}

/** 65 bytes r ‖ s ‖ v over a digest, with a 32-byte key in 1..n−1. @throws SIGNATURE_KEY for any other */
export type DigestSigner = (digest: Digest, secretKey: Uint8Array) => Uint8Array

/**
 * Signs the digest itself (no prefix, no further hashing).
 * **Security:** the key MUST stay with its holder; the caller wipes it.
 * @throws SIGNATURE_KEY
 */
export function signDigest(digest: Digest, secretKey: Uint8Array): Uint8Array {
  if (!secp256k1.utils.isValidSecretKey(secretKey))
    throw bad("SIGNATURE_KEY", "a signing key is 32 bytes and in 1..n-1")
  const recovered = secp256k1.sign(fromHex(digest), secretKey, { prehash: false, format: "recovered" })
  const out = new Uint8Array(SIGNATURE_BYTES)
  out.set(recovered.subarray(1))
  out[64] = 27 + (recovered[0] ?? 0)
  return out
}

/**
 * The address whose key made `signature` (65 bytes) over `digest`. @throws SIGNATURE_FORM where it is not canonical: another
 * length, v other than 27 and 28, r or s outside 1..n−1, high s, r no x coordinate of a point, no key behind it.
 */
export type SignerRecovery = (digest: Digest, signature: Uint8Array) => Address

/** {@link SignerRecovery} by noble. */
export function recoverSigner(digest: Digest, signature: Uint8Array): Address {
  const v = signature[64]
  if (signature.length !== SIGNATURE_BYTES || (v !== 27 && v !== 28))
    throw bad(
      "SIGNATURE_FORM",
      `want 65 bytes r ‖ s ‖ v with v 27 or 28, got ${signature.length} bytes, v ${v}`,
    )
  if (!isLowS(signature.subarray(32, 64))) throw bad("SIGNATURE_FORM", "s must be in 1..n/2")
  const recovered = new Uint8Array(SIGNATURE_BYTES)
  recovered[0] = v - 27
  recovered.set(signature.subarray(0, 64), 1)
  try {
    return addressOfPublicKey(secp256k1.recoverPublicKey(recovered, fromHex(digest), { prehash: false }))
  } catch {
    throw bad("SIGNATURE_FORM", "r is no x coordinate of a point")
  }
}

/**
 * @param recover another implementation of the same rules, as the node has one in its addon
 * @throws SIGNATURE_FORM, SIGNATURE_SIGNER where another key made the signature.
 */
export function verifySignature(
  digest: Digest,
  signature: Uint8Array,
  signer: Address,
  recover: SignerRecovery = recoverSigner,
): void {
  const actual = recover(digest, signature)
  if (actual !== signer) throw bad("SIGNATURE_SIGNER", `signature must be of ${signer}, is of ${actual}`)
}
