/** POST /v1/inputs: hands an encrypted input with its proof to the executors and returns k equal, signed answers. */
import type { ExecutorInputsResponse, InputsResponse } from "@twinlock/sdk/protocol/http"
import type { Route } from "../app.ts"
import { readBody } from "../body.ts"
import { coordinatorError } from "../httpError.ts"
import { type Answer, askAll, type RelayOptions, refusals } from "../relay.ts"
import { executorInputsResponse, inputsRequest } from "../schemas.ts"

/** The largest group of answers with the same handles. */
function majority(answers: readonly Answer<ExecutorInputsResponse>[]): readonly ExecutorInputsResponse[] {
  const groups = new Map<string, ExecutorInputsResponse[]>()
  for (const answer of answers) {
    if (!answer.ok) continue
    const key = answer.value.handles.join()
    groups.set(key, [...(groups.get(key) ?? []), answer.value])
  }
  return [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? []
}

/** @param k executors that must agree. */
export function inputRoutes(executors: readonly string[], k: number, relay: RelayOptions): Route {
  return (app) => {
    app.post("/v1/inputs", async (context) => {
      const body = await readBody(context, inputsRequest)
      const answers = await askAll(
        executors,
        "/v1/inputs",
        body,
        executorInputsResponse,
        // k equal answers are all that a client needs: more would only cost gas.
        { ...relay, graceMs: 0 },
        {
          enough: (so) => majority(so).length >= k,
          hopeless: (so) => majority(so).length + executors.length - so.length < k,
        },
      )
      const agreed = majority(answers)
      const [first] = agreed
      if (first === undefined || agreed.length < k) {
        const some = answers.some((answer) => answer.ok)
        const refused = answers.find((answer) => !answer.ok && !answer.code.startsWith("PEER_"))
        throw coordinatorError({
          code: some
            ? "EXECUTORS_DISAGREE"
            : refused === undefined
              ? "EXECUTORS_UNREACHABLE"
              : "INPUT_REFUSED",
          message:
            refused !== undefined && !refused.ok
              ? `${refused.code}: ${refused.message}`
              : `${agreed.length} of the ${k} executors needed gave the same handles`,
          causes: refusals(answers),
        })
      }
      const answer: InputsResponse = {
        handles: first.handles,
        attestations: agreed.map(({ signer, signature }) => ({ signer, signature })),
      }
      return context.json(answer)
    })
  }
}
