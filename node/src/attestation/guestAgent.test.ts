import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { createServer as createSocketServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { type RunningAgent, startAgent } from "@twinlock/devnet/agent/server"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { bootFactsOf, parseEventLog, replayRuntimeEvents } from "@twinlock/sdk/attestation/eventLog"
import { evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { createGuestAgent } from "./guestAgent.ts"
import { checkKeyChain, localKeyProvider } from "./keyChain.ts"
import { createQuoter } from "./quoter.ts"

const folder = mkdtempSync(join(tmpdir(), "agent-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("against the simulated agent", () => {
  const keys = createKeyService("guest agent test")
  const socketPath = join(folder, "alice.sock")
  const client = createGuestAgent({ socketPath })
  let running: RunningAgent

  beforeAll(async () => {
    running = await startAgent({
      platform: createPlatform({ seed: "guest agent test", now: 1_791_158_400 }),
      machine: "alice",
      role: "keyholder",
      compose: devnetCompose("keyholder"),
      keys,
      socketPath,
    })
  })
  afterAll(() => running.stop())

  test("a quote binds the report data and its log replays", async () => {
    const reportData = new Uint8Array(64).fill(9)
    const { quote, eventLog } = await client.getQuote(reportData)
    const { report } = parseQuote(quote)
    expect(report.reportData).toBe(toHex(reportData))
    const events = parseEventLog(eventLog)
    expect(replayRuntimeEvents(events)).toBe(report.rtMr3)
    expect(bootFactsOf(events).providerId).toBe(running.cvm.entry.providerId)
  })

  test("report data must have 64 bytes", async () => {
    await expect(client.getQuote(new Uint8Array(32))).rejects.toThrow(RangeError)
  })

  test("facts and version", async () => {
    const info = await client.info()
    expect(info.appName).toBe("twinlock-node")
    expect(toHex(info.composeHash)).toBe(running.cvm.entry.composeHash)
    expect(await client.version()).toEqual({ version: "0.5.9", revision: "simulator" })
  })

  const request = { path: "p/secp256k1", purpose: "test", algorithm: "secp256k1" } as const

  test("keys depend on the path, repeat, and do not print", async () => {
    const [one, again, other] = await Promise.all([
      client.getKey(request),
      client.getKey(request),
      client.getKey({ ...request, path: "q/secp256k1" }),
    ])
    const text = one.key.use(toHex)
    expect(again.key.use(toHex)).toBe(text)
    expect(other.key.use(toHex)).not.toBe(text)
    expect(inspect(one) + JSON.stringify(one)).not.toContain(text.slice(2))
  })

  test("a key counts only with the pinned provider behind it, for its purpose and application", async () => {
    const key = await client.getKey(request)
    const provider = { rootKey: keys.rootKey, appId: running.cvm.appId }
    expect(() => checkKeyChain(key, "test", provider)).not.toThrow()
    const foreign = { ...provider, rootKey: createKeyService("foreign").rootKey }
    expect(() => checkKeyChain(key, "test", foreign)).toThrow("AGENT_WRONG_PROVIDER")
    expect(() => checkKeyChain(key, "other purpose", provider)).toThrow("AGENT_WRONG_PROVIDER")
    expect(() => checkKeyChain(key, "test", { ...provider, appId: new Uint8Array(20) })).toThrow(
      "AGENT_WRONG_PROVIDER",
    )
    const other = await client.getKey({ ...request, path: "q/secp256k1" })
    expect(() => checkKeyChain({ ...key, key: other.key }, "test", provider)).toThrow("AGENT_WRONG_PROVIDER")
    const empty = { ...key, signatureChain: [new Uint8Array(65), ...key.signatureChain.slice(1)] }
    expect(() => checkKeyChain(empty, "test", provider)).toThrow("AGENT_WRONG_PROVIDER")
    const short = { ...key, signatureChain: key.signatureChain.slice(0, 1) }
    expect(() => checkKeyChain(short, "test", provider)).toThrow("AGENT_MALFORMED")
  })

  test("the sealing half comes from the pinned provider or not at all", async () => {
    const provider = { rootKey: keys.rootKey, appId: running.cvm.appId }
    const local = await localKeyProvider(client, provider).localKey("twinlock/sealing/v1")
    expect(local.use((key) => key.length)).toBe(32)
    const foreign = localKeyProvider(client, { ...provider, rootKey: createKeyService("foreign").rootKey })
    await expect(foreign.localKey("twinlock/sealing/v1")).rejects.toThrow("AGENT_WRONG_PROVIDER")
  })
})

describe("against a broken agent", () => {
  let server: Server | null = null
  let count = 0
  afterEach(() => {
    server?.close()
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  const sockets: Socket[] = []

  /** @param timeoutMs short only where the agent is never going to answer. */
  const clientOf = async (started: Server, timeoutMs: number) => {
    const socketPath = join(folder, `broken${count++}.sock`)
    server = started
    started.on("connection", (socket: Socket) => void sockets.push(socket))
    await new Promise<void>((resolve) => started.listen(socketPath, resolve))
    return createGuestAgent({ socketPath, timeoutMs, maxBytes: 1_000 })
  }
  const against = (listener: RequestListener, timeoutMs = 10_000) =>
    clientOf(createServer(listener) as unknown as Server, timeoutMs)
  /** An agent that writes what it likes on the socket. */
  const speaking = (speak: (socket: Socket) => void, timeoutMs = 10_000) =>
    clientOf(
      createSocketServer((socket) => void socket.once("data", () => speak(socket)).on("error", () => {})),
      timeoutMs,
    )
  const ok = (headers: string, body: string) => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`
  const good = '{"quote":"00","event_log":"[]"}'

  test.each<[string, RequestListener, string]>([
    ["too many bytes", (_, response) => void response.end("x".repeat(1_001)), "AGENT_TOO_LARGE"],
    [
      "too many bytes in chunks",
      (_, response) => {
        for (let i = 0; i < 30; i++) response.write("x".repeat(100))
      },
      "AGENT_TOO_LARGE",
    ],
    ["a cut connection", (request) => void request.socket.destroy(), "AGENT_INTERRUPTED"],
    ["an error status", (_, response) => void response.writeHead(500).end("{}"), "AGENT_REFUSED"],
    ["an error field", (_, response) => void response.end('{"error":"no"}'), "AGENT_REFUSED"],
    [
      "an error field with its status",
      (_, response) => void response.writeHead(400).end('{"error":"Report data is too long"}'),
      "answered 400: Report data is too long",
    ],
    [
      "an error that is no JSON",
      (_, response) => void response.writeHead(502).end("<h1>bad\u0007\ngateway</h1>"),
      "answered 502: <h1>bad gateway</h1>",
    ],
    ["a redirect", (_, response) => void response.writeHead(302, { location: "/x" }).end(), "AGENT_REFUSED"],
    ["no JSON", (_, response) => void response.end("hello"), "AGENT_MALFORMED"],
    ["truncated JSON", (_, response) => void response.end(good.slice(0, -3)), "AGENT_MALFORMED"],
    ["another shape", (_, response) => void response.end('{"quote":"zz","event_log":""}'), "AGENT_MALFORMED"],
    [
      "hex of odd length",
      (_, response) => void response.end('{"quote":"000","event_log":""}'),
      "AGENT_MALFORMED",
    ],
    ["no quote", (_, response) => void response.end('{"quote":"","event_log":"[]"}'), "AGENT_MALFORMED"],
    ["a list", (_, response) => void response.end("[]"), "AGENT_MALFORMED"],
    [
      "an event log that is no text",
      (_, response) => void response.end('{"quote":"00","event_log":[]}'),
      "AGENT_MALFORMED",
    ],
  ])("%s", async (_, listener, code) => {
    const agent = await against(listener)
    await expect(agent.getQuote(new Uint8Array(64))).rejects.toThrow(code)
  })

  test.each<[string, (socket: Socket) => void, string]>([
    ["no HTTP", (socket) => void socket.end("SSH-2.0-OpenSSH\r\n"), "AGENT_MALFORMED"],
    [
      "headers without end",
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\na: ${"x".repeat(40_000)}`),
      "AGENT_MALFORMED",
    ],
    [
      "a length that is no number",
      (socket) => void socket.end(ok("content-length: many\r\n", good)),
      "AGENT_MALFORMED",
    ],
    [
      "a length above the limit",
      (socket) => void socket.write(ok("content-length: 4000\r\n", "{")),
      "AGENT_TOO_LARGE",
    ],
    [
      "a body shorter than its length",
      (socket) => void socket.end(ok("content-length: 500\r\n", good)),
      "AGENT_INTERRUPTED",
    ],
    [
      "a body longer than its length",
      (socket) => void socket.end(ok("content-length: 9\r\n", good)),
      "AGENT_MALFORMED",
    ],
    [
      "chunks that break off",
      (socket) => void socket.end(ok("transfer-encoding: chunked\r\n", '5\r\n{"quo')),
      "AGENT_INTERRUPTED",
    ],
    ["headers, then nothing", (socket) => void socket.end("HTTP/1.1 200 OK\r\n"), "AGENT_INTERRUPTED"],
  ])("on the wire: %s", async (_, speak, code) => {
    const agent = await speaking(speak)
    await expect(agent.getQuote(new Uint8Array(64))).rejects.toThrow(code)
  })

  test.each<[string, RequestListener]>([
    ["silence", () => {}],
    ["a body that never ends", (_, response) => void response.write("{")],
  ])("%s ends at the deadline", async (_, listener) => {
    const agent = await against(listener, 100)
    await expect(agent.getQuote(new Uint8Array(64))).rejects.toThrow("AGENT_TIMEOUT")
  })

  test("an answer that drips in ends at the deadline, however it goes on", async () => {
    let dripping: NodeJS.Timeout | undefined
    const agent = await speaking((socket) => {
      socket.write(ok("content-length: 900\r\n", ""))
      dripping = setInterval(() => socket.write(" "), 10)
      socket.on("close", () => clearInterval(dripping))
    }, 200)
    await expect(agent.getQuote(new Uint8Array(64))).rejects.toThrow("AGENT_TIMEOUT")
    clearInterval(dripping)
  })

  test("a chunked answer is read whole", async () => {
    const agent = await against((_, response) => {
      response.write(good.slice(0, 9))
      response.end(good.slice(9))
    })
    expect(await agent.getQuote(new Uint8Array(64))).toEqual({ quote: Uint8Array.of(0), eventLog: "[]" })
  })

  test("a key of another length is refused", async () => {
    const agent = await against((_, response) => void response.end('{"key":"00","signature_chain":[]}'))
    await expect(agent.getKey({ path: "p", purpose: "", algorithm: "ed25519" })).rejects.toThrow(
      "AGENT_MALFORMED",
    )
  })

  test("no socket, and a socket that nobody serves any more", async () => {
    const agent = createGuestAgent({ socketPath: join(folder, "absent.sock") })
    await expect(agent.info()).rejects.toThrow("AGENT_UNREACHABLE")
    const socketPath = join(folder, "file.sock")
    writeFileSync(socketPath, "")
    await expect(createGuestAgent({ socketPath }).info()).rejects.toThrow("AGENT_UNREACHABLE")
  })
})

test("a quote that the agent pads with zeros is the same quote", async () => {
  const platform = createPlatform({ seed: "padded", now: 1_791_158_400 })
  const reportData = new Uint8Array(64).fill(3)
  const quote = platform.quote({ reportData })
  const padded = Uint8Array.from({ length: 6_000 }, (_, index) => quote[index] ?? 0)
  const quoter = createQuoter({
    getQuote: async () => ({ quote: padded, eventLog: "[]" }),
    getKey: () => Promise.reject(new Error("unused")),
    info: () => Promise.reject(new Error("unused")),
    version: () => Promise.reject(new Error("unused")),
  })
  const answer = await quoter.quote(reportData)
  expect(evidenceOf(answer.quote)).toEqual(evidenceOf(quote))
})
