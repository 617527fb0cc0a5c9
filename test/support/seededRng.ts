import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import type { Rng } from "../../sdk/src/protocol/rng.ts"

/** A reproducible generator for tests: SHA-256 of label and counter. Never for production. */
export function seededRng(label: string): Rng {
  let counter = 0
  return (bytes) => {
    const blocks: Uint8Array[] = []
    for (let have = 0; have < bytes; have += 32) blocks.push(sha256(utf8ToBytes(`${label}/${counter++}`)))
    return concatBytes(...blocks).slice(0, bytes)
  }
}
