/** Certificate of one result (protocol §6, §7): a group signature over a batch, and the result's place in the batch. */
import type { Address, Digest, Epoch, KeyId } from "./ids.ts"

export type Certificate = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  /** Bit (index − 1) stands for party `index`. */
  readonly signers: bigint
  /** Results in the batch; fixes the depth of the tree. */
  readonly leaves: number
  /** Position of the result, from 0. */
  readonly index: number
  /** Siblings from the leaf upwards. */
  readonly path: readonly Digest[]
  /** Address of the commitment point R. */
  readonly r: Address
  readonly s: bigint
}
