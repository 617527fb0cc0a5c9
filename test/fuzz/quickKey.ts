/**
 * Signatures for hundreds of thousands of mutants: the simulator's keys with one nonce per key, which makes a
 * signature two multiplications. That gives the private key away, and the simulator's seed is public anyway.
 */

import { p256 } from "@noble/curves/nist.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { integer, sequence } from "@twinlock/devnet/platform/der"
import { deriveScalar, type SigningKey } from "@twinlock/devnet/platform/keys"
import { joined } from "./byteMutation.ts"

const field = p256.Point.Fn
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`)

/** The same key pair as `deriveKey(seed, label)`. */
export function quickKey(seed: string, label: string): SigningKey {
  const secret = deriveScalar(seed, label)
  const nonce = deriveScalar(seed, `nonce:${label}`)
  const r = field.create(p256.Point.BASE.multiply(nonce).toAffine().x)
  const inverse = field.inv(nonce)
  const rBytes = field.toBytes(r)
  const sOf = (message: Uint8Array) =>
    field.toBytes(field.mul(inverse, field.create(numberOf(sha256(message)) + field.mul(r, secret))))
  return {
    publicKey: p256.getPublicKey(field.toBytes(secret), false).subarray(1),
    sign: (message) => joined(rBytes, sOf(message)),
    signDer: (message) => sequence(integer(rBytes), integer(sOf(message))),
  }
}

/** The other valid form of a signature r ‖ s: s negated. */
export const negated = (signature: Uint8Array): Uint8Array =>
  joined(signature.subarray(0, 32), field.toBytes(field.neg(numberOf(signature.subarray(32)))))
