/** Subscriptions against a real node, and against endpoints that do not behave. */
import { createHash } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { afterEach, beforeEach, expect, test } from "vitest"
import { createManualClock, type ManualClock } from "../clock.ts"
import { startAnvil } from "./anvilProcess.fixture.ts"
import { subscribedHint } from "./headSubscription.ts"

type Script = (socket: Duplex) => void

const frame = (text: string): Buffer => {
  const body = Buffer.from(text)
  const head =
    body.length < 126
      ? Buffer.of(0x81, body.length)
      : Buffer.of(0x81, 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((bits) => (body.length >>> bits) & 255))
  return Buffer.concat([head, body])
}
const SUBSCRIBED = frame('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
const HEADER = frame('{"jsonrpc":"2.0","method":"eth_subscription","params":{"result":{"number":"0x7"}}}')

let server: Server | null = null
const cancels: (() => void)[] = []
let over = false
/** Gives way until `condition` holds, or the test has ended without it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition() && !over) await new Promise((resolve) => setImmediate(resolve))
}
beforeEach(() => {
  over = false
})
afterEach(() => {
  over = true
  for (const cancel of cancels.splice(0)) cancel()
  server?.closeAllConnections()
  server?.close()
  server = null
})

/** A WebSocket endpoint that runs a script after the first message of each connection, or accepts with other words. */
async function endpoint(...scripts: (Script | string)[]): Promise<string> {
  const made = createServer()
  server = made
  made.on("upgrade", (request, socket: Duplex) => {
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const script = scripts.shift()
    const accept = typeof script === "string" ? script : createHash("sha1").update(key).digest("base64")
    socket.on("error", () => {})
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    if (typeof script === "function") socket.once("data", () => script(socket))
  })
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve))
  return `ws://127.0.0.1:${(made.address() as AddressInfo).port}`
}

/** What a subscription tells, as a queue that can be waited on. */
function listen(url: string, clock: ManualClock = createManualClock(0)) {
  const told: string[] = []
  let wake = (): void => {}
  const tell = (what: string): void => {
    told.push(what)
    wake()
  }
  const next = async (what: string): Promise<void> => {
    while (!told.includes(what))
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    told.splice(0, told.indexOf(what) + 1)
  }
  const source = subscribedHint({
    ...{ url, scheduler: clock },
    otherwise: () => {
      tell("polling")
      return () => tell("no polling")
    },
  })
  const cancel = source(() => tell("changed"))
  cancels.push(cancel)
  return { told, next, clock, cancel }
}

test("anvil's new blocks arrive, and polling ends when the subscription stands", async () => {
  const anvil = await startAnvil()
  const { told, next, cancel } = listen(`ws://${anvil.endpoint.name}`)
  expect(told).toEqual(["polling"])
  await next("no polling")
  await next("changed")
  await anvil.call("anvil_mine", "0x1")
  await next("changed")
  cancel()
  await anvil.call("anvil_mine", "0x1")
  expect(told).toEqual([])
  anvil.stop()
})

test.each<[string, Script]>([
  ["closes", (socket) => socket.end()],
  ["breaks off", (socket) => socket.destroy()],
  ["refuses", (socket) => socket.write(frame('{"id":1,"error":{"code":-32601,"message":"no"}}'))],
  ["sends more than a header", (socket) => socket.write(frame("x".repeat(65_537)))],
  ["announces a message of 100 MiB", (socket) => socket.write(Buffer.of(0x81, 127, 0, 0, 0, 0, 6, 64, 0, 0))],
  ["sends bytes", (socket) => socket.write(Buffer.of(0x82, 1, 0))],
  ["speaks no WebSocket", (socket) => socket.write("HTTP/1.1 400 no\r\n\r\n")],
])("an endpoint that %s: polling goes on, and it is tried again later", async (_name, script) => {
  const { told, next, clock } = listen(await endpoint(script, (socket) => socket.write(SUBSCRIBED)))
  await until(() => clock.pending()[0] === 500)
  expect(told).toEqual(["polling"])
  clock.advance(500)
  await next("no polling")
})

test("a subscription that falls silent or breaks is replaced, and polled for meanwhile", async () => {
  const good: Script = (socket) => socket.write(Buffer.concat([SUBSCRIBED, HEADER]))
  const { told, next, clock } = listen(await endpoint(good, good))
  await next("no polling")
  await next("changed")
  await next("changed")
  clock.advance(59_999)
  expect(told).toEqual([])
  clock.advance(1)
  expect(told).toEqual(["polling"])
  clock.advance(500)
  await next("no polling")
})

test("a ping is answered, and hints at nothing", async () => {
  let heard = Buffer.alloc(0)
  const script: Script = (socket) => {
    socket.write(Buffer.concat([SUBSCRIBED, Buffer.of(0x89, 2, 7, 8)]))
    socket.on("data", (bytes) => {
      heard = Buffer.concat([heard, bytes])
    })
  }
  const { told, next } = listen(await endpoint(script))
  await next("changed")
  await until(() => heard.length >= 8)
  const [kind, length, ...rest] = heard
  expect([kind, length]).toEqual([0x8a, 0x82])
  expect([rest[4], rest[5]].map((byte, i) => (byte ?? 0) ^ (rest[i] ?? 0))).toEqual([7, 8])
  expect(told).toEqual([])
})

test("an endpoint that accepts another key is none", async () => {
  const { clock, told } = listen(await endpoint("no such key"))
  await until(() => clock.pending()[0] === 500)
  expect(told).toEqual(["polling"])
})

test("nobody is there: every further attempt waits longer, and the end is the end", async () => {
  const { clock, cancel, told } = listen("ws://127.0.0.1:9")
  for (const pause of [500, 1000, 2000, 4000]) {
    const due = clock.now() + pause
    await until(() => clock.pending()[0] === due)
    clock.advance(pause)
  }
  cancel()
  expect(told).toEqual(["polling", "no polling"])
  await new Promise((resolve) => setImmediate(resolve))
  expect(clock.pending()).toEqual([])
})
