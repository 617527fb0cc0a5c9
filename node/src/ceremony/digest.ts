/** SHA-256 of large public byte strings, by the platform's implementation. */
import { createHash, type Hash } from "node:crypto"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"

export const bytesDigest = (bytes: Uint8Array): Digest => finishDigest(startDigest().update(bytes))
export const startDigest = (): Hash => createHash("sha256")
export const finishDigest = (hash: Hash): Digest => parseDigest(toHex(hash.digest()))
