/** Gives public bytes to the blob stores of coordinators, signed by this node, named by their SHA-256. */

import { toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { blobPutDigest, SIGNATURE_HEADER } from "@twinlock/sdk/protocol/http"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { beginningOf } from "../responseText.ts"
import type { BlobErrorCode } from "./blobSource.ts"

const ANSWER_BYTES = 300

export type BlobSink = {
  /** Resolves once at least one store keeps the bytes. Repeating is harmless. @throws BLOB_NOT_STORED */
  put(digest: Digest, bytes: Uint8Array, signal?: AbortSignal): Promise<void>
}

export type HttpBlobSinkOptions = {
  /** Base URLs of coordinators; all are given the bytes. */
  readonly urls: readonly string[]
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  /** 65 bytes over a digest, by a registered signer. */
  readonly sign: (digest: Digest) => Promise<Uint8Array>
}

export function createHttpBlobSink({ urls, fetch, timeoutMs, sign }: HttpBlobSinkOptions): BlobSink {
  return {
    async put(digest, bytes, signal) {
      const signature = toHex(await sign(blobPutDigest(digest, bytes.length)))
      const store = async (url: string) => {
        const timeout = AbortSignal.timeout(timeoutMs)
        const response = await fetch(new URL(`/v1/blobs/${digest.slice(2)}`, url), {
          method: "PUT",
          headers: { "content-type": "application/octet-stream", [SIGNATURE_HEADER]: signature },
          body: bytes as Uint8Array<ArrayBuffer>,
          signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
          redirect: "error",
        })
        const text = await beginningOf(response, ANSWER_BYTES)
        if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`)
      }
      const results = await Promise.allSettled(urls.map(store))
      if (results.some(({ status }) => status === "fulfilled")) return
      const [first] = results
      const cause = first?.status === "rejected" ? first.reason : undefined
      throw new ProtocolError(
        {
          code: "BLOB_NOT_STORED" satisfies BlobErrorCode,
          message: `none of ${urls.length} stores took ${digest}`,
        },
        { cause },
      )
    },
  }
}
