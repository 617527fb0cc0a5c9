/**
 * The key under which a store is sealed (protocol §9): K = HKDF-SHA256(K_local ‖ K_peer, scope).
 *
 * K_local comes from the guest agent's key provider. K_peer, 32 bytes per node and epoch that the other members hold
 * for each other, is optional: a scope sealed with it opens only with it, and the two kinds of key never coincide.
 *
 * Security: the derived key MUST NOT leave the process.
 */

import { hkdfSync } from "node:crypto"
import { abiEncode, keccakBytes, tagHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { assertNever, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, Epoch, KeyId } from "@twinlock/sdk/protocol/ids"
import { Secret } from "../secret.ts"

/** What a store belongs to. `peerIdHash`: keccak256 of the peer id's multihash bytes. */
export type SealingScope =
  /** Identity of the node; exists before its peer id does. */
  | { readonly kind: "node" }
  | { readonly kind: "epoch"; readonly keyId: KeyId; readonly epoch: Epoch; readonly peerIdHash: Digest }

/** The guest agent's GetKey, its signature chain already checked against the pinned provider. */
export type LocalKeyProvider = {
  /** 32 bytes bound to this application and machine or image; the same for the same path. */
  localKey(path: string): Promise<Secret<Uint8Array>>
}

export type SealingKeyErrorCode = "SEALING_KEY_LENGTH"

/** Path of K_local at the key provider. */
export const LOCAL_KEY_PATH = "twinlock/sealing/v1"

function scopeInfo(scope: SealingScope, withPeer: boolean): Uint8Array {
  const tag = tagHash("twinlock/sealing/v1")
  switch (scope.kind) {
    case "node":
      return abiEncode(tag, 0, 0, 0, 0, withPeer)
    case "epoch":
      return abiEncode(tag, 1, scope.keyId, scope.epoch, scope.peerIdHash, withPeer)
    default:
      return assertNever(scope)
  }
}

/** @returns 32 bytes. @throws SEALING_KEY_LENGTH unless both halves have 32 bytes. */
export async function deriveSealingKey(
  provider: LocalKeyProvider,
  scope: SealingScope,
  peerHalf: Secret<Uint8Array> | null = null,
): Promise<Secret<Uint8Array>> {
  const local = await provider.localKey(LOCAL_KEY_PATH)
  const info = scopeInfo(scope, peerHalf !== null)
  const derived = local.use((own) => {
    const halves = peerHalf === null ? [own] : [own, peerHalf.use((half) => half)]
    for (const half of halves)
      if (half.length !== 32)
        throw new ProtocolError({
          code: "SEALING_KEY_LENGTH" satisfies SealingKeyErrorCode,
          message: `a half of the sealing key has 32 bytes, got ${half.length}`,
        })
    const input = Buffer.concat(halves)
    const key = hkdfSync("sha256", input, keccakBytes(utf8ToBytes(LOCAL_KEY_PATH)), info, 32)
    input.fill(0)
    return new Secret(new Uint8Array(key))
  })
  local.wipe()
  return derived
}
