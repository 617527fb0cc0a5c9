/** POST /v1/certificates and GET /v1/requests/:id: what the network certified, on its way to the chain and afterwards. */
import type { RequestStatusBody } from "@twinlock/sdk/protocol/http"
import { parseRequestId } from "@twinlock/sdk/protocol/ids"
import type { Context } from "hono"
import type { Route } from "../app.ts"
import { readBody } from "../body.ts"
import type { Gate } from "../gate.ts"
import type { Gateway } from "../gateway.ts"
import type { ResultCache } from "../resultCache.ts"
import { submissionBody } from "../schemas.ts"
import type { Submitter } from "../submitter.ts"

export type CertificateServices = {
  readonly submitter: Submitter
  readonly gateway: Gateway
  readonly results: ResultCache
  /** For bodies on their way in, for the work on them, and for questions about requests. */
  readonly gates: { readonly bodies: Gate; readonly work: Gate; readonly questions: Gate }
  /** Milliseconds for a body, while it holds a place. */
  readonly bodyMs: number
  /** Who asks; those of one source share their part of the gates. */
  readonly sourceOf: (context: Context) => string
}

export function certificateRoutes(services: CertificateServices): Route {
  const { submitter, gateway, results, gates, bodyMs, sourceOf } = services
  return (app) => {
    app.post("/v1/certificates", async (context) => {
      const source = sourceOf(context)
      const body = await gates.bodies.pass(source, () => readBody(context, submissionBody, bodyMs))
      // What nobody judged is not shown to clients: it could displace the certified result.
      const waiting = await gates.work.pass(source, () => submitter.accept(body))
      for (const certified of waiting) await results.put(certified)
      return waiting.length > 0
        ? context.json({ status: "accepted" }, 202)
        : context.json({ status: "nothing waits" })
    })
    app.get("/v1/requests/:id", async (context) => {
      const requestId = parseRequestId(context.req.param("id"))
      const [[request], certified] = await Promise.all([
        gates.questions.pass(sourceOf(context), () => gateway.requests([requestId])),
        results.get(requestId),
      ])
      const transaction = submitter.transactionOf(requestId)
      const answer: RequestStatusBody =
        certified === null
          ? { status: request?.state === "unknown" ? "unknown" : "pending" }
          : request?.state === "fulfilled" && transaction !== null
            ? { status: "fulfilled", transaction, ...certified }
            : { status: "certified", ...certified }
      return context.json(answer)
    })
  }
}
