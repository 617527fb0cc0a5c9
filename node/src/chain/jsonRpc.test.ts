import { createServer, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createRpcEndpoint, type RpcEndpoint } from "./jsonRpc.ts"

let body = ""
let asked: unknown
let server: Server
let endpoint: RpcEndpoint
const signal = (): AbortSignal => AbortSignal.timeout(5_000)

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += chunk
    asked = JSON.parse(text)
    response.setHeader("content-type", "application/json").end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  endpoint = createRpcEndpoint(`http://127.0.0.1:${port}/v1/access-key`)
})
afterAll(() => void server.close())

describe("JSON-RPC endpoint", () => {
  test("a result", async () => {
    body = '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'
    expect(await endpoint.call("m", ["p"], signal())).toEqual({ kind: "result", result: { a: 1 } })
    expect(asked).toMatchObject({ jsonrpc: "2.0", method: "m", params: ["p"] })
  })

  test.each([
    ['{"code":3,"message":"execution reverted","data":"0xAB"}', "0xab"],
    ['{"code":-32000,"message":"execution reverted: no"}', "0x"],
    ['{"code":-32015,"message":"VM execution error: Reverted","data":{"data":"0x01"}}', "0x01"],
  ])("a revert: %s", async (error, data) => {
    body = `{"jsonrpc":"2.0","id":1,"error":${error}}`
    expect(await endpoint.call("m", [], signal())).toEqual({ kind: "reverted", data })
  })

  test.each([
    ["RPC_ERROR", '{"error":{"code":-32601,"message":"method not found"}}'],
    ["RPC_ERROR", '{"error":{"code":-32001,"message":"Resource not found"}}'],
    ["RPC_MALFORMED", "<html>"],
    ["RPC_MALFORMED", "[]"],
    ["RPC_MALFORMED", '{"error":"no"}'],
    ["RPC_MALFORMED", `{"result":"${"a".repeat(17 << 20)}"}`],
  ])("%s", async (code, text) => {
    body = text
    await expect(endpoint.call("m", [], signal())).rejects.toMatchObject({ detail: { code } })
  })

  test("calls one after the other share a connection, and a closed one is replaced", async () => {
    body = '{"result":1}'
    const connections = new Set<unknown>()
    const note = (socket: unknown) => connections.add(socket)
    server.on("connection", note)
    for (let i = 0; i < 5; i++) await endpoint.call("m", [], signal())
    expect(connections.size).toBeLessThanOrEqual(1)
    server.closeAllConnections()
    expect(await endpoint.call("m", [], signal())).toEqual({ kind: "result", result: 1 })
    server.off("connection", note)
  })

  test("an endpoint that breaks every connection at its second question is asked once more, not by each of them", async () => {
    const seen = new WeakSet<object>()
    let questions = 0
    const held: ServerResponse[] = []
    const breaking = createServer((request, response) => {
      questions += 1
      if (seen.has(request.socket)) return void request.socket.destroy()
      seen.add(request.socket)
      held.push(response)
      // Five at once, so that there are five connections to go through.
      if (questions >= 5) for (const one of held.splice(0)) one.end('{"result":1}')
    })
    await new Promise<void>((resolve) => breaking.listen(0, "127.0.0.1", resolve))
    const { port } = breaking.address() as AddressInfo
    const other = createRpcEndpoint(`http://127.0.0.1:${port}`)
    await Promise.all([1, 2, 3, 4, 5].map(() => other.call("m", [], signal())))
    const before = questions
    expect(await other.call("m", [], signal())).toEqual({ kind: "result", result: 1 })
    expect(questions - before).toBe(2)
    breaking.closeAllConnections()
    breaking.close()
  })

  test("a call that is given up ends at once", async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
    const { port } = silent.address() as AddressInfo
    const abort = new AbortController()
    const waiting = createRpcEndpoint(`http://127.0.0.1:${port}`).call("m", [], abort.signal)
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ detail: { code: "RPC_UNREACHABLE" } })
    silent.closeAllConnections()
    silent.close()
  })

  test("nobody listens: the error does not carry the URL, which may hold an access key", async () => {
    const failure = await createRpcEndpoint("http://127.0.0.1:9/v1/access-key")
      .call("m", [], signal())
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ detail: { code: "RPC_UNREACHABLE" }, cause: undefined })
    expect(String(failure)).not.toContain("access-key")
    expect(endpoint.name).not.toContain("access-key")
  })
})
