/** Types of encrypted values (protocol §1, codes as in fhEVM handles) and the size of their squashed ciphertexts (§5). */
import { assertNever, ProtocolError } from "./errors.ts"

export type FheTypeErrorCode = "UNKNOWN_FHE_TYPE"

export type FheTypeName =
  | "bool"
  | "uint4"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "uint128"
  | "uint160"
  | "uint256"
/** Wire code of a type. */
export type FheType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

export const FHE_TYPES = {
  bool: 0,
  uint4: 1,
  uint8: 2,
  uint16: 3,
  uint32: 4,
  uint64: 5,
  uint128: 6,
  uint160: 7,
  uint256: 8,
} as const

const NAMES = [
  "bool",
  "uint4",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "uint128",
  "uint160",
  "uint256",
] as const satisfies readonly FheTypeName[]
const BITS = [1, 4, 8, 16, 32, 64, 128, 160, 256] as const

/** @throws UNKNOWN_FHE_TYPE */
export function parseFheType(code: number): FheType {
  if (!Number.isInteger(code) || code < 0 || code >= NAMES.length)
    throw new ProtocolError({
      code: "UNKNOWN_FHE_TYPE",
      message: `fhe type must be in 0..${NAMES.length - 1}, got ${code}`,
    })
  return code as FheType
}

export const fheTypeName = (type: FheType): FheTypeName => NAMES[type]

/** Bits of the clear value. */
export const bitsOf = (type: FheType): number => BITS[type]

/** Packed blocks of the squashed ciphertext: 4 bits each, at least one. */
export const blockCountOf = (type: FheType): number => Math.max(1, BITS[type] / 4)

/** Words of a block in the raw format: 4096 mask words and the body, u128 little-endian. */
export const RAW_BLOCK_BYTES: number = 4097 * 16
/** Mask words of a value in the packed format: 6 polynomials of 1024 words. */
export const PACKED_MASK_WORDS: number = 6 * 1024
/** Types of fewer blocks are raw: packed, they would be longer. */
const FIRST_PACKED_BLOCKS = 8

/**
 * How canonical words are read (protocol §1): "raw", block by block under the key part `ns`, or "packed", all blocks of the
 * value in one ciphertext under `nsc`. A function of the type: one handle has one reading.
 */
export type WordFormat = "raw" | "packed"

export const wordFormatOf = (type: FheType): WordFormat => wordFormatOfBlocks(blockCountOf(type))

/** The format of the types of that many blocks. */
export const wordFormatOfBlocks = (blockCount: number): WordFormat =>
  blockCount < FIRST_PACKED_BLOCKS ? "raw" : "packed"

/** Bytes of the canonical words ("blob") of a squashed ciphertext, exactly. */
export function blobBytesOf(type: FheType): number {
  const format = wordFormatOf(type)
  const blocks = blockCountOf(type)
  switch (format) {
    case "raw":
      return blocks * RAW_BLOCK_BYTES
    case "packed":
      return (PACKED_MASK_WORDS + blocks) * 16
    default:
      return assertNever(format)
  }
}

/** One ring element per block: 4 coefficients of 16 bytes. */
export const SHARE_BYTES_PER_BLOCK = 64
/** The widest type has this many blocks. */
export const MAX_BLOCKS = 64
