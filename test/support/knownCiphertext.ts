/** Ciphertexts of known values: what executors commit to for their words, and shares without masks in place of real ones. */
import { type Commitment, commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import { blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import { formatHandle, type HandleDomain } from "@twinlock/sdk/protocol/handles"
import {
  type Digest,
  type Epoch,
  type Handle,
  type KeyId,
  parseDigest,
  type SessionId,
} from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import { sessionIdOf } from "@twinlock/sdk/protocol/session"
import { encode, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { share } from "@twinlock/sdk/threshold/shamir"

export type CiphertextKey = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly parametersHash: Digest
  readonly domain: HandleDomain
}

export type Committed = {
  readonly details: Commitment
  readonly leaf: Digest
  readonly session: SessionId
}

const ZERO = parseDigest(`0x${"00".repeat(32)}`)

/** A handle that no operation made. */
export const handleOf = ({ chainId }: HandleDomain, hash: Digest, fheType: FheType): Handle =>
  formatHandle({ hash, index: 255, chainId, fheType })

/** The commitment of a handle to words of this digest. */
export function committed(
  { keyId, epoch, parametersHash, domain }: CiphertextKey,
  handle: Handle,
  fheType: FheType,
  squashedDigest: Digest,
): Committed {
  const blockCount = blockCountOf(fheType)
  const nothing = { operationDigest: ZERO, inputsDigest: ZERO, ciphertextDigest: ZERO }
  const details: Commitment = { handle, ...nothing, squashedDigest, fheType, blockCount }
  return {
    details,
    leaf: commitmentLeaf(domain, details),
    session: sessionIdOf({ keyId, epoch, parametersHash, blockCount, squashedDigest }),
  }
}

/** Shares of a value in blocks of four bits, by party index − 1: 64 bytes per block. */
export function sharesOfValue(
  value: bigint,
  blockCount: number,
  { n, t }: { readonly n: number; readonly t: number },
  rngOf: (block: number) => Rng,
): readonly Uint8Array[] {
  const parties = Array.from({ length: n }, () => new Uint8Array(64 * blockCount))
  for (let block = 0; block < blockCount; block++) {
    const digit = ((value >> BigInt(4 * block)) & 15n) << 123n
    share(scalar(digit), n, t, rngOf(block)).forEach((dealt, at) => {
      parties[at]?.set(encode(dealt.value), 64 * block)
    })
  }
  return parties
}
