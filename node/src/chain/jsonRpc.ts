/** One JSON-RPC endpoint over HTTP. The endpoint belongs to the host and is trusted with nothing (protocol §8). */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { z } from "zod"

/** What an endpoint answered: a result, or a revert with its data. Anything else is thrown. */
export type RpcAnswer =
  | { readonly kind: "result"; readonly result: unknown }
  /** 0x-prefixed revert data; 0x where the endpoint gives none. */
  | { readonly kind: "reverted"; readonly data: string }

export type RpcEndpoint = {
  /** Host and port, for logs and metrics: a URL may carry an access key. */
  readonly name: string
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<RpcAnswer>
}

export type RpcErrorCode =
  /** no answer: refused connection, timeout, HTTP error. */
  | "RPC_UNREACHABLE"
  /** the answer is no JSON-RPC answer, or too long. */
  | "RPC_MALFORMED"
  /** the endpoint answered with an error other than a revert. */
  | "RPC_ERROR"

const MAX_ANSWER_BYTES = 16 * 1024 * 1024

const answerSchema = z.union([
  z.object({ result: z.unknown(), error: z.undefined().optional() }),
  z.object({ error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }) }),
])

export const rpcError = (code: RpcErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

/** One RPC waits for many others at once only in bursts; what goes beyond queues up. */
const MAX_SOCKETS = 32
const AGENT = { keepAlive: true, maxSockets: MAX_SOCKETS } as const

/** @param url http or https. */
export function createRpcEndpoint(url: string): RpcEndpoint {
  const parsed = new URL(url)
  const name = parsed.host
  const secure = parsed.protocol === "https:"
  // Not fetch: it costs five times the CPU and four times the wait of a call to an endpoint nearby.
  const send = secure ? httpsRequest : httpRequest
  const agent = secure ? new HttpsAgent(AGENT) : new HttpAgent(AGENT)
  let nextId = 1

  /** @param connections false for one of its own */
  const post = (
    body: Buffer,
    signal: AbortSignal,
    connections: typeof agent | false = agent,
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": body.length }
      const request = send(parsed, { method: "POST", agent: connections, headers, signal }, (response) => {
        readText(response, name).then(resolve, (error: unknown) => {
          request.destroy()
          reject(error)
        })
      })
      request.on("error", (error: NodeJS.ErrnoException) => {
        // The endpoint closed an idle connection just when it was used again: it has not seen the question. Once: the
        // second time the connection is new.
        if (error.code === "ECONNRESET" && request.reusedSocket)
          post(body, signal, false).then(resolve, reject)
        else reject(error)
      })
      request.end(body)
    })

  return {
    name,
    async call(method, params, signal) {
      const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: nextId++, method, params }))
      let text: string
      try {
        text = await post(body, signal)
      } catch (error) {
        if (error instanceof ProtocolError) throw error
        // The cause may name the URL with its access key: only its kind is kept.
        throw rpcError("RPC_UNREACHABLE", `${name} did not answer: ${kindOf(error)}`)
      }
      return interpret(name, method, text)
    },
  }
}

const kindOf = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : "failure"

async function readText(response: IncomingMessage, name: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES)
      throw rpcError("RPC_MALFORMED", `${name} answered more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

function interpret(name: string, method: string, text: string): RpcAnswer {
  let parsed: z.infer<typeof answerSchema>
  try {
    parsed = answerSchema.parse(JSON.parse(text))
  } catch (error) {
    throw rpcError("RPC_MALFORMED", `${name} answered ${method} with no JSON-RPC answer`, error)
  }
  if (parsed.error === undefined)
    return { kind: "result", result: "result" in parsed ? parsed.result : undefined }
  const { code, message, data } = parsed.error
  if (isRevert(code, message)) return { kind: "reverted", data: revertData(data) }
  throw rpcError("RPC_ERROR", `${name} answered ${method} with error ${code}: ${message.slice(0, 200)}`)
}

/** EIP-1474 code 3; clients that use a general code say so in words. */
const isRevert = (code: number, message: string): boolean =>
  code === 3 || (code >= -32_099 && code <= -32_000 && /revert/i.test(message))

function revertData(data: unknown): string {
  const found = typeof data === "object" && data !== null && "data" in data ? data.data : data
  return typeof found === "string" && /^0x[0-9a-fA-F]*$/.test(found) ? found.toLowerCase() : "0x"
}
