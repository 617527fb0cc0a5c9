/** Blob source and sink of a node: the coordinators of its configuration. */
import { signDigest } from "@twinlock/sdk/protocol/signature"
import { type BlobSink, createHttpBlobSink } from "../blobs/blobSink.ts"
import { type BlobSource, createHttpBlobSource } from "../blobs/blobSource.ts"
import { createDownload } from "../blobs/download.ts"
import type { NodeContext } from "../nodeContext.ts"

const TIMEOUT_MS = 60_000

export function blobsOf({ config, identity }: Pick<NodeContext, "config" | "identity">): {
  readonly source: BlobSource
  readonly sink: BlobSink
} {
  const urls = config.coordinators
  return {
    source: createHttpBlobSource({ urls, download: createDownload(), timeoutMs: TIMEOUT_MS }),
    sink: createHttpBlobSink({
      urls,
      fetch,
      timeoutMs: TIMEOUT_MS,
      sign: async (digest) => identity.signerKey.use((key) => signDigest(digest, key)),
    }),
  }
}
