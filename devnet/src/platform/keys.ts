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

/** `length` bytes of public material (serial numbers, PPIDs) for `label` under `seed`; at most 32. */
export const deriveBytes = (seed: string, label: string, length: number): Uint8Array =>
  hmac(sha256, utf8ToBytes(seed), utf8ToBytes(`bytes:${label}`)).slice(0, length)
