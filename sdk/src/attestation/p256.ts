/**
 * ECDSA on P-256 with SHA-256 (FIPS 186-5 §6.4.2), verification only, on noble's curve arithmetic. Signatures are
 * r ‖ s, keys x ‖ y. Intel does not normalise s, so both forms of a signature are valid: signatures never name
 * anything.
 *
 * Public data only, not constant time. noble's ready-made ECDSA makes a new point for every signature; here a key
 * that signs much, such as a CA's, keeps its table of multiples, which makes its signatures three times as fast.
 */
import { weierstrass } from "@noble/curves/abstract/weierstrass.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, toHex } from "../protocol/codec.ts"

/** True where the key's holder signed the message. Never throws. */
export type SignatureCheck = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean

/** NIST SP 800-186 §3.2.1.3. */
const Point = /* @__PURE__ */ weierstrass({
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  h: 1n,
  a: 0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  Gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  Gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
})
type Point = ReturnType<typeof Point.fromAffine>

const scalarOf = (bytes: Uint8Array): bigint => BigInt(toHex(bytes))

/** @throws where the bytes are no point of the curve */
const pointOf = (publicKey: Uint8Array): Point => Point.fromBytes(concatBytes(Uint8Array.of(4), publicKey))

/** u1·G + u2·P has r as its x; G has a table of its own, so the two products are faster apart than interleaved. */
function holds(signature: Uint8Array, message: Uint8Array, key: Point): boolean {
  const { BASE, Fn } = Point
  const [r, s] = [scalarOf(signature.subarray(0, 32)), scalarOf(signature.subarray(32))]
  if (r === 0n || r >= Fn.ORDER || s === 0n || s >= Fn.ORDER) return false
  const inverse = Fn.inv(s)
  const u1 = Fn.mul(Fn.create(scalarOf(sha256(message))), inverse)
  const sum = BASE.multiplyUnsafe(u1).add(key.multiplyUnsafe(Fn.mul(r, inverse)))
  return !sum.is0() && Fn.create(sum.toAffine().x) === r
}

export const verifyP256: SignatureCheck = (signature, message, publicKey) => {
  if (signature.length !== 64 || publicKey.length !== 64) return false
  try {
    return holds(signature, message, pointOf(publicKey))
  } catch {
    return false
  }
}

/** A table takes as long as about this many signatures. */
const USES_WORTH_A_TABLE = 8
/** A root, two CAs and a TCB signer, and their successors. */
const MAX_KEYS = 8
const TABLE_WINDOW = 5

/**
 * A check that remembers the keys it is used with, so it must be given keys of CAs only. What it remembers changes no
 * verdict.
 */
export function createSignatureCheck(): SignatureCheck {
  const keys = new Map<string, { readonly point: Point; uses: number }>()

  function keyOf(publicKey: Uint8Array): { readonly point: Point; uses: number } {
    const name = toHex(publicKey)
    const known = keys.get(name)
    if (known) return known
    const key = { point: pointOf(publicKey), uses: 0 }
    const [oldest] = keys.keys()
    if (keys.size === MAX_KEYS && oldest !== undefined) keys.delete(oldest)
    keys.set(name, key)
    return key
  }

  return (signature, message, publicKey) => {
    if (signature.length !== 64 || publicKey.length !== 64) return false
    try {
      const key = keyOf(publicKey)
      key.uses++
      if (key.uses === USES_WORTH_A_TABLE) key.point.precompute(TABLE_WINDOW)
      return holds(signature, message, key.point)
    } catch {
      return false
    }
  }
}
