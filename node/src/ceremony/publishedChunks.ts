/** Chunks of the key as everybody can fetch them: public bytes under the digest that their summing party has signed. */
import type { Committee } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { BlobSource } from "../blobs/blobSource.ts"
import { summingParty } from "./contributions.ts"
import { bytesDigest } from "./digest.ts"
import type { ChunkLayout } from "./engine.ts"

export type PublishedChunkErrorCode =
  /** the published chunk is missing or does not match the digest that its summing party signed. */
  "CHUNK_UNAVAILABLE"

export type PublishedChunk = { readonly layout: ChunkLayout; readonly digest: Digest }

/** @throws CHUNK_UNAVAILABLE naming the summing party */
export async function fetchChunk(
  { layout, digest }: PublishedChunk,
  committee: Committee,
  source: BlobSource,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const unavailable = (reason: string): ProtocolError =>
    new ProtocolError({
      code: "CHUNK_UNAVAILABLE" satisfies PublishedChunkErrorCode,
      message: `chunk ${layout.index} ${reason}`,
      culprits: [summingParty(layout.index, committee.n)],
    })
  const bytes = await source.get(digest, layout.byteLength, signal).catch((error: unknown) => {
    if (!(error instanceof ProtocolError)) throw error
    throw unavailable(`is not there: ${error.message}`)
  })
  if (bytes.length !== layout.byteLength || bytesDigest(bytes) !== digest)
    throw unavailable(`does not match ${digest}`)
  return bytes
}
