/**
 * Metadata under the zero-knowledge proof of an encrypted input (protocol §1). It binds the list to contract, user, key
 * and CRS: the proof of a copied list fails for everybody else.
 */
import { abiEncode, tagHash } from "./codec.ts"
import type { Address, Digest, KeyId } from "./ids.ts"

export type InputContext = {
  readonly chainId: bigint
  readonly coprocessor: Address
  readonly contract: Address
  readonly user: Address
  readonly keyId: KeyId
  readonly crsDigest: Digest
}

/** 224 bytes: the tag's hash and the six fields as ABI words. */
export const inputMetadata = (context: InputContext): Uint8Array =>
  abiEncode(
    tagHash("twinlock/input/v1"),
    context.chainId,
    context.coprocessor,
    context.contract,
    context.user,
    context.keyId,
    context.crsDigest,
  )
