import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { type RunningAgent, startAgent } from "@twinlock/devnet/agent/server"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { bootFactsOf, parseEventLog, replayRuntimeEvents } from "@twinlock/sdk/attestation/eventLog"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { createGuestAgent } from "./guestAgent.ts"
import { checkKeyChain, localKeyProvider } from "./keyChain.ts"

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
    server?.closeAllConnections()
  })

  const against = async (listener: RequestListener) => {
    const socketPath = join(folder, `broken${count++}.sock`)
    const started = createServer(listener)
    server = started
    await new Promise<void>((resolve) => started.listen(socketPath, resolve))
    return createGuestAgent({ socketPath, timeoutMs: 100, maxBytes: 1_000 })
  }

  test.each<[string, RequestListener, string]>([
    ["silence", () => {}, "AGENT_TIMEOUT"],
    ["a body that never ends", (_, response) => void response.write("{"), "AGENT_TIMEOUT"],
    ["too many bytes", (_, response) => void response.end("x".repeat(1_001)), "AGENT_TOO_LARGE"],
    ["a cut connection", (request) => void request.socket.destroy(), "AGENT_UNREACHABLE"],
    ["an error status", (_, response) => void response.writeHead(500).end("{}"), "AGENT_REFUSED"],
    ["an error field", (_, response) => void response.end('{"error":"no"}'), "AGENT_REFUSED"],
    ["no JSON", (_, response) => void response.end("hello"), "AGENT_MALFORMED"],
    ["another shape", (_, response) => void response.end('{"quote":"zz","event_log":""}'), "AGENT_MALFORMED"],
    [
      "an event log that is no text",
      (_, response) => void response.end('{"quote":"00","event_log":1}'),
      "AGENT_MALFORMED",
    ],
  ])("%s", async (_, listener, code) => {
    const agent = await against(listener)
    await expect(agent.getQuote(new Uint8Array(64))).rejects.toThrow(code)
  })

  test("a key of another length is refused", async () => {
    const agent = await against((_, response) => void response.end('{"key":"00","signature_chain":[]}'))
    await expect(agent.getKey({ path: "p", purpose: "", algorithm: "ed25519" })).rejects.toThrow(
      "AGENT_MALFORMED",
    )
  })

  test("no socket", async () => {
    const agent = createGuestAgent({ socketPath: join(folder, "absent.sock") })
    await expect(agent.info()).rejects.toThrow("AGENT_UNREACHABLE")
  })
})
