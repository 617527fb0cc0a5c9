/**
 * Key ids (protocol §1): the host binding is part of the id, so nobody can add a chain or swap a contract under an
 * existing key.
 */
import { taggedHash } from "./codec.ts"
import { type Address, type Digest, type KeyId, parseKeyId } from "./ids.ts"

/** Host chain and its immutable contracts that decide about decryption. */
export type HostBinding = {
  readonly chainId: bigint
  readonly coprocessor: Address
  readonly gateway: Address
}

/** @param key.chainId chain of the registry; `ceremonyNonce` counts its proposals. */
export const keyIdOf = (key: {
  readonly genesisHash: Digest
  readonly chainId: bigint
  readonly keyRegistry: Address
  readonly ceremonyNonce: bigint
  readonly host: HostBinding
}): KeyId =>
  parseKeyId(
    taggedHash(
      "twinlock/key/v1",
      key.genesisHash,
      key.chainId,
      key.keyRegistry,
      key.ceremonyNonce,
      key.host.chainId,
      key.host.coprocessor,
      key.host.gateway,
    ),
  )
