/**
 * Canonical words (protocol §1, §5) of any plaintext under a secret that the caller knows: uniform masks, noise of the size
 * that squashing leaves, four message bits per block at 2^123. What a decryption does with them is what it does with an
 * executor's.
 */
import { blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import type { SecretBits } from "./dealtShares.ts"

const WORD_BYTES = 16
const MESSAGE_SHIFT = 123n
/** Squashing leaves less than 2^70; this is well inside and far from zero. */
const NOISE_BITS = 64n
/** Coefficients of a polynomial of the packed form. */
const DEGREE = 1024

/** −1, 0 or 1 for the mask word at `index`: its factor in the linear form. */
type Factor = (index: number) => number

/**
 * Σ factor(i)·mask_i modulo 2^128. Words are summed in 32-bit limbs: at most 6144 terms of 2^32 are exact in a double.
 */
function innerProduct(masks: Uint8Array, factor: Factor): bigint {
  const limbs = new Uint32Array(masks.buffer, masks.byteOffset, masks.byteLength / 4)
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let i = 0, at = 0; at < limbs.length; i++, at += 4) {
    const sign = factor(i)
    if (sign === 0) continue
    a += sign * (limbs[at] ?? 0)
    b += sign * (limbs[at + 1] ?? 0)
    c += sign * (limbs[at + 2] ?? 0)
    d += sign * (limbs[at + 3] ?? 0)
  }
  return BigInt(a) + (BigInt(b) << 32n) + (BigInt(c) << 64n) + (BigInt(d) << 96n)
}

function body(product: bigint, message: bigint, rng: Rng): Uint8Array {
  const drawn = BigInt(`0x${Buffer.from(rng(8)).toString("hex")}`)
  const noise = drawn - (1n << (NOISE_BITS - 1n))
  const word = BigInt.asUintN(128, product + noise + (message << MESSAGE_SHIFT))
  const bytes = new Uint8Array(WORD_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt.asUintN(64, word), true)
  view.setBigUint64(8, word >> 64n, true)
  return bytes
}

const messages = (fheType: FheType, value: bigint): readonly bigint[] =>
  Array.from({ length: blockCountOf(fheType) }, (_, k) => (value >> BigInt(4 * k)) & 15n)

/**
 * Raw words: per block 4096 mask words and the body, under ns.
 * @param rng of the masks, @param noise of what blurs the bodies: two streams where the masks must come again
 */
export function rawWords(
  { ns }: SecretBits,
  fheType: FheType,
  value: bigint,
  rng: Rng,
  noise: Rng = rng,
): Uint8Array {
  const parts = messages(fheType, value).flatMap((message) => {
    const masks = rng(ns.length * WORD_BYTES)
    const product = innerProduct(masks, (i) => ns[i] ?? 0)
    return [masks, body(product, message, noise)]
  })
  return new Uint8Array(Buffer.concat(parts))
}

/**
 * Packed words: the 6144 mask words of one GLWE ciphertext under nsc, then a body per block. Block k is coefficient k of
 * B − Σ A_p·S_p modulo X^1024 + 1. Parameters as of {@link rawWords}.
 */
export function packedWords(
  { nsc }: SecretBits,
  fheType: FheType,
  value: bigint,
  rng: Rng,
  noise: Rng = rng,
): Uint8Array {
  const masks = rng(nsc.length * WORD_BYTES)
  const parts = messages(fheType, value).map((message, k) => {
    const product = innerProduct(masks, (i) => {
      const j = i % DEGREE
      const start = i - j
      return j <= k ? (nsc[start + k - j] ?? 0) : -(nsc[start + DEGREE + k - j] ?? 0)
    })
    return body(product, message, noise)
  })
  return new Uint8Array(Buffer.concat([masks, ...parts]))
}
