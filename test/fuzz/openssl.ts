/**
 * Stands in for the SDK's `p256.ts` while the fuzzer runs (`fastSignatures.ts` puts it there): OpenSSL verifies fifty
 * times as fast, so that a million cases fit an afternoon. What most subjects look for is in the code around it; that
 * the SDK's own arithmetic agrees with OpenSSL on mutated signatures and keys is a subject of its own.
 */
import { createPublicKey, hash, type KeyObject, verify } from "node:crypto"
import type { SignatureCheck } from "@twinlock/sdk/attestation/p256"
import { remembered } from "./remembered.ts"

function importKey(publicKey: Uint8Array): KeyObject | null {
  if (publicKey.length !== 64) return null
  const part = (start: number) => Buffer.from(publicKey.subarray(start, start + 32)).toString("base64url")
  try {
    return createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: part(0), y: part(32) } })
  } catch {
    return null
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")

const keyOf = remembered(base64, importKey, 2_000)

type Claim = Readonly<Record<"signature" | "message" | "publicKey", Uint8Array>>

const holds = remembered(
  ({ signature, message, publicKey }: Claim) =>
    `${hash("sha256", message)}/${base64(signature)}/${base64(publicKey)}`,
  ({ signature, message, publicKey }) => {
    const key = keyOf(publicKey)
    return key !== null && verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature)
  },
  5_000,
)

export const verifyP256: SignatureCheck = (signature, message, publicKey) =>
  holds({ signature, message, publicKey })

export const createSignatureCheck = (): SignatureCheck => verifyP256
