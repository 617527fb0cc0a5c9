/** What the HTTP tests of the coordinator share. */
import { createServer, type RequestListener } from "node:http"
import type { Hono } from "hono"
import { temporaryFolder } from "../../test/support/temporaryFolder.ts"
import { createApp, type Route } from "./app.ts"

export const appOf = (...routes: Route[]): Hono => createApp({ bodyBytes: 4096, routes, onError: () => {} })
export const bytes32 = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`
export const address = (byte: string): `0x${string}` => `0x${byte.repeat(20)}`
export const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code
export const temporary = (): Promise<string> => temporaryFolder("twinlock-coordinator")
export const relay = { fetch, timeoutMs: 20_000, graceMs: 20, maxBytes: 65_536 }
export const post = (body: unknown): RequestInit => {
  const text = JSON.stringify(body)
  const length = String(Buffer.byteLength(text))
  return {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json", "content-length": length },
  }
}

const closers: (() => void)[] = []

/** For afterEach. */
export function closePeers(): void {
  for (const close of closers.splice(0)) close()
}

export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const at = server.address()
  return `http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`
}

/** A peer's HTTP server that always answers the same. */
export const peer = (status: number, answer: unknown): Promise<string> =>
  listen((_, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer)),
  )

/** A peer that takes the connection and never answers. */
export const stalledPeer = (): Promise<string> => listen(() => {})
