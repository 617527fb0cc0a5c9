/**
 * The key provider of the simulated platform: dstack's derivations from a public seed. Nothing
 * that it derives is secret; the local network has no secrets worth keeping.
 */
import { createHash, hkdfSync } from "node:crypto"
import { ed25519 } from "@noble/curves/ed25519.js"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { concatBytes, keccakBytes, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"

export type KeyAlgorithm = "secp256k1" | "ed25519"

export type DerivedKey = {
  readonly key: Uint8Array
  readonly publicKey: Uint8Array
  /** Application key over this key, provider over the application key; r ‖ s ‖ recovery each. */
  readonly signatureChain: readonly Uint8Array[]
}

export type KeyService = {
  /** Compressed secp256k1 key of the provider. */
  readonly rootKey: Hex
  /** Payload of the key-provider event. */
  readonly providerPayload: string
  readonly derive: (appId: Uint8Array, path: string, purpose: string, algorithm: KeyAlgorithm) => DerivedKey
}

const hkdf = (key: Uint8Array, ...context: readonly (Uint8Array | string)[]) =>
  new Uint8Array(
    hkdfSync("sha256", key, "RATLS", Buffer.concat(context.map((part) => Buffer.from(part))), 32),
  )

/** r ‖ s ‖ recovery over a 32-byte digest. */
export function signRecoverable(digest: Uint8Array, key: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(digest, key, { prehash: false, format: "recovered" })
  return concatBytes(signature.subarray(1), signature.subarray(0, 1))
}

export function createKeyService(seed: string): KeyService {
  const root = new Uint8Array(createHash("sha256").update(`twinlock devnet key service:${seed}`).digest())
  const rootKey = toHex(secp256k1.getPublicKey(root, true))
  return {
    rootKey,
    providerPayload: JSON.stringify({ name: "kms", id: rootKey.slice(2) }),
    derive(appId, path, purpose, algorithm) {
      const application = hkdf(root, appId, "app-key")
      const applicationKey = secp256k1.getPublicKey(application, true)
      const key = hkdf(application, path)
      const publicKey =
        algorithm === "ed25519" ? ed25519.getPublicKey(key) : secp256k1.getPublicKey(key, true)
      const statement = utf8ToBytes(`${purpose}:${toHex(publicKey).slice(2)}`)
      const issued = concatBytes(utf8ToBytes("dstack-kms-issued:"), appId, applicationKey)
      return {
        key,
        publicKey,
        signatureChain: [
          signRecoverable(keccakBytes(statement), application),
          signRecoverable(keccakBytes(issued), root),
        ],
      }
    },
  }
}
