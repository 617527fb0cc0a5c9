/**
 * Sealed boxes: X-Wing (ML-KEM-768 with X25519) to a recipient's key, HKDF-SHA256, XChaCha20-Poly1305. `purpose` separates
 * uses, `context` is 32 bytes that name everything the content is for; both are bound into the key, and the context again as
 * associated data, so a box opens in its own place only. Every box has a fresh encapsulation: key and nonce occur once.
 *
 * Secret inputs: the content and the recipient's secret key.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { ml_kem768_x25519 as xwing } from "@noble/post-quantum/hybrid.js"
import { concatBytes, utf8ToBytes } from "../protocol/codec.ts"
import { ProtocolError } from "../protocol/errors.ts"
import type { Rng } from "../protocol/rng.ts"

export type SealedBoxErrorCode =
  /** not an X-Wing public key of 1216 bytes. */
  "BOX_KEY"

const VERSION = 1
const KEM_BYTES = 1120
const ENCAPSULATION_RANDOMNESS = 64
export const BOX_PUBLIC_KEY_BYTES = 1216
export const BOX_SECRET_KEY_BYTES = 32
/** version ‖ encapsulation ‖ … ‖ tag */
export const BOX_OVERHEAD_BYTES: number = 1 + KEM_BYTES + 16

/** What a box is for: a domain tag, and 32 bytes that name key, session, sender, recipient and whatever else matters. */
export type BoxPlace = { readonly purpose: string; readonly context: Uint8Array }

/** Public key of a 32-byte secret. */
export const boxPublicKey = (secretKey: Uint8Array): Uint8Array => xwing.keygen(secretKey).publicKey

function cipher(shared: Uint8Array, { purpose, context }: BoxPlace): ReturnType<typeof xchacha20poly1305> {
  const material = hkdf(sha256, shared, context, utf8ToBytes(purpose), 56)
  const associated = concatBytes(Uint8Array.of(VERSION), context)
  return xchacha20poly1305(material.subarray(0, 32), material.subarray(32), associated)
}

/** version(1) ‖ encapsulation(1120) ‖ ciphertext ‖ tag(16). @throws BOX_KEY */
export function sealBox(publicKey: Uint8Array, place: BoxPlace, content: Uint8Array, rng: Rng): Uint8Array {
  const { cipherText, sharedSecret } = encapsulate(publicKey, rng)
  return concatBytes(Uint8Array.of(VERSION), cipherText, cipher(sharedSecret, place).encrypt(content))
}

function encapsulate(publicKey: Uint8Array, rng: Rng): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
  try {
    return xwing.encapsulate(publicKey, rng(ENCAPSULATION_RANDOMNESS))
  } catch {
    throw new ProtocolError({
      code: "BOX_KEY",
      message: `want an X-Wing public key of ${BOX_PUBLIC_KEY_BYTES} bytes, got ${publicKey.length} bytes`,
    })
  }
}

/** The content, or null where the box does not open with this key in this place. */
export function openBox(secretKey: Uint8Array, place: BoxPlace, box: Uint8Array): Uint8Array | null {
  if (box[0] !== VERSION || box.length < BOX_OVERHEAD_BYTES) return null
  try {
    const shared = xwing.decapsulate(box.slice(1, 1 + KEM_BYTES), secretKey)
    return cipher(shared, place).decrypt(box.subarray(1 + KEM_BYTES))
  } catch {
    return null
  }
}
