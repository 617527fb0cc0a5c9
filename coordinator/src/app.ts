/** The HTTP application: routes over injected services, one error form, body limits. */
import { Hono } from "hono"
import { bodyLimit } from "hono/body-limit"
import { coordinatorError, describeError } from "./httpError.ts"

export type Route = (app: Hono) => void

export type AppOptions = {
  /** Maximum of a JSON body in bytes; the blob route has its own. */
  readonly bodyBytes: number
  readonly routes: readonly Route[]
  readonly onError: (error: unknown, path: string) => void
}

export function createApp({ bodyBytes, routes, onError }: AppOptions): Hono {
  const app = new Hono()
  const limit = bodyLimit({
    maxSize: bodyBytes,
    onError: () => {
      throw coordinatorError({ code: "BODY_TOO_LARGE", message: `a body has at most ${bodyBytes} bytes` })
    },
  })
  app.use((context, next) => {
    if (context.req.method !== "POST") return next()
    // ⚔ A body of unknown length would be read here, before anything bounds how many there are.
    const { "content-length": length, "transfer-encoding": encoding } = context.req.header()
    if (length === undefined || encoding !== undefined)
      throw coordinatorError({ code: "MALFORMED_BODY", message: "content-length is required" })
    return limit(context, next)
  })
  app.onError((error, context) => {
    const { status, body } = describeError(error)
    if (status === 500) onError(error, context.req.path)
    return context.json(body, status)
  })
  app.notFound((context) => context.json({ error: { code: "NOT_FOUND", message: "no such route" } }, 404))
  for (const route of routes) route(app)
  return app
}
