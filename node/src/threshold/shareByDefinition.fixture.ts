/**
 * The decryption share by its definition (protocol §5), in BigInt and from a share in the open: the slow twin of the native
 * kernels, which it shares no line with. For tests only.
 */
import { createCipheriv, createHash, hkdfSync } from "node:crypto"
import { concatBytes, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { WordFormat } from "@twinlock/sdk/protocol/fheType"
import { formatCode } from "@twinlock/sdk/protocol/session"
import {
  add,
  alpha,
  decode,
  encode,
  invert,
  mul,
  ONE,
  type RingElement,
  scalar,
  scale,
  sub,
} from "@twinlock/sdk/threshold/galoisRing"

const [NS_BITS, NSC_BITS, DEGREE] = [4096, 6144, 1024]
const HEADER_BYTES = 4
const ELEMENT_BYTES = 64
const KEY_BYTES = 32
const LIMIT = 1n << 122n
const SQUASH_NOISE = 1n << 70n

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(
    createHash("sha256")
      .update(concatBytes(...parts))
      .digest(),
  )

const littleEndian = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`)
const wordAt = (words: Uint8Array, index: number): bigint =>
  littleEndian(words.subarray(16 * index, 16 * index + 16))

/** Every set of n − t parties that holds `party`, ascending by bitmask. */
function setsWith(party: number, n: number, t: number): readonly number[] {
  const members = (set: number) => set.toString(2).replaceAll("0", "").length
  const all = Array.from({ length: 1 << n }, (_, set) => set)
  return all.filter((set) => members(set) === n - t && (set >> (party - 1)) & 1)
}

/** f_A(α_party) = Π_{j ∉ A} (α_party − α_j)·(−α_j)^{-1} */
function factorOf(set: number, party: number, n: number): RingElement {
  const outside = Array.from({ length: n }, (_, i) => i + 1).filter((j) => !((set >> (j - 1)) & 1))
  return outside.reduce((product, j) => {
    const inverse = invert(sub([0n, 0n, 0n, 0n], alpha(j)))
    return mul(product, mul(sub(alpha(party), alpha(j)), inverse))
  }, ONE)
}

/** The largest power of two B with 2·C(n,t)·B + 2^70 < 2^122. */
function floodBound(n: number, t: number): bigint {
  let sets = 1n
  for (let i = 0n; i < t; i++) sets = (sets * (BigInt(n) - i)) / (i + 1n)
  let bound = 1n << 122n
  while (2n * sets * bound + SQUASH_NOISE >= LIMIT) bound >>= 1n
  return bound
}

function maskOf(encoded: Uint8Array, context: Uint8Array, block: number): RingElement {
  const [n = 0, t = 0, party = 0] = encoded.subarray(1, HEADER_BYTES)
  const bound = floodBound(n, t)
  const keys = HEADER_BYTES + (NS_BITS + NSC_BITS) * ELEMENT_BYTES
  const info = concatBytes(utf8ToBytes("twinlock/prss/v1"), context, utf8ToBytes("phi"))
  return setsWith(party, n, t).reduce<RingElement>((sum, set, i) => {
    const replicated = encoded.subarray(keys + KEY_BYTES * i, keys + KEY_BYTES * (i + 1))
    const key = new Uint8Array(hkdfSync("sha256", replicated, new Uint8Array(0), info, KEY_BYTES))
    const phi = (counter: number): bigint => {
      const input = new Uint8Array(16)
      new DataView(input.buffer).setUint32(12, counter)
      const cipher = createCipheriv("aes-256-ecb", key, null)
      return (littleEndian(new Uint8Array(cipher.update(input))) % (2n * bound)) - bound
    }
    return add(sum, scale(factorOf(set, party, n), phi(2 * block) + phi(2 * block + 1)))
  }, scalar(0n))
}

/** @param element of the encoded share, in the order of the encoding */
const elementAt = (encoded: Uint8Array, element: number): RingElement =>
  decode(encoded.subarray(HEADER_BYTES), element)

function rawPhase(encoded: Uint8Array, words: Uint8Array, block: number): RingElement {
  const first = block * (NS_BITS + 1)
  let phase = scalar(wordAt(words, first + NS_BITS))
  for (let j = 0; j < NS_BITS; j++) phase = sub(phase, scale(elementAt(encoded, j), wordAt(words, first + j)))
  return phase
}

/** Coefficient `block` of B − Σ A_p·S_p modulo X^1024 + 1. */
function packedPhase(encoded: Uint8Array, words: Uint8Array, block: number): RingElement {
  let phase = scalar(wordAt(words, NSC_BITS + block))
  for (let at = 0; at < NSC_BITS; at++) {
    const j = at % DEGREE
    const partner = NS_BITS + at - j + ((block - j + DEGREE) % DEGREE)
    const term = scale(elementAt(encoded, partner), wordAt(words, at))
    phase = j <= block ? sub(phase, term) : add(phase, term)
  }
  return phase
}

/**
 * @param encoded version(1) ‖ n(1) ‖ t(1) ‖ index(1) ‖ ns ‖ nsc ‖ replicated keys
 * @param session 32 bytes
 * @param blocks of these words whose elements are wanted: the whole share of a wide type takes minutes
 */
export function shareByDefinition(
  encoded: Uint8Array,
  { words, session, format }: { words: Uint8Array; session: Uint8Array; format: WordFormat },
  blocks: readonly number[],
): readonly Uint8Array[] {
  const context = sha256(
    utf8ToBytes("twinlock/mask-context/v2"),
    session,
    Uint8Array.of(formatCode(format)),
    sha256(words),
  )
  const phase = format === "raw" ? rawPhase : packedPhase
  return blocks.map((block) => encode(add(phase(encoded, words, block), maskOf(encoded, context, block))))
}
