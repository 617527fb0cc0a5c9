/**
 * Reading opened values (protocol §3, §5): block k holds four message bits at 2^123, the value is Σ block_k·16^k. An opened
 * value must be a scalar and in range; anything else is rejected, never reduced.
 */
import { ProtocolError } from "../protocol/errors.ts"
import { blockCountOf, type FheType, fheTypeName } from "../protocol/fheType.ts"
import type { RingElement } from "./galoisRing.ts"

export type PlaintextErrorCode =
  /** another number of blocks than the type has. */
  | "PLAINTEXT_BLOCKS"
  /** a ring element with a coefficient beside the constant: no sharing of an integer was opened. */
  | "PLAINTEXT_NOT_SCALAR"
  /** outside [−2^122, 15·2^123 + 2^122), or a boolean above 1. */
  | "PLAINTEXT_RANGE"

const HALF_STEP = 1n << 122n

const bad = (code: PlaintextErrorCode, message: string): ProtocolError => new ProtocolError({ code, message })

/** The four message bits of one block. @throws PLAINTEXT_NOT_SCALAR, PLAINTEXT_RANGE */
function decodeBlock(value: RingElement, block: number): bigint {
  const [y, ...rest] = value
  if (rest.some((coefficient) => coefficient !== 0n))
    throw bad("PLAINTEXT_NOT_SCALAR", `block ${block} is not a scalar of the ring`)
  const shifted = BigInt.asUintN(128, y + HALF_STEP)
  if (shifted >> 127n !== 0n)
    throw bad("PLAINTEXT_RANGE", `block ${block} is outside [-2^122, 15*2^123 + 2^122)`)
  return shifted >> 123n
}

/**
 * Clear value of opened blocks.
 * @throws PLAINTEXT_BLOCKS, PLAINTEXT_NOT_SCALAR, PLAINTEXT_RANGE
 */
export function decodePlaintext(values: readonly RingElement[], fheType: FheType): bigint {
  if (values.length !== blockCountOf(fheType))
    throw bad(
      "PLAINTEXT_BLOCKS",
      `${fheTypeName(fheType)} has ${blockCountOf(fheType)} blocks, got ${values.length}`,
    )
  const value = values.reduce((sum, block, k) => sum + (decodeBlock(block, k) << BigInt(4 * k)), 0n)
  if (fheTypeName(fheType) === "bool" && value > 1n)
    throw bad("PLAINTEXT_RANGE", `a bool is 0 or 1, got ${value}`)
  return value
}

/** The 32-byte big-endian word that goes on chain. @throws PLAINTEXT_RANGE outside 0..2^256−1 */
export function encodePlaintextWord(value: bigint): Uint8Array {
  if (value < 0n || value >> 256n !== 0n) throw bad("PLAINTEXT_RANGE", "a plaintext word is in 0..2^256-1")
  const word = new Uint8Array(32)
  for (let i = 31, rest = value; i >= 0; i--, rest >>= 8n) word[i] = Number(rest & 255n)
  return word
}
