/**
 * Deterministic P-256 keys of the simulated platform: the same seed and label always give the same key, so that
 * several processes simulate one platform without sharing state. Simulator only: the seed is public knowledge.
 */
import { p256 } from "@noble/curves/nist.js"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"

export type SigningKey = {
  /** x ‖ y, 64 bytes. */
  readonly publicKey: Uint8Array
  /** ECDSA over SHA-256, deterministic (RFC 6979), r ‖ s. */
  readonly sign: (message: Uint8Array) => Uint8Array
  /** The same signature as a DER sequence. */
  readonly signDer: (message: Uint8Array) => Uint8Array
}

/** Private scalar of `label` under `seed`: HMAC-SHA512(seed, label) reduced into 1..n−1. */
export function deriveScalar(seed: string, label: string): bigint {
  const digest = hmac(sha512, utf8ToBytes(seed), utf8ToBytes(`key:${label}`))
  return (digest.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % (p256.Point.Fn.ORDER - 1n)) + 1n
}

/** Key of `label` under `seed`. */
export function deriveKey(seed: string, label: string): SigningKey {
  const secret = p256.Point.Fn.toBytes(deriveScalar(seed, label))
  return {
    publicKey: p256.getPublicKey(secret, false).subarray(1),
    sign: (message) => p256.sign(message, secret, { lowS: false, format: "compact" }),
    signDer: (message) => p256.sign(message, secret, { lowS: false, format: "der" }),
  }
}

/** `key` with every signature passed through `change`: forged, malleated or cut signatures under a known key. */
export const tampered = (key: SigningKey, change: (signature: Uint8Array) => Uint8Array): SigningKey => ({
  publicKey: key.publicKey,
  sign: (message) => change(key.sign(message)),
  signDer: (message) => p256.Signature.fromBytes(change(key.sign(message)), "compact").toBytes("der"),
})

/** The other valid form of the same signature, r ‖ n − s. */
export function malleated(signature: Uint8Array): Uint8Array {
  const { r, s } = p256.Signature.fromBytes(signature, "compact")
  return new p256.Signature(r, p256.Point.Fn.ORDER - s).toBytes("compact")
}

/** The form with the larger s, which some verifiers refuse. */
export function highS(signature: Uint8Array): Uint8Array {
  const { s } = p256.Signature.fromBytes(signature, "compact")
  return s > p256.Point.Fn.ORDER / 2n ? signature : malleated(signature)
}

/** Signs with another key than the one that it shows. */
export const impostor = (shown: SigningKey, signer: SigningKey): SigningKey => ({
  ...signer,
  publicKey: shown.publicKey,
})

/** `length` bytes of public material (serial numbers, PPIDs) for `label` under `seed`; at most 32. */
export const deriveBytes = (seed: string, label: string, length: number): Uint8Array =>
  hmac(sha256, utf8ToBytes(seed), utf8ToBytes(`bytes:${label}`)).slice(0, length)
