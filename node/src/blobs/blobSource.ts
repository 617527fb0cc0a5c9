/**
 * Public bytes by digest, from whoever has them: nothing is trusted but the SHA-256. Used for squashed ciphertexts, key
 * chunks, public key and CRS.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { blobDigest } from "./blobDigest.ts"
import type { Download } from "./download.ts"

export type BlobErrorCode =
  /** no source has bytes of this digest. */
  | "BLOB_UNAVAILABLE"
  /** no sink took the bytes. */
  | "BLOB_NOT_STORED"

export type BlobSource = {
  /**
   * Bytes that hash to `digest`: the source has checked it. @param maxBytes hard limit before anything is kept.
   * @throws BLOB_UNAVAILABLE where no source has matching bytes.
   */
  get(digest: Digest, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>
}

export type HttpBlobSourceOptions = {
  /** Base URLs of coordinators or caches, asked in turn. */
  readonly urls: readonly string[]
  readonly download: Download
  readonly timeoutMs: number
}

export const blobUnavailable = (message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code: "BLOB_UNAVAILABLE" satisfies BlobErrorCode, message }, { cause })

/** Asks each URL in turn; an answer with other bytes counts as no answer. */
export function createHttpBlobSource({ urls, download, timeoutMs }: HttpBlobSourceOptions): BlobSource {
  const ask = async (url: string, digest: Digest, maxBytes: number, signal?: AbortSignal) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const ended = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
    try {
      return await download(new URL(`/v1/blobs/${digest.slice(2)}`, url), maxBytes, ended)
    } catch {
      return null
    }
  }
  return {
    async get(digest, maxBytes, signal) {
      for (const url of urls) {
        const bytes = await ask(url, digest, maxBytes, signal)
        if (bytes !== null && blobDigest(bytes) === digest) return bytes
      }
      throw blobUnavailable(`none of ${urls.length} sources has ${digest} with at most ${maxBytes} bytes`)
    },
  }
}
