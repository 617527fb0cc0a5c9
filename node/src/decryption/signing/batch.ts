/** What a group signature says (protocol §6): a Merkle tree of results and who signed it. */
import type { Certificate } from "@twinlock/sdk/protocol/certificate"
import { signersBitmap } from "@twinlock/sdk/protocol/committee"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { GroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, pathOf, rootOf } from "@twinlock/sdk/threshold/merkle"
import type { KeySeat } from "../seat.ts"

/** A result and its hash in the tree, computed once. */
export type Leaf = {
  readonly requestId: RequestId
  readonly result: DecryptionResult
  readonly leaf: Digest
}

/** Results in the order of their leaves. */
export type Batch = { readonly leaves: readonly Leaf[]; readonly root: Digest }

/** A group signature over a batch. */
export type Certified = {
  readonly batch: Batch
  /** Bit (index − 1) stands for party `index`. */
  readonly signers: bigint
  readonly parties: readonly PartyIndex[]
  readonly signature: GroupSignature
}

/** Results under one signature at most: what a contract takes in one call. */
export const MAX_LEAVES = 64

export const leafOf = (result: DecryptionResult): Leaf => ({
  requestId: result.requestId,
  result,
  leaf: leafHash(hashDecryptionResult(result)),
})

export const batchOf = (leaves: readonly Leaf[]): Batch => ({
  leaves,
  root: rootOf(leaves.map(({ leaf }) => leaf)),
})

/** The digest that the listed parties sign. */
export function batchDigest({ key, signing }: KeySeat, batch: Batch, signers: readonly PartyIndex[]): Digest {
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

/** The certificate of result `index` of a signed batch. */
export function certificateOf({ key }: KeySeat, certified: Certified, index: number): Certificate {
  const { batch, signers, signature } = certified
  return {
    keyId: key.keyId,
    epoch: key.epoch,
    signers,
    leaves: batch.leaves.length,
    index,
    path: pathOf(
      batch.leaves.map(({ leaf }) => leaf),
      index,
    ),
    ...signature,
  }
}
