import { createCipheriv, createHash } from "node:crypto"
import type { Rng } from "@twinlock/sdk/protocol/rng"

/** A reproducible generator for megabytes: the AES-256-CTR key stream of a label. Never for production. */
export function keystreamRng(label: string): Rng {
  const key = createHash("sha256").update(label).digest()
  const cipher = createCipheriv("aes-256-ctr", key, new Uint8Array(16))
  return (bytes) => new Uint8Array(cipher.update(new Uint8Array(bytes)))
}
