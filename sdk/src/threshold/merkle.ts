/**
 * Merkle tree of a batch of results (protocol §6): leaf = keccak(0x00 ‖ content), node = keccak(0x01 ‖ left ‖ right),
 * padded to a power of two with keccak(0x02). The depth is fixed by the number of leaves; one leaf is its own root.
 */
import { concatBytes, fromHex, keccak } from "../protocol/codec.ts"
import { ProtocolError } from "../protocol/errors.ts"
import type { Digest } from "../protocol/ids.ts"

export type MerkleErrorCode = "MERKLE_SIZE" | "MERKLE_INDEX"

const PADDING: Digest = keccak(Uint8Array.of(2))

/** @param structHash EIP-712 struct hash of the result. */
export const leafHash = (structHash: Digest): Digest =>
  keccak(concatBytes(Uint8Array.of(0), fromHex(structHash)))

export const nodeHash = (left: Digest, right: Digest): Digest =>
  keccak(concatBytes(Uint8Array.of(1), fromHex(left), fromHex(right)))

const MAX_LEAVES = 2 ** 30
const isCount = (leaves: number): boolean => Number.isInteger(leaves) && leaves >= 1 && leaves <= MAX_LEAVES

/** Levels above the leaves. @throws MERKLE_SIZE unless 1 ≤ leaves ≤ 2^30 */
export function depthOf(leaves: number): number {
  if (!isCount(leaves))
    throw new ProtocolError({ code: "MERKLE_SIZE", message: `want 1..2^30 leaves, got ${leaves}` })
  return 32 - Math.clz32(leaves - 1)
}

const isIndex = (index: number, leaves: number): boolean =>
  Number.isInteger(index) && index >= 0 && index < leaves

/** A tree with all of its nodes, so that the paths of all leaves cost one computation. */
export type MerkleTree = {
  readonly root: Digest
  /** Leaves without the padding. */
  readonly leaves: number
  /** From the padded leaves to the root. */
  readonly levels: readonly (readonly Digest[])[]
}

/** @throws MERKLE_SIZE for an empty list. */
export function merkleTree(leaves: readonly Digest[]): MerkleTree {
  const padding = new Array<Digest>(2 ** depthOf(leaves.length) - leaves.length).fill(PADDING)
  const levels: (readonly Digest[])[] = [[...leaves, ...padding]]
  for (let level = levels[0] ?? []; level.length > 1; level = levels.at(-1) ?? []) {
    const below = level
    levels.push(
      Array.from({ length: below.length / 2 }, (_, i) =>
        nodeHash(below[2 * i] ?? PADDING, below[2 * i + 1] ?? PADDING),
      ),
    )
  }
  return { root: levels.at(-1)?.[0] ?? PADDING, leaves: leaves.length, levels }
}

/** @throws MERKLE_SIZE for an empty list. */
export const rootOf = (leaves: readonly Digest[]): Digest => merkleTree(leaves).root

/** Siblings of leaf `index`, from the leaf upwards. @throws MERKLE_INDEX */
export function pathIn({ leaves, levels }: MerkleTree, index: number): readonly Digest[] {
  if (!isIndex(index, leaves))
    throw new ProtocolError({
      code: "MERKLE_INDEX",
      message: `index must be in 0..${leaves - 1}, got ${index}`,
    })
  return levels.slice(0, -1).map((level, height) => level[(index >> height) ^ 1] ?? PADDING)
}

/** Place of a leaf: number `index` of `leaves`, with the siblings from the leaf upwards. */
export type LeafPlace = {
  readonly leaf: Digest
  readonly index: number
  readonly leaves: number
  readonly path: readonly Digest[]
}

/** Root over a leaf; null where a tree of that size has no such place, or the path another length. */
export function rootOfPath({ leaf, index, leaves, path }: LeafPlace): Digest | null {
  if (!isCount(leaves) || path.length !== depthOf(leaves) || !isIndex(index, leaves)) return null
  return path.reduce(
    (node, sibling, height) => ((index >> height) & 1 ? nodeHash(sibling, node) : nodeHash(node, sibling)),
    leaf,
  )
}

/** True where `leaf` is number `index` of `leaves` leaves under `root`. */
export const verifyPath = (proof: LeafPlace & { readonly root: Digest }): boolean =>
  rootOfPath(proof) === proof.root
