/** POST /v1/certificates and GET /v1/requests/:id: what the network certified, on its way to the chain and afterwards. */
import type { RequestStatusBody } from "@twinlock/sdk/protocol/http"
import { parseRequestId } from "@twinlock/sdk/protocol/ids"
import type { Route } from "../app.ts"
import { readBody } from "../body.ts"
import type { Gateway } from "../gateway.ts"
import type { ResultCache } from "../resultCache.ts"
import { submissionBody } from "../schemas.ts"
import type { Submitter } from "../submitter.ts"

export type CertificateServices = {
  readonly submitter: Submitter
  readonly gateway: Gateway
  readonly results: ResultCache
}

export function certificateRoutes({ submitter, gateway, results }: CertificateServices): Route {
  return (app) => {
    app.post("/v1/certificates", async (context) => {
      const body = await readBody(context, submissionBody)
      // What nobody judged is not shown to clients: it could displace the certified result.
      for (const certified of await submitter.accept(body)) await results.put(certified)
      return context.json({ status: "accepted" }, 202)
    })
    app.get("/v1/requests/:id", async (context) => {
      const requestId = parseRequestId(context.req.param("id"))
      const [state, certified] = await Promise.all([gateway.status(requestId), results.get(requestId)])
      const transaction = submitter.transactionOf(requestId)
      const answer: RequestStatusBody =
        certified === null
          ? { status: state === "unknown" ? "unknown" : "pending" }
          : state === "fulfilled" && transaction !== null
            ? { status: "fulfilled", transaction, ...certified }
            : { status: "certified", ...certified }
      return context.json(answer)
    })
  }
}
