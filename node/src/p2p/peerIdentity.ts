/** The node's Ed25519 peer key and the hash that registry and quotes bind (protocol §2). */
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys"
import type { PeerId, PrivateKey } from "@libp2p/interface"
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id"
import { keccak } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { Secret } from "../secret.ts"

export type PeerIdentity = {
  readonly peerId: PeerId
  readonly peerIdHash: Digest
  readonly privateKey: PrivateKey
}

export type PeerIdentityErrorCode = "PEER_KEY_LENGTH"

/** keccak256 of the multihash bytes of a peer id. */
export const peerIdHash = (peerId: PeerId): Digest => keccak(peerId.toMultihash().bytes)

/** The same from its text form. */
export const peerIdHashOf = (text: string): Digest => peerIdHash(peerIdFromString(text))

/**
 * @param seed 32 bytes, made in the enclave. Security: `privateKey` of the result MUST NOT leave the process.
 * @throws PEER_KEY_LENGTH
 */
export async function peerIdentity(seed: Secret<Uint8Array>): Promise<PeerIdentity> {
  const privateKey = await seed.use(async (bytes) => {
    if (bytes.length !== 32)
      throw new ProtocolError({
        code: "PEER_KEY_LENGTH" satisfies PeerIdentityErrorCode,
        message: `a peer key has 32 bytes, got ${bytes.length}`,
      })
    return generateKeyPairFromSeed("Ed25519", bytes)
  })
  const peerId = peerIdFromPrivateKey(privateKey)
  return { peerId, peerIdHash: peerIdHash(peerId), privateKey }
}
