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
  readonly gate: Gate
  /** Who posts; those of one source share their part of the gate. */
  readonly sourceOf: (context: Context) => string
}

export function certificateRoutes(services: CertificateServices): Route {
  const { submitter, gateway, results, gate, sourceOf } = services
  return (app) => {
    app.post("/v1/certificates", async (context) => {
      const body = await readBody(context, submissionBody)
      // What nobody judged is not shown to clients: it could displace the certified result.
      const waiting = await gate.pass(sourceOf(context), () => submitter.accept(body))
      for (const certified of waiting) await results.put(certified)
      return waiting.length > 0
        ? context.json({ status: "accepted" }, 202)
        : context.json({ status: "nothing waits" })
    })
    app.get("/v1/requests/:id", async (context) => {
      const requestId = parseRequestId(context.req.param("id"))
      const [[request], certified] = await Promise.all([
        gateway.requests([requestId]),
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
