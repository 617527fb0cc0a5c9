/** Public files of a key by digest: a folder, as a coordinator keeps its blobs or flat, or a coordinator's URL. */
import { createReadStream } from "node:fs"
import { access } from "node:fs/promises"
import { join } from "node:path"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { PublishedFiles } from "../ceremony/verify/chunks.ts"
import type { AuditErrorCode } from "../ceremony/verify/step.ts"

const TIMEOUT_MS = 60_000

const unreachable = (message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code: "AUDIT_UNREACHABLE" satisfies AuditErrorCode, message }, { cause })

async function* fromFolder(folder: string, name: string): AsyncIterable<Uint8Array> {
  for (const path of [join(folder, name), join(folder, name.slice(0, 2), name)]) {
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (!there) continue
    yield* createReadStream(path) as AsyncIterable<Uint8Array>
    return
  }
  throw unreachable(`there is no file ${name} in ${folder}`)
}

async function* fromUrl(base: string, name: string): AsyncIterable<Uint8Array> {
  const url = new URL(`/v1/blobs/${name}`, base)
  let body: AsyncIterable<Uint8Array> | null
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) })
    body = response.ok ? (response.body as AsyncIterable<Uint8Array> | null) : null
    if (body === null) {
      await response.body?.cancel()
      throw unreachable(`${url.href} answers ${response.status}`)
    }
    yield* body
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    throw unreachable(`${url.href} does not answer`, error)
  }
}

/** @param place folder, or http(s) URL */
export const publishedFiles = (place: string): PublishedFiles => ({
  open: (digest: Digest) =>
    /^https?:\/\//.test(place) ? fromUrl(place, digest.slice(2)) : fromFolder(place, digest.slice(2)),
})
