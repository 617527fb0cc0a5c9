/** POST /v1/user-decryptions: relays a permit to every node and their sealed shares back; it can open none of them. */
import type { Route } from "../app.ts"
import { readBody } from "../body.ts"
import { coordinatorError } from "../httpError.ts"
import { askAll, type RelayOptions, refusals } from "../relay.ts"
import { nodeUserDecryptionResponse, userDecryptionRequest } from "../schemas.ts"

/** @param quorum answers that a client needs (2t+1); those of slower nodes are added when they came in time. */
export function userDecryptionRoutes(nodes: readonly string[], quorum: number, relay: RelayOptions): Route {
  return (app) => {
    app.post("/v1/user-decryptions", async (context) => {
      const body = await readBody(context, userDecryptionRequest)
      const answers = await askAll(nodes, "/v1/user-decryptions", body, nodeUserDecryptionResponse, relay, {
        enough: (so) => so.filter(({ ok }) => ok).length >= quorum,
        hopeless: (so) => so.filter(({ ok }) => !ok).length > nodes.length - quorum,
      })
      const responses = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
      if (responses.length < quorum) {
        const refused = answers.some((answer) => !answer.ok && !answer.code.startsWith("PEER_"))
        throw coordinatorError({
          code: refused ? "NODES_REFUSED" : "NODES_UNREACHABLE",
          message: `${responses.length} of the ${quorum} nodes needed answered`,
          causes: refusals(answers),
        })
      }
      return context.json({ responses })
    })
  }
}
