/** Stands where the coordinator stands: serves blobs, takes certificates, and notes when each came. */
import { createServer, type IncomingMessage } from "node:http"
import { isDeepStrictEqual } from "node:util"
import type { ResultBody, SubmissionBody } from "@twinlock/sdk/protocol/http"

export type Delivered = {
  readonly result: ResultBody
  /** What came: of this result alone, or of a whole batch. */
  readonly submission: SubmissionBody
  /** `performance.now()` when the whole body was here. */
  readonly at: number
}

export type CoordinatorStub = {
  readonly url: string
  /** First delivery by request id. */
  readonly delivered: ReadonlyMap<string, Delivered>
  /** Deliveries in all: takeovers deliver again. */
  deliveries(): number
  /** Requests of which a later delivery says something else than the first. */
  contradicted(): readonly string[]
  /** Resolves with the delivery of a request; at once where it is there. */
  delivery(requestId: string): Promise<Delivered>
  stop(): Promise<void>
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString("utf8")
}

/** @param port 0 for any. @param blob bytes of a digest (64 hex digits), null where there are none. */
export async function startCoordinatorStub(
  port: number,
  blob: (digest: string) => Uint8Array | null,
): Promise<CoordinatorStub> {
  const delivered = new Map<string, Delivered>()
  const waiting = new Map<string, (found: Delivered) => void>()
  const contradicted = new Set<string>()
  let deliveries = 0

  function take(text: string): void {
    const at = performance.now()
    const submission = JSON.parse(text) as SubmissionBody
    for (const result of submission.kind === "batch" ? submission.results : [submission.result]) {
      deliveries += 1
      const first = delivered.get(result.requestId)
      if (first !== undefined) {
        if (!isDeepStrictEqual(first.result, result)) contradicted.add(result.requestId)
        continue
      }
      const found = { result, submission, at }
      delivered.set(result.requestId, found)
      waiting.get(result.requestId)?.(found)
      waiting.delete(result.requestId)
    }
  }

  const server = createServer((request, response) => {
    const path = request.url ?? ""
    if (request.method === "GET" && path.startsWith("/v1/blobs/")) {
      const bytes = blob(path.slice("/v1/blobs/".length))
      if (bytes === null) response.writeHead(404).end()
      else response.writeHead(200, { "content-length": bytes.length }).end(bytes)
    } else if (request.method === "POST" && path === "/v1/certificates") {
      bodyOf(request)
        .then((text) => {
          take(text)
          response.writeHead(202, { "content-type": "application/json" }).end('{"status":"accepted"}')
        })
        .catch((error: unknown) => response.writeHead(400).end(String(error)))
    } else response.writeHead(404).end()
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  const bound = server.address()
  return {
    url: `http://127.0.0.1:${typeof bound === "object" ? bound?.port : port}`,
    delivered,
    deliveries: () => deliveries,
    contradicted: () => [...contradicted],
    delivery: (requestId) =>
      new Promise((resolve) => {
        const found = delivered.get(requestId)
        if (found === undefined) waiting.set(requestId, resolve)
        else resolve(found)
      }),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
