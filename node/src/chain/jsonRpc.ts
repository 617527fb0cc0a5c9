/** One JSON-RPC endpoint over HTTP. The endpoint belongs to the host and is trusted with nothing (protocol §8). */
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

/** @param url http or https. */
export function createRpcEndpoint(url: string): RpcEndpoint {
  const name = new URL(url).host
  let nextId = 1
  return {
    name,
    async call(method, params, signal) {
      const body = JSON.stringify({ jsonrpc: "2.0", id: nextId++, method, params })
      const text = await post(url, name, body, signal)
      return interpret(name, method, text)
    },
  }
}

async function post(url: string, name: string, body: string, signal: AbortSignal): Promise<string> {
  try {
    const headers = { "content-type": "application/json" }
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" })
    return await readText(response, name)
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    // The cause may name the URL with its access key: only its kind is kept.
    throw rpcError(
      "RPC_UNREACHABLE",
      `${name} did not answer: ${error instanceof Error ? error.name : "failure"}`,
    )
  }
}

async function readText(response: Response, name: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES)
      throw rpcError("RPC_MALFORMED", `${name} answered more than ${MAX_ANSWER_BYTES} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
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
