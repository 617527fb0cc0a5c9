/** Sealed boxes with an ideal functionality in their place: what was sealed for a key and place opens there alone. */
import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, toHex, utf8ToBytes } from "../../../sdk/src/protocol/codec.ts"
import type { Rng } from "../../../sdk/src/protocol/rng.ts"
import * as real from "../../../sdk/src/threshold/sealedBox.ts"
import { ledger } from "./ledger.ts"

export * from "../../../sdk/src/threshold/sealedBox.ts"

const HEAD = real.BOX_OVERHEAD_BYTES - 32

/** As long as a public key; made of the secret's hash alone. */
export function boxPublicKey(secretKey: Uint8Array): Uint8Array {
  if (ledger.real) return real.boxPublicKey(secretKey)
  const key = new Uint8Array(real.BOX_PUBLIC_KEY_BYTES)
  key.set(sha256(secretKey))
  return key
}

/** A stream over the content: fast, and other bytes for every randomness. */
function mask(salt: Uint8Array, content: Uint8Array): Uint8Array {
  return content.map((byte, at) => byte ^ (salt[at & 31] ?? 0))
}

const tagOf = (
  publicKey: Uint8Array,
  { purpose, context }: real.BoxPlace,
  ...rest: readonly Uint8Array[]
): Uint8Array => sha256(concatBytes(publicKey.subarray(0, 32), utf8ToBytes(purpose), context, ...rest))

export function sealBox(
  publicKey: Uint8Array,
  place: real.BoxPlace,
  content: Uint8Array,
  rng: Rng,
): Uint8Array {
  if (ledger.real || publicKey.length !== real.BOX_PUBLIC_KEY_BYTES)
    return real.sealBox(publicKey, place, content, rng)
  const head = new Uint8Array(HEAD)
  head[0] = 1
  const salt = rng(32)
  head.set(salt, 1)
  const body = mask(salt, content)
  return concatBytes(head, body, tagOf(publicKey, place, salt, body))
}

export function openBox(secretKey: Uint8Array, place: real.BoxPlace, box: Uint8Array): Uint8Array | null {
  if (ledger.real) return real.openBox(secretKey, place, box)
  if (box[0] !== 1 || box.length < real.BOX_OVERHEAD_BYTES) return null
  const [salt, body, tag] = [box.slice(1, 33), box.subarray(HEAD, box.length - 32), box.subarray(-32)]
  const want = tagOf(boxPublicKey(secretKey), place, salt, body)
  return toHex(want) === toHex(tag) ? mask(salt, body) : null
}
