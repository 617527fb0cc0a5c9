/**
 * One HTTP request over a unix socket with a deadline and a size limit. The guest agent is the enclave's own daemon,
 * but its answers pass a socket that the host's configuration created: they are bounded before they are parsed.
 */
import { request } from "node:http"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export type AgentErrorCode =
  | "AGENT_UNREACHABLE"
  | "AGENT_TIMEOUT"
  | "AGENT_TOO_LARGE"
  | "AGENT_REFUSED"
  | "AGENT_MALFORMED"
  | "AGENT_WRONG_PROVIDER"

export const agentError = (code: AgentErrorCode, message: string, options?: ErrorOptions): ProtocolError =>
  new ProtocolError({ code, message }, options)

export type AgentRequest = {
  readonly socketPath: string
  /** Name of the call, such as "GetQuote". */
  readonly method: string
  readonly body: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
  readonly maxBytes: number
}

export type AgentResponse = { readonly status: number; readonly text: string }

/** @throws AGENT_UNREACHABLE, AGENT_TIMEOUT, AGENT_TOO_LARGE */
export function postToAgent(call: AgentRequest): Promise<AgentResponse> {
  const payload = Buffer.from(JSON.stringify(call.body))
  const { promise, resolve, reject } = Promise.withResolvers<AgentResponse>()
  const outgoing = request(
    {
      socketPath: call.socketPath,
      path: `/${call.method}`,
      method: "POST",
      headers: { host: "dstack", "content-type": "application/json", "content-length": payload.length },
      signal: AbortSignal.timeout(call.timeoutMs),
    },
    (incoming) => {
      const chunks: Buffer[] = []
      let size = 0
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length
        if (size <= call.maxBytes) chunks.push(chunk)
        else
          incoming.destroy(
            agentError("AGENT_TOO_LARGE", `the answer to ${call.method} is above ${call.maxBytes} bytes`),
          )
      })
      incoming.on("error", (error) => reject(readable(error, call)))
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      )
    },
  )
  outgoing.on("error", (error) => reject(readable(error, call)))
  outgoing.end(payload)
  return promise
}

function readable(error: Error, call: AgentRequest): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (error.name === "AbortError" || error.name === "TimeoutError")
    return agentError("AGENT_TIMEOUT", `${call.method} took more than ${call.timeoutMs} ms`, { cause: error })
  return agentError("AGENT_UNREACHABLE", `no guest agent at ${call.socketPath}`, { cause: error })
}
