/** An executor's key material on disk: public chunks while a key is assembled, evaluation keys afterwards. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type Digest, type KeyId, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { KeyFiles } from "../ceremony/executorVerdict.ts"

export type ExecutorKeyFiles = KeyFiles & {
  /** Records that the assembled key passed its test, with the digest of the file. */
  accept(keyId: KeyId): Promise<void>
  /** Path and digest of an accepted key; null where there is none. */
  accepted(keyId: KeyId): Promise<{ readonly path: string; readonly sha256: Uint8Array } | null>
}

async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash("sha256")
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return parseDigest(`0x${hash.digest("hex")}`)
}

/** @param directory created when needed. */
export function createKeyFiles(directory: string, source: BlobSource): ExecutorKeyFiles {
  const folder = (keyId: KeyId) => join(directory, keyId.slice(2))
  const chunks = (keyId: KeyId) => join(folder(keyId), "chunks")
  const chunkPath = (keyId: KeyId, chunk: number) => join(chunks(keyId), String(chunk))
  const serverKeyPath = (keyId: KeyId) => join(folder(keyId), "server.key")
  const digestPath = (keyId: KeyId) => join(folder(keyId), "server.key.sha256")
  return {
    serverKeyPath,
    async fetchChunk(keyId, chunk, digest, byteLength) {
      await mkdir(chunks(keyId), { recursive: true })
      // The source has checked the digest.
      await writeFile(chunkPath(keyId, chunk), await source.get(digest, byteLength))
      return chunkPath(keyId, chunk)
    },
    readChunk: (keyId, chunk) => readFile(chunkPath(keyId, chunk)),
    removeChunks: (keyId) => rm(chunks(keyId), { recursive: true, force: true }),
    async accept(keyId) {
      const digest = await digestOfFile(serverKeyPath(keyId))
      await writeFile(`${digestPath(keyId)}.new`, digest)
      await rename(`${digestPath(keyId)}.new`, digestPath(keyId))
    },
    async accepted(keyId) {
      const text = await readFile(digestPath(keyId), "utf8").catch(() => null)
      return text === null ? null : { path: serverKeyPath(keyId), sha256: Buffer.from(text.slice(2), "hex") }
    },
  }
}
