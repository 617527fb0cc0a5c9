/** GET and PUT /v1/blobs/:sha256. Reading is open; writing is for registered signers, so that disks do not fill for free. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { blobPutDigest, SIGNATURE_HEADER } from "@twinlock/sdk/protocol/http"
import { type Address, type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import type { Route } from "../app.ts"
import type { BlobStore } from "../blobStore.ts"
import { coordinatorError } from "../httpError.ts"

const NAME = /^[0-9a-f]{64}$/
const empty = () => new ReadableStream<Uint8Array>({ start: (controller) => controller.close() })

function parseName(text: string): Digest {
  if (!NAME.test(text))
    throw coordinatorError({ code: "MALFORMED_BODY", message: "a blob is named by 64 lower-case hex digits" })
  return parseDigest(`0x${text}`)
}

function parseSize(header: string | undefined, maxBytes: number): number {
  const size = Number(header)
  if (header === undefined || !Number.isSafeInteger(size) || size < 0)
    throw coordinatorError({ code: "MALFORMED_BODY", message: "content-length is required" })
  if (size > maxBytes)
    throw coordinatorError({
      code: "BLOB_TOO_LARGE",
      message: `a blob has at most ${maxBytes} bytes, announced ${size}`,
    })
  return size
}

/** @param isLive whether a signer is registered and live now. */
export function blobRoutes(
  store: BlobStore,
  maxBytes: number,
  isLive: (signer: Address) => Promise<boolean>,
): Route {
  return (app) => {
    app.get("/v1/blobs/:name", async (context) => {
      const { size, body } = await store.read(parseName(context.req.param("name")).slice(2))
      return context.body(body, 200, {
        "content-type": "application/octet-stream",
        "content-length": String(size),
        "cache-control": "public, max-age=31536000, immutable",
      })
    })
    app.put("/v1/blobs/:name", async (context) => {
      const digest = parseName(context.req.param("name"))
      const size = parseSize(context.req.header("content-length"), maxBytes)
      const signer = recoverSigner(
        blobPutDigest(digest, size),
        fromHex(context.req.header(SIGNATURE_HEADER) ?? ""),
      )
      if (!(await isLive(signer)))
        throw coordinatorError({
          code: "BLOB_UNAUTHORISED",
          message: `${signer} is not live in the registry`,
        })
      if (!(await store.has(digest.slice(2))))
        await store.write(digest.slice(2), context.req.raw.body ?? empty())
      return context.body(null, 204)
    })
  }
}
