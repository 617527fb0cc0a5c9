/**
 * Who this node is (protocol §2): an Ed25519 peer key and a secp256k1 signer, made in the enclave, sealed in the store.
 *
 * Security: both keys MUST NOT leave the process in any other form.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import { type PeerIdentity, peerIdentity } from "./p2p/peerIdentity.ts"
import { Secret } from "./secret.ts"
import type { SealedStore } from "./storage/sealedStore.ts"

export type IdentityErrorCode =
  /** `init` has not run on this store. */
  "IDENTITY_MISSING"

export type NodeIdentity = {
  readonly signer: Address
  readonly signerKey: Secret<Uint8Array>
  readonly peer: PeerIdentity
}

/** What may be shown and registered. */
export type PublicIdentity = {
  readonly signer: Address
  readonly peerId: string
  readonly peerIdHash: Digest
}

const KIND = "identity"
const PEER_KEY = "peer-key"
const SIGNER_KEY = "signer-key"

export const publicIdentity = ({ signer, peer }: NodeIdentity): PublicIdentity => ({
  signer,
  peerId: peer.peerId.toString(),
  peerIdHash: peer.peerIdHash,
})

/** Makes what is missing and loads the rest: running it again changes nothing. */
export async function initIdentity(store: SealedStore, rng: Rng): Promise<NodeIdentity> {
  await store.putIfAbsent(KIND, PEER_KEY, rng(32))
  await store.putIfAbsent(KIND, SIGNER_KEY, secretKey(rng))
  return loadIdentity(store)
}

/** @throws IDENTITY_MISSING */
export async function loadIdentity(store: SealedStore): Promise<NodeIdentity> {
  const [seed, signer] = await Promise.all([store.get(KIND, PEER_KEY), store.get(KIND, SIGNER_KEY)])
  if (seed === null || signer === null)
    throw new ProtocolError({
      code: "IDENTITY_MISSING" satisfies IdentityErrorCode,
      message: "the store holds no identity: run `twinlock-node init` first",
    })
  const peerSeed = new Secret(seed)
  const peer = await peerIdentity(peerSeed)
  peerSeed.wipe()
  return { signer: addressOfSecretKey(signer), signerKey: new Secret(signer), peer }
}

/** A uniform scalar: what is no valid key is drawn again. */
function secretKey(rng: Rng): Uint8Array {
  for (;;) {
    const key = rng(32)
    try {
      addressOfSecretKey(key)
      return key
    } catch {
      // Zero or above the order: one in 2^128.
    }
  }
}
