import { createHash } from "node:crypto"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { blobPutDigest, SIGNATURE_HEADER } from "@twinlock/sdk/protocol/http"
import { type Address, type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { describe, expect, test } from "vitest"
import { seededRng } from "../../../test/support/seededRng.ts"
import { createBlobStore } from "../blobStore.ts"
import { appOf, codeOf, temporary } from "../http.fixture.ts"
import { blobRoutes } from "./blobs.ts"

describe("blobs", () => {
  const key = seededRng("node")(32)
  const content = new TextEncoder().encode("public words")
  const name = createHash("sha256").update(content).digest("hex")
  const digest = parseDigest(`0x${name}`)
  const put = (
    body: Uint8Array,
    signed: { digest: Digest; size: number } = { digest, size: content.length },
    secret = key,
  ) => ({
    method: "PUT",
    body: body as Uint8Array<ArrayBuffer>,
    headers: {
      "content-length": String(body.length),
      [SIGNATURE_HEADER]: toHex(signDigest(blobPutDigest(signed.digest, signed.size), secret)),
    },
  })
  const scene = async () => {
    const directory = await temporary()
    const live = new Set<Address>([addressOfSecretKey(key)])
    return {
      directory,
      app: appOf(
        blobRoutes(await createBlobStore(directory, 1024), 1024, async (signer) => live.has(signer)),
      ),
    }
  }

  test("a registered signer's blob is served byte for byte", async () => {
    const { app } = await scene()
    expect((await app.request(`/v1/blobs/${name}`, put(content))).status).toBe(204)
    expect(new Uint8Array(await (await app.request(`/v1/blobs/${name}`)).arrayBuffer())).toEqual(content)
  })

  test("BLOB_DIGEST_MISMATCH leaves nothing behind", async () => {
    const { app, directory } = await scene()
    const response = await app.request(`/v1/blobs/${name}`, put(new TextEncoder().encode("other  words")))
    expect(await codeOf(response)).toBe("BLOB_DIGEST_MISMATCH")
    expect(await codeOf(await app.request(`/v1/blobs/${name}`))).toBe("BLOB_NOT_FOUND")
    expect(await readdir(join(directory, "incoming"))).toEqual([])
  })

  test("BLOB_UNAUTHORISED for a signer that is not live, or a signature over another size", async () => {
    const { app } = await scene()
    expect(
      await codeOf(await app.request(`/v1/blobs/${name}`, put(content, undefined, seededRng("mallory")(32)))),
    ).toBe("BLOB_UNAUTHORISED")
    expect(await codeOf(await app.request(`/v1/blobs/${name}`, put(content, { digest, size: 1 })))).toBe(
      "BLOB_UNAUTHORISED",
    )
  })

  test("BLOB_TOO_LARGE by its announced size", async () => {
    const { app } = await scene()
    expect(await codeOf(await app.request(`/v1/blobs/${name}`, put(new Uint8Array(1025))))).toBe(
      "BLOB_TOO_LARGE",
    )
  })
})
