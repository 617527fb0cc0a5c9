import { randomBytes } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
import { blobDigest } from "./blobDigest.ts"
import { type BlobSource, createHttpBlobSource } from "./blobSource.ts"
import { createDownload } from "./download.ts"

const bytes = new Uint8Array(randomBytes(98_560))
const digest = blobDigest(bytes)
const GONE = "http://127.0.0.1:9"

let server: Server
let source: BlobSource
let url: string
let answer: {
  readonly status: number
  readonly body: Uint8Array
  readonly length?: number
  readonly chunked?: true
}
let paths: string[]

beforeAll(async () => {
  server = createServer((request, response) => {
    paths.push(request.url ?? "")
    response.statusCode = answer.status
    if (answer.chunked === true) response.flushHeaders()
    if (answer.length !== undefined) response.setHeader("content-length", answer.length)
    response.end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  source = createHttpBlobSource({ urls: [GONE, url], download: createDownload(), timeoutMs: 5_000 })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  paths = []
  answer = { status: 200, body: bytes }
})

test("the first source with matching bytes", async () => {
  expect(await source.get(digest, bytes.length)).toEqual(bytes)
  expect(paths).toEqual([`/v1/blobs/${digest.slice(2)}`])
})

test("many at once", async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => source.get(digest, bytes.length)))
  expect(all.every((found) => blobDigest(found) === digest)).toBe(true)
})

test.each<[string, typeof answer, number]>([
  ["other bytes", { status: 200, body: bytes.subarray(1) }, bytes.length],
  ["an error with the right bytes", { status: 500, body: bytes }, bytes.length],
  ["a redirect", { status: 302, body: bytes }, bytes.length],
  ["more bytes than allowed", { status: 200, body: bytes }, bytes.length - 1],
  [
    "more bytes than allowed, of no announced length",
    { status: 200, body: bytes, chunked: true },
    bytes.length - 1,
  ],
  ["a length announced that is too large", { status: 200, body: bytes, length: 98_560 }, 1_000],
  ["an answer that ends early", { status: 200, body: bytes.subarray(1), length: 98_560 }, bytes.length],
])("none: %s", async (_name, given, maxBytes) => {
  answer = given
  if (given.length !== undefined && given.body.length !== given.length)
    server.once("request", (_request, response) => setImmediate(() => response.destroy()))
  await expect(source.get(digest, maxBytes)).rejects.toSatisfy((error) =>
    isProtocolError(error, "BLOB_UNAVAILABLE"),
  )
})

test("given up", async () => {
  const abort = new AbortController()
  const reader = source.get(digest, bytes.length, abort.signal)
  abort.abort()
  await expect(reader).rejects.toSatisfy((error) => isProtocolError(error, "BLOB_UNAVAILABLE"))
})
