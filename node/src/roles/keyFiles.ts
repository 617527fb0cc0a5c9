/** An executor's key material on disk: public chunks while a key is assembled, evaluation keys afterwards. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { type KeyId, parseDigest, parseKeyId } from "@twinlock/sdk/protocol/ids"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { KeyFiles } from "../ceremony/executorVerdict.ts"
import { nullIfAbsent } from "../storage/absent.ts"
import type { ServerKeyFile } from "../threshold/serverKey.ts"

export type ExecutorKeyFiles = KeyFiles & {
  /** Keys of which there is anything. */
  stored(): Promise<readonly KeyId[]>
  /** Removes chunks, and a server key that was not written to its end. */
  removeUnfinished(keyId: KeyId): Promise<void>
  /** Removes all of a key. */
  remove(keyId: KeyId): Promise<void>
  /** Records that the assembled key passed its test. @param sha256 of the file that was tested */
  accept(keyId: KeyId, sha256: Uint8Array): Promise<void>
  /** Path and digest of an accepted key; null where there is none. */
  accepted(keyId: KeyId): Promise<ServerKeyFile | null>
}

/** @param directory created when needed. */
export function createKeyFiles(directory: string, source: BlobSource): ExecutorKeyFiles {
  const folder = (keyId: KeyId) => join(directory, keyId.slice(2))
  const chunks = (keyId: KeyId) => join(folder(keyId), "chunks")
  const chunkPath = (keyId: KeyId, chunk: number) => join(chunks(keyId), String(chunk))
  const serverKeyPath = (keyId: KeyId) => join(folder(keyId), "server.key")
  const digestPath = (keyId: KeyId) => join(folder(keyId), "server.key.sha256")
  const removeChunks = (keyId: KeyId) => rm(chunks(keyId), { recursive: true, force: true })
  return {
    serverKeyPath,
    async fetchChunk(keyId, chunk, digest, byteLength) {
      await mkdir(chunks(keyId), { recursive: true })
      // The source has checked the digest.
      await writeFile(chunkPath(keyId, chunk), await source.get(digest, byteLength))
      return chunkPath(keyId, chunk)
    },
    readChunk: (keyId, chunk) => readFile(chunkPath(keyId, chunk)),
    removeChunks,
    async removeUnfinished(keyId) {
      await removeChunks(keyId)
      await rm(`${serverKeyPath(keyId)}.new`, { force: true })
    },
    async stored() {
      const names = (await readdir(directory).catch(nullIfAbsent)) ?? []
      return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => parseKeyId(`0x${name}`))
    },
    remove: (keyId) => rm(folder(keyId), { recursive: true, force: true }),
    async accept(keyId, sha256) {
      await writeFile(`${digestPath(keyId)}.new`, toHex(sha256))
      await rename(`${digestPath(keyId)}.new`, digestPath(keyId))
    },
    async accepted(keyId) {
      const text = await readFile(digestPath(keyId), "utf8").catch(nullIfAbsent)
      return text === null ? null : { path: serverKeyPath(keyId), sha256: fromHex(parseDigest(text)) }
    },
  }
}
