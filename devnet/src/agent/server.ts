/** Serves one simulated guest on a unix socket, as the guest agent does inside a confidential VM. */
import { rmSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type Cvm, type CvmOptions, createCvm } from "./cvm.ts"
import { close, listen, readBody } from "./jsonServer.ts"
import { callAgent, type RpcArguments, RpcRefusal, type RpcResult } from "./rpc.ts"

export type AgentOptions = CvmOptions & { readonly socketPath: string }

export type RunningAgent = {
  readonly cvm: Cvm
  readonly socketPath: string
  readonly stop: () => Promise<void>
}

/** The last path segment names the call: /GetQuote, /prpc/DstackGuest.GetQuote. */
const methodOf = (path: string) => (path.split("/").at(-1) ?? "").replace(/^DstackGuest\./, "")

async function argumentsOf(request: IncomingMessage, url: URL): Promise<RpcArguments> {
  if (request.method === "GET") return Object.fromEntries(url.searchParams)
  const text = (await readBody(request)).toString("utf8")
  const value: unknown = text === "" ? {} : JSON.parse(text)
  if (typeof value !== "object" || value === null) throw new RpcRefusal(400, "the body must be an object")
  return value as RpcArguments
}

async function answer(cvm: Cvm, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let status = 200
  let result: RpcResult
  try {
    const url = new URL(request.url ?? "/", "http://dstack")
    result = callAgent(cvm, methodOf(url.pathname), await argumentsOf(request, url))
  } catch (error) {
    status = error instanceof RpcRefusal ? error.status : 400
    result = { error: error instanceof Error ? error.message : "unknown error" }
  }
  const body = Buffer.from(JSON.stringify(result))
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
    connection: "close",
  })
  response.end(body)
}

/** Starts the guest's agent; an old socket file at the path is replaced. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { socketPath } = options
  const cvm = createCvm(options)
  rmSync(socketPath, { force: true })
  const server = await listen((request, response) => void answer(cvm, request, response), socketPath)
  return {
    cvm,
    socketPath,
    async stop() {
      await close(server)
      rmSync(socketPath, { force: true })
    },
  }
}
