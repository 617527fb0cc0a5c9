/**
 * Content-addressed files: public ciphertexts, key chunks and keys, named by their SHA-256. A reader checks the digest
 * itself, so the store needs no trust; it only must not serve or keep anything that does not match its name.
 */
import { createHash, randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, open, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { Readable } from "node:stream"
import { coordinatorError } from "./httpError.ts"

export type BlobStore = {
  has(digest: string): Promise<boolean>
  /** @throws BLOB_NOT_FOUND */
  read(digest: string): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> }>
  /** Streams to disk; the file appears under its name only when size and digest fit. @throws BLOB_DIGEST_MISMATCH, BLOB_TOO_LARGE */
  write(digest: string, body: AsyncIterable<Uint8Array>): Promise<void>
}

/** @param directory created if absent. @param maxBytes per blob. */
export async function createBlobStore(directory: string, maxBytes: number): Promise<BlobStore> {
  const incoming = join(directory, "incoming")
  await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming, { recursive: true })
  const pathOf = (digest: string) => join(directory, digest.slice(0, 2), digest)
  const size = (digest: string) =>
    stat(pathOf(digest)).then(
      (entry) => entry.size,
      () => null,
    )

  return {
    has: async (digest) => (await size(digest)) !== null,
    async read(digest) {
      const bytes = await size(digest)
      if (bytes === null) throw coordinatorError({ code: "BLOB_NOT_FOUND", message: `no blob ${digest}` })
      return {
        size: bytes,
        body: Readable.toWeb(createReadStream(pathOf(digest))) as ReadableStream<Uint8Array>,
      }
    },
    async write(digest, body) {
      const temporary = join(incoming, randomUUID())
      const file = await open(temporary, "wx")
      try {
        const hash = createHash("sha256")
        let written = 0
        for await (const chunk of body) {
          written += chunk.byteLength
          if (written > maxBytes)
            throw coordinatorError({
              code: "BLOB_TOO_LARGE",
              message: `a blob has at most ${maxBytes} bytes`,
            })
          hash.update(chunk)
          await file.writeFile(chunk)
        }
        const actual = hash.digest("hex")
        if (actual !== digest)
          throw coordinatorError({
            code: "BLOB_DIGEST_MISMATCH",
            message: `the bytes hash to ${actual}, not ${digest}`,
          })
        await file.sync()
        await file.close()
        await mkdir(join(directory, digest.slice(0, 2)), { recursive: true })
        await rename(temporary, pathOf(digest))
      } catch (error) {
        await file.close().catch(() => {})
        await rm(temporary, { force: true })
        throw error
      }
    },
  }
}
