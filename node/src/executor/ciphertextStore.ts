/**
 * Ciphertexts by handle, with where they come from. Public data in plain files; each is written once, atomically, and a
 * handle always means the same bytes.
 */
import { randomUUID } from "node:crypto"
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { concatBytes, fromHex, Reader, sha256Digest } from "@twinlock/sdk/protocol/codec"
import { type Digest, type Handle, parseDigest } from "@twinlock/sdk/protocol/ids"
import { nullIfAbsent } from "../storage/absent.ts"

export type StoredCiphertext = {
  readonly operationDigest: Digest
  readonly inputsDigest: Digest
  readonly bytes: Uint8Array
  /** SHA-256 of the bytes. */
  readonly digest: Digest
}

export type CiphertextStore = {
  put(handle: Handle, ciphertext: Omit<StoredCiphertext, "digest">): Promise<void>
  get(handle: Handle): Promise<StoredCiphertext | null>
  has(handle: Handle): Promise<boolean>
}

/** @param directory created if absent. */
export async function createCiphertextStore(directory: string): Promise<CiphertextStore> {
  await mkdir(directory, { recursive: true })
  const pathOf = (handle: Handle) => join(directory, handle.slice(2))
  return {
    async put(handle, { operationDigest, inputsDigest, bytes }) {
      const temporary = join(directory, `${randomUUID()}.new`)
      const file = await open(temporary, "wx")
      try {
        await file.writeFile(concatBytes(fromHex(operationDigest), fromHex(inputsDigest), bytes))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, pathOf(handle)).catch(async (error: unknown) => {
        await rm(temporary, { force: true })
        throw error
      })
    },
    has: async (handle) => (await stat(pathOf(handle)).catch(nullIfAbsent)) !== null,
    async get(handle) {
      const file = await readFile(pathOf(handle)).catch(nullIfAbsent)
      if (file === null) return null
      const reader = new Reader(file)
      const operationDigest = parseDigest(reader.hex(32))
      const inputsDigest = parseDigest(reader.hex(32))
      const bytes = reader.take(file.length - 64)
      return { operationDigest, inputsDigest, bytes, digest: sha256Digest(bytes) }
    },
  }
}
