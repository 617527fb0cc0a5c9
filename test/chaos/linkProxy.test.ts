import { once } from "node:events"
import { connect, createServer, type Server, type Socket } from "node:net"
import { afterEach, beforeEach, expect, test } from "vitest"
import { CALM } from "./lane.ts"
import { type LinkProxy, OPEN_LINK, startLinkProxy } from "./linkProxy.ts"

let server: Server
let proxy: LinkProxy
let port: number
let accepted: Socket[]
const clients: Socket[] = []

beforeEach(async () => {
  accepted = []
  server = createServer((socket) => {
    socket.on("error", () => {})
    accepted.push(socket)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  port = (server.address() as { readonly port: number }).port
  proxy = await startLinkProxy(() => port)
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy.stop()
  for (const socket of accepted) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

async function dial(): Promise<Socket> {
  const client = connect(proxy.port, "127.0.0.1")
  client.on("error", () => {})
  clients.push(client)
  await once(client, "connect")
  return client
}
/** Both ends of a connection through the proxy. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const arriving = once(server, "connection") as Promise<[Socket]>
  const client = await dial()
  const [served] = await arriving
  return [client, served]
}
const nextText = async (socket: Socket): Promise<string> => String((await once(socket, "data"))[0])
const codeOf = async (socket: Socket): Promise<unknown> => {
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException]
  return error.code
}

test("bytes pass both ways, and so does the end", async () => {
  const [client, served] = await pair()
  client.write("there")
  expect(await nextText(served)).toBe("there")
  served.write("back")
  expect(await nextText(client)).toBe("back")
  const ended = once(served, "end")
  served.resume()
  client.end()
  await ended
})

test("a reset cut breaks what is open and whoever dials, until it heals", async () => {
  const [client, served] = await pair()
  const codes = Promise.all([codeOf(client), codeOf(served)])
  proxy.set({ ...OPEN_LINK, refuses: true })
  expect(await codes).toEqual(["ECONNRESET", "ECONNRESET"])
  const refused = connect(proxy.port, "127.0.0.1")
  clients.push(refused)
  expect(await codeOf(refused)).toBe("ECONNRESET")
  expect(accepted).toHaveLength(1)
  proxy.set(OPEN_LINK)
  const [again, servedAgain] = await pair()
  again.write("healed")
  expect(await nextText(servedAgain)).toBe("healed")
})

test("a silent cut of one direction keeps its bytes for later and lets the other pass", async () => {
  const [client, served] = await pair()
  proxy.set({ ...OPEN_LINK, there: { ...CALM, held: true } })
  const heard: string[] = []
  served.on("data", (bytes) => heard.push(String(bytes)))
  client.write("kept")
  served.write("passes")
  expect(await nextText(client)).toBe("passes")
  expect(heard).toEqual([])
  proxy.set(OPEN_LINK)
  expect(await nextText(served)).toBe("kept")
})

test("a process that dies behind a silent cut is not missed before the healing", async () => {
  const [client, served] = await pair()
  proxy.set({ ...OPEN_LINK, back: { ...CALM, held: true } })
  client.write("one")
  await nextText(served)
  const gone = codeOf(client)
  let broken = false
  client.once("error", () => {
    broken = true
  })
  served.resetAndDestroy()
  await once(served, "close")
  expect(broken).toBe(false)
  proxy.set(OPEN_LINK)
  expect(await gone).toBe("ECONNRESET")
})

test("nobody behind the proxy looks like a reset", async () => {
  await new Promise((resolve) => server.close(resolve))
  const client = connect(proxy.port, "127.0.0.1")
  clients.push(client)
  expect(await codeOf(client)).toBe("ECONNRESET")
})
