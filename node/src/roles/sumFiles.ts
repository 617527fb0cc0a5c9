/**
 * What this node keeps of a running ceremony, as files: the chunks that it has summed (a quarter of 512 MB where four parties
 * share them) and the lists of the CRS (3.6 MB for each party).
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { KeptSums } from "../ceremony/keptSums.ts"
import { nullIfAbsent } from "../storage/absent.ts"

/** @param directory for these files alone: created when needed, removed when cleared */
export function createSumFiles(directory: string): KeptSums {
  const pathOf = (digest: Digest) => join(directory, digest.slice(2))
  return {
    async put(digest, bytes) {
      await mkdir(directory, { recursive: true })
      await writeFile(pathOf(digest), bytes)
    },
    get: (digest) => readFile(pathOf(digest)).catch(nullIfAbsent),
    clear: () => rm(directory, { recursive: true, force: true }),
  }
}
