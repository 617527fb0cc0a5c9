/** POST /v1/inputs: hands an encrypted input with its proof to the executors and returns k equal, signed answers. */
import type { Route } from "../app.ts"
import { readBody } from "../body.ts"
import { coordinatorError } from "../httpError.ts"
import { type Answer, askAll, type RelayOptions, refusals } from "../relay.ts"
import { inputAnswer, inputRequest } from "../schemas.ts"

type InputAnswer = {
  readonly handles: readonly string[]
  readonly signer: string
  readonly signature: string
}

/** The largest group of answers with the same handles. */
function majority(answers: readonly Answer<InputAnswer>[]): readonly InputAnswer[] {
  const groups = new Map<string, InputAnswer[]>()
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
      const body = await readBody(context, inputRequest)
      const answers = await askAll<InputAnswer>(
        executors,
        "/v1/inputs",
        body,
        inputAnswer,
        relay,
        (so) => majority(so).length >= k,
      )
      const agreed = majority(answers)
      const [first] = agreed
      if (first === undefined || agreed.length < k) {
        const some = answers.some((answer) => answer.ok)
        throw coordinatorError({
          code: some ? "EXECUTORS_DISAGREE" : "EXECUTORS_UNREACHABLE",
          message: `${agreed.length} of the ${k} executors needed gave the same handles`,
          causes: refusals(answers),
        })
      }
      return context.json({
        handles: first.handles,
        attestations: agreed.map(({ signer, signature }) => ({ signer, signature })),
      })
    })
  }
}
