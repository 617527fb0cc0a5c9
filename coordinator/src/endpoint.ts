/** One RPC endpoint of the host chain: a question at a time, within a bound of time and size. */
import type { JsonRpcError, JsonRpcPayload } from "ethers"
import { z } from "zod"
import { boundedText } from "./boundedText.ts"

/** What an endpoint says: a result, or why it gives none. */
export type EndpointAnswer = { readonly result: unknown } | { readonly error: JsonRpcError["error"] }

export type Endpoint = {
  /** False from a question without an answer until the next answer. */
  answers(): boolean
  /** @throws where nothing comes in time that is JSON-RPC */
  ask(payload: JsonRpcPayload): Promise<EndpointAnswer>
}

export type EndpointLimits = { readonly timeoutMs: number; readonly maxBytes: number }

const answer = z.union([
  z.object({
    error: z.object({
      code: z.number().catch(0),
      message: z.string().default(""),
      data: z.unknown().optional(),
    }),
  }),
  z.object({ result: z.unknown() }).refine(({ result }) => result !== undefined),
])

export function createEndpoint(url: string, { timeoutMs, maxBytes }: EndpointLimits): Endpoint {
  let answering = true
  return {
    answers: () => answering,
    async ask(payload) {
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(payload),
          signal: AbortSignal.timeout(timeoutMs),
          redirect: "error",
        })
        const said = answer.parse(JSON.parse(await boundedText(response, maxBytes)))
        if (!response.ok && "result" in said) throw new Error(`a result with status ${response.status}`)
        answering = true
        return said as EndpointAnswer
      } catch (error) {
        answering = false
        throw error
      }
    },
  }
}
