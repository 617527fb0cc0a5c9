/**
 * One HTTP request over a unix socket with a deadline and a size limit. The guest agent is the enclave's own daemon,
 * but its answers pass a socket that the host's configuration created: they are bounded before they are parsed.
 */
import { request } from "node:http"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export type AgentErrorCode =
  /** nobody listens at the socket. */
  | "AGENT_UNREACHABLE"
  /** the connection ended before the answer did. */
  | "AGENT_INTERRUPTED"
  /** the whole answer did not come in time, however lively it started. */
  | "AGENT_TIMEOUT"
  | "AGENT_TOO_LARGE"
  /** the agent answered with an error. */
  | "AGENT_REFUSED"
  /** the answer is no HTTP, no JSON, or of another shape. */
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

/** @throws AGENT_UNREACHABLE, AGENT_INTERRUPTED, AGENT_TIMEOUT, AGENT_TOO_LARGE, AGENT_MALFORMED */
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
      const tooLarge = (): void =>
        void incoming.destroy(
          agentError("AGENT_TOO_LARGE", `the answer to ${call.method} is above ${call.maxBytes} bytes`),
        )
      if (Number(incoming.headers["content-length"] ?? 0) > call.maxBytes) tooLarge()
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length
        if (size <= call.maxBytes) chunks.push(chunk)
        else tooLarge()
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
  const code = "code" in error ? String(error.code) : ""
  if (code.startsWith("HPE_"))
    return agentError("AGENT_MALFORMED", `the answer to ${call.method} is no HTTP (${code})`, {
      cause: error,
    })
  if (code === "ECONNRESET" || code === "EPIPE")
    return agentError("AGENT_INTERRUPTED", `the agent ended the connection during ${call.method}`, {
      cause: error,
    })
  return agentError("AGENT_UNREACHABLE", `no guest agent at ${call.socketPath}`, { cause: error })
}
