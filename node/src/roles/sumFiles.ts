/** The chunks that this node has summed in a running ceremony, as files: a quarter of 512 MB where four parties share them. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { KeptSums } from "../ceremony/keptSums.ts"

/** @param directory for these files alone: created when needed, removed when cleared */
export function createSumFiles(directory: string): KeptSums {
  const pathOf = (digest: Digest) => join(directory, digest.slice(2))
  return {
    async put(digest, bytes) {
      await mkdir(directory, { recursive: true })
      await writeFile(pathOf(digest), bytes)
    },
    async get(digest) {
      try {
        return await readFile(pathOf(digest))
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return null
        throw error
      }
    },
    clear: () => rm(directory, { recursive: true, force: true }),
  }
}
