/** What a group signature says (protocol §6): a Merkle tree of results and who signed it. */
import type { Certificate, CompactSignature } from "@twinlock/sdk/protocol/certificate"
import { signersBitmap } from "@twinlock/sdk/protocol/committee"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { GroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, type MerkleTree, merkleTree, pathIn } from "@twinlock/sdk/threshold/merkle"
import type { KeySeat } from "../seat.ts"

/** A result and its hash in the tree, computed once. */
export type Leaf = {
  readonly requestId: RequestId
  readonly result: DecryptionResult
  readonly leaf: Digest
}

/** Results in the order of their leaves. */
export type Batch = { readonly leaves: readonly Leaf[]; readonly root: Digest; readonly tree: MerkleTree }

/** A batch with what a contract accepts it by: a group signature (rule B′), or those of a quorum of seats (rule E). */
export type CertifiedBatch = GroupCertified | EndorsedBatch

export type GroupCertified = {
  readonly kind: "group"
  readonly batch: Batch
  /** Ascending, as in the bitmap under the signature. */
  readonly parties: readonly PartyIndex[]
  readonly signature: GroupSignature
}

export type EndorsedBatch = {
  readonly kind: "endorsed"
  readonly batch: Batch
  /** Ascending, at least a quorum. */
  readonly parties: readonly PartyIndex[]
  /** By party, in their order. */
  readonly signatures: readonly CompactSignature[]
}

/** Results under one signature at most: what a contract takes in one call. */
export const MAX_LEAVES = 64

export const leafOf = (result: DecryptionResult): Leaf => ({
  requestId: result.requestId,
  result,
  leaf: leafHash(hashDecryptionResult(result)),
})

export function batchOf(leaves: readonly Leaf[]): Batch {
  const tree = merkleTree(leaves.map(({ leaf }) => leaf))
  return { leaves, root: tree.root, tree }
}

/** What signatures say of a batch. */
type Signed = Pick<Batch, "root" | "leaves">

/** The digest that the listed parties sign. */
export function batchDigest(
  { key, signing }: KeySeat,
  batch: Signed,
  signers: readonly PartyIndex[],
): Digest {
  const { keyId, epoch } = key
  return typedDigest(
    signing,
    hashResultBatch({
      keyId,
      epoch,
      signers: signersBitmap(signers),
      root: batch.root,
      leaves: batch.leaves.length,
    }),
  )
}

/** The digest that a seat signs for rules E and A: it names no signers. */
export const endorsedDigest = ({ key, signing }: KeySeat, batch: Signed): Digest =>
  typedDigest(
    signing,
    hashEndorsedBatch({
      keyId: key.keyId,
      epoch: key.epoch,
      root: batch.root,
      leaves: batch.leaves.length,
    }),
  )

/** The place of a result in its batch. @throws MERKLE_INDEX where it is not in it */
export function placeOf(
  { leaves, tree }: Batch,
  requestId: RequestId,
): Pick<Certificate, "leaves" | "index" | "path"> {
  const index = leaves.findIndex((leaf) => leaf.requestId === requestId)
  return { leaves: leaves.length, index, path: pathIn(tree, index) }
}
