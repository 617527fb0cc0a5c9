/** What a group signature says (protocol §6): a Merkle tree of results and who signed it. */
import type { Certificate } from "@twinlock/sdk/protocol/certificate"
import { signersBitmap } from "@twinlock/sdk/protocol/committee"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { GroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, pathOf, rootOf } from "@twinlock/sdk/threshold/merkle"
import type { KeySeat } from "../seat.ts"

/** Results in the order of their leaves. */
export type Batch = { readonly results: readonly DecryptionResult[]; readonly root: Digest }

const leavesOf = (results: readonly DecryptionResult[]) =>
  results.map((result) => leafHash(hashDecryptionResult(result)))

export const batchOf = (results: readonly DecryptionResult[]): Batch => ({
  results,
  root: rootOf(leavesOf(results)),
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
      leaves: batch.results.length,
    }),
  )
}

/** The certificate of result `index` of a signed batch. */
export function certificateOf(
  { key }: KeySeat,
  batch: Batch,
  signers: bigint,
  signature: GroupSignature,
  index: number,
): Certificate {
  return {
    keyId: key.keyId,
    epoch: key.epoch,
    signers,
    leaves: batch.results.length,
    index,
    path: pathOf(leavesOf(batch.results), index),
    ...signature,
  }
}
