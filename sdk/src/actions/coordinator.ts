/**
 * Talking to coordinators. They are untrusted and replaceable: the client asks them in order until one gives a usable
 * answer, limits what it reads, and every caller checks what it got.
 */

import { type SdkErrorCode, sdkError } from "../errors.ts"
import { sha256Digest } from "../protocol/codec.ts"
import type { Digest } from "../protocol/ids.ts"

/** Keeps public files between page loads; a wrong file from it is noticed like one from a coordinator. */
export type FileCache = {
  get(digest: Digest): Promise<Uint8Array | null>
  put(digest: Digest, file: Uint8Array): Promise<void>
}

/** Judges parsed JSON; where it throws, the next coordinator is asked. */
export type ReadBody<T> = (body: unknown) => T | Promise<T>

export type Coordinators = {
  /**
   * What `read` makes of `GET path`.
   * @throws COORDINATOR_UNREACHABLE, COORDINATOR_REFUSED, COORDINATOR_MALFORMED or `read`'s error, of the last one asked
   */
  get<T>(path: string, read: ReadBody<T>, signal?: AbortSignal): Promise<T>
  /** What `read` makes of `POST path`. @throws as get */
  post<T>(path: string, body: unknown, read: ReadBody<T>, signal?: AbortSignal): Promise<T>
  /** The file with this SHA-256. @throws `mismatch` where every coordinator serves another file, else as get. */
  file(digest: Digest, mismatch: SdkErrorCode, signal?: AbortSignal): Promise<Uint8Array>
}

const MAX_JSON_BYTES = 4 << 20
const MAX_FILE_BYTES = 8 << 20

export function createCoordinators(options: {
  readonly urls: readonly string[]
  readonly fetch: typeof fetch
  readonly cache: FileCache | null
}): Coordinators {
  const { urls, cache } = options

  /** The first answer that `accept` takes; what the last coordinator did wrong otherwise. */
  async function first<T>(
    path: string,
    init: RequestInit,
    accept: (response: Response) => Promise<T>,
  ): Promise<T> {
    let failure: unknown = sdkError(
      "COORDINATOR_UNREACHABLE",
      "no coordinator is configured: pass at least one url",
    )
    for (const url of urls) {
      try {
        return await accept(await send(new URL(path, url), init))
      } catch (error) {
        init.signal?.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }
  async function send(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await options.fetch(url, { ...init, redirect: "error" })
    } catch (cause) {
      throw sdkError("COORDINATOR_UNREACHABLE", `no answer from ${url.origin}: is the coordinator up?`, {
        cause,
      })
    }
  }
  const request = (init: RequestInit, signal: AbortSignal | undefined): RequestInit =>
    signal === undefined ? init : { ...init, signal }

  return {
    get: (path, read, signal) =>
      first(path, request({}, signal), async (response) => read(await readJson(response))),
    post: (path, body, read, signal) =>
      first(
        path,
        request(
          { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
          signal,
        ),
        async (response) => read(await readJson(response)),
      ),
    async file(digest, mismatch, signal) {
      const cached = (await cache?.get(digest)) ?? null
      if (cached !== null && sha256Digest(cached) === digest) return cached
      const file = await first(`/v1/blobs/${digest.slice(2)}`, request({}, signal), async (response) => {
        if (!response.ok) throw await refusal(response)
        const bytes = await readBytes(response, MAX_FILE_BYTES)
        const actual = sha256Digest(bytes)
        if (actual !== digest)
          throw sdkError(
            mismatch,
            `the registry says ${digest}, the coordinator served ${actual}: do not use it`,
          )
        return bytes
      })
      await cache?.put(digest, file)
      return file
    },
  }
}

/** A failed read is the coordinator's, too. */
async function readBytes(response: Response, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  try {
    for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
      size += next.value.length
      if (size > most) throw sdkError("COORDINATOR_MALFORMED", `an answer has at most ${most} bytes`)
      parts.push(next.value)
    }
  } finally {
    reader?.releaseLock()
  }
  const bytes = new Uint8Array(size)
  parts.reduce((at, part) => {
    bytes.set(part, at)
    return at + part.length
  }, 0)
  return bytes
}

async function parseJson(response: Response): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(response, MAX_JSON_BYTES))
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw sdkError("COORDINATOR_MALFORMED", `status ${response.status} without a JSON body`, { cause })
  }
}

async function readJson(response: Response): Promise<unknown> {
  if (!response.ok) throw await refusal(response)
  return parseJson(response)
}

/** What the coordinator says about its refusal, shortened: it is text of a stranger. */
async function refusal(response: Response): Promise<Error> {
  const body = await parseJson(response).catch(() => null)
  const error = body !== null && typeof body === "object" && "error" in body ? body.error : null
  const text = (name: string): string => {
    const value =
      error !== null && typeof error === "object" ? Object.entries(error).find(([key]) => key === name) : null
    return typeof value?.[1] === "string" ? value[1].slice(0, 300) : ""
  }
  return sdkError("COORDINATOR_REFUSED", `status ${response.status} ${text("code")}: ${text("message")}`)
}
