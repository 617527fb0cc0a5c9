/** GET and PUT /v1/blobs/:sha256. Reading is open; writing is for registered signers, so that disks do not fill for free. */
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import type { Route } from "../app.ts"
import type { BlobStore } from "../blobStore.ts"
import { coordinatorError } from "../httpError.ts"

export type BlobWriterCheck = (
  signer: Address,
  signature: string,
  blob: { readonly digest: Digest; readonly size: number },
) => Promise<boolean>

const DIGEST = /^[0-9a-f]{64}$/

function parseDigest(text: string): string {
  if (!DIGEST.test(text))
    throw coordinatorError({ code: "MALFORMED_BODY", message: "a blob is named by 64 lower-case hex digits" })
  return text
}

/** @param mayWrite whether the signer is registered and live, and signed this digest and size. */
export function blobRoutes(store: BlobStore, maxBytes: number, mayWrite: BlobWriterCheck): Route {
  return (app) => {
    app.get("/v1/blobs/:digest", async (context) => {
      const { size, body } = await store.read(parseDigest(context.req.param("digest")))
      return context.body(body, 200, {
        "content-type": "application/octet-stream",
        "content-length": String(size),
        "cache-control": "public, max-age=31536000, immutable",
      })
    })
    app.put("/v1/blobs/:digest", async (context) => {
      const digest = parseDigest(context.req.param("digest"))
      const size = Number(context.req.header("content-length"))
      if (!Number.isSafeInteger(size) || size < 0)
        throw coordinatorError({ code: "MALFORMED_BODY", message: "content-length is required" })
      if (size > maxBytes)
        throw coordinatorError({
          code: "BLOB_TOO_LARGE",
          message: `a blob has at most ${maxBytes} bytes, announced ${size}`,
        })
      const signer = parseAddress(context.req.header("x-twinlock-signer") ?? "")
      const signature = context.req.header("x-twinlock-signature") ?? ""
      if (!(await mayWrite(signer, signature, { digest: `0x${digest}` as Digest, size })))
        throw coordinatorError({
          code: "BLOB_UNAUTHORISED",
          message: `${signer} may not store this blob: not live in the registry, or another signature`,
        })
      if (!(await store.has(digest)))
        await store.write(
          digest,
          context.req.raw.body ?? new ReadableStream({ start: (controller) => controller.close() }),
        )
      return context.body(null, 204)
    })
  }
}
