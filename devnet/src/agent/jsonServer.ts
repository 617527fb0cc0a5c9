/** A small HTTP/1.1 server for the simulators: bounded bodies, exact Content-Length, one answer per connection. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http"

const BODY_LIMIT = 64 * 1024

/** @throws RangeError above 64 KiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_LIMIT) throw new RangeError(`a request has at most ${BODY_LIMIT} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Resolves when the server listens. @param where a unix socket path, or host and port (0 = any free one). */
export function listen(
  listener: RequestListener,
  where: string | { readonly host: string; readonly port: number },
): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer(listener)
  server.once("error", reject)
  const ready = () => resolve(server)
  if (typeof where === "string") server.listen(where, ready)
  else server.listen(where.port, where.host, ready)
  return promise
}

/** Stops the server and cuts open connections. */
export function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  return promise
}
