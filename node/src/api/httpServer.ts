/** The node's HTTP API: hono on Node's server. Routes come from the modules that own them; errors leave as codes. */
import { serve } from "@hono/node-server"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { ErrorBody } from "@twinlock/sdk/protocol/http"
import { Hono } from "hono"
import { bodyLimit } from "hono/body-limit"
import type { Logger } from "../telemetry/logger.ts"

export type ApiErrorCode = "BODY_TOO_LARGE" | "MALFORMED_BODY" | "NOT_FOUND" | "NOT_READY" | "INTERNAL"

/** Adds its paths to the application. */
export type Route = (app: Hono) => void

export type HttpServerOptions = {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly maxBodyBytes: number
  readonly routes: readonly Route[]
  readonly logger: Logger
}

export type HttpServer = {
  readonly url: string
  stop(): Promise<void>
}

type Status = 400 | 404 | 413 | 409 | 500 | 503

export const apiError = (code: ApiErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

/** Errors of forms and ids are the caller's; what the chain cannot answer now may be asked again; the rest was refused. */
function statusOf(code: string): Status {
  if (code === "NOT_FOUND") return 404
  if (code === "BODY_TOO_LARGE") return 413
  if (/^(MALFORMED_BODY|HTTP_|CODEC_|BAD_|SIGNATURE_)/.test(code)) return 400
  if (/^(NOT_READY|CHAIN_|RPC_|BLOB_UNAVAILABLE|NOT_APPROVED)/.test(code)) return 503
  return 409
}

function describe(error: unknown): { readonly status: Status; readonly body: ErrorBody } {
  if (!isProtocolError(error))
    return { status: 500, body: { error: { code: "INTERNAL", message: "internal error" } } }
  const { code, message, culprits } = error.detail
  return {
    status: statusOf(code),
    body: { error: culprits === undefined ? { code, message } : { code, message, culprits } },
  }
}

/** The application without a socket, for tests and for {@link startHttpServer}. */
export function createApp({ maxBodyBytes, routes, logger }: Omit<HttpServerOptions, "host" | "port">): Hono {
  const app = new Hono()
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw apiError("BODY_TOO_LARGE", `a body has at most ${maxBodyBytes} bytes`)
      },
    }),
  )
  for (const route of routes) route(app)
  app.notFound((context) => {
    const { status, body } = describe(
      apiError("NOT_FOUND", `no such path: ${context.req.path.slice(0, 200)}`),
    )
    return context.json(body, status)
  })
  app.onError((error, context) => {
    const { status, body } = describe(error)
    if (status === 500) logger.error({ err: error, path: context.req.path }, "request failed")
    return context.json(body, status)
  })
  return app
}

/** Resolves when the server listens; rejects where it cannot. */
export function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = createApp(options)
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: options.host, port: options.port }, ({ port }) => {
      resolve({
        url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            if ("closeAllConnections" in server) server.closeAllConnections()
          }),
      })
    })
    server.once("error", reject)
  })
}
