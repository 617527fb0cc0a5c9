/**
 * Public bytes by digest, from whoever has them: nothing is trusted but the SHA-256. Used for squashed ciphertexts, key
 * chunks, public key and CRS.
 */
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"

export type BlobErrorCode =
  /** no source has bytes of this digest. */
  | "BLOB_UNAVAILABLE"
  /** no sink took the bytes. */
  | "BLOB_NOT_STORED"

export type BlobSource = {
  /** @param maxBytes hard limit before anything is kept. @throws BLOB_UNAVAILABLE where no source has matching bytes. */
  get(digest: Digest, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>
}

export type HttpBlobSourceOptions = {
  /** Base URLs of coordinators or caches, asked in turn. */
  readonly urls: readonly string[]
  readonly fetch: typeof fetch
  readonly timeoutMs: number
}

async function readLimited(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const announced = Number(response.headers.get("content-length") ?? "0")
  if (!response.ok || announced > maxBytes || response.body === null) return null
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > maxBytes) return null
    parts.push(chunk)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

/** Asks each URL in turn; an answer with other bytes counts as no answer. */
export function createHttpBlobSource({ urls, fetch, timeoutMs }: HttpBlobSourceOptions): BlobSource {
  const ask = async (url: string, digest: Digest, maxBytes: number, signal?: AbortSignal) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(new URL(`/v1/blobs/${digest.slice(2)}`, url), {
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        redirect: "error",
      })
      return await readLimited(response, maxBytes)
    } catch {
      return null
    }
  }
  return {
    async get(digest, maxBytes, signal) {
      for (const url of urls) {
        const bytes = await ask(url, digest, maxBytes, signal)
        if (bytes !== null && sha256Digest(bytes) === digest) return bytes
      }
      throw new ProtocolError({
        code: "BLOB_UNAVAILABLE" satisfies BlobErrorCode,
        message: `none of ${urls.length} sources has ${digest} with at most ${maxBytes} bytes`,
      })
    },
  }
}
