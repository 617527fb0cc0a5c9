import { toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Hono } from "hono"
import { describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { createHealthProbes, healthRoute, metricsRoute } from "./health.ts"
import { createApp, type Route, startHttpServer } from "./httpServer.ts"
import { type InputsCall, inputsRoute } from "./inputs.ts"
import { type UserDecryptionCall, userDecryptionsRoute } from "./userDecryptions.ts"

const hex = (byte: number, length: number): string => toHex(new Uint8Array(length).fill(byte))
const appOf = (...routes: Route[]): Hono => createApp({ maxBodyBytes: 200_000, routes, logger: silentLogger })
const post = (app: Hono, path: string, body: unknown): Promise<Response> =>
  Promise.resolve(
    app.request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  )
const failing =
  (error: unknown): Route =>
  (app) =>
    app.get("/fails", () => {
      throw error
    })

describe("errors", () => {
  test.each([
    ["CHAIN_UNAVAILABLE", 503],
    ["CODEC_HEX", 400],
    ["BAD_ADDRESS", 400],
    ["PERMIT_EXPIRED", 409],
  ])("%s leaves as %i with its code", async (code, status) => {
    const response = await appOf(failing(new ProtocolError({ code, message: "the rule" }))).request("/fails")
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ error: { code, message: "the rule" } })
  })

  test("an unknown error says nothing", async () => {
    const response = await appOf(failing(new Error("inside"))).request("/fails")
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain("inside")
  })

  test("an unknown path", async () => {
    const response = await appOf().request("/nothing")
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: "NOT_FOUND" } })
  })
})

describe("health and metrics", () => {
  test("ready only when every part is, with reasons", async () => {
    const probes = createHealthProbes()
    let ready = false
    probes.add("chain", () => ({ ready: true, reason: "block 7" }))
    probes.add("peers", () => ({ ready, reason: ready ? "3 peers" : "no peers" }))
    const app = appOf(healthRoute(probes))
    const before = await app.request("/health")
    expect(before.status).toBe(503)
    expect(await before.json()).toEqual({
      live: true,
      ready: false,
      parts: { chain: { ready: true, reason: "block 7" }, peers: { ready: false, reason: "no peers" } },
    })
    expect((await app.request("/health/live")).status).toBe(200)
    ready = true
    expect((await app.request("/health")).status).toBe(200)
  })

  test("metrics are text", async () => {
    const metrics = createMetrics()
    metrics.gauge({ name: "peers", help: "h" }).set(2)
    const response = await appOf(metricsRoute(metrics)).request("/metrics")
    expect(response.headers.get("content-type")).toContain("text/plain")
    expect(await response.text()).toContain("twinlock_peers 2")
  })
})

const permit = {
  user: hex(1, 20),
  transportKeyHash: hex(2, 32),
  contracts: [hex(3, 20)],
  notBefore: "1",
  notAfter: "2",
  nonce: "0",
  chainId: "31337",
  extra: "0x",
}
const userBody = {
  keyId: hex(4, 32),
  permit,
  signature: hex(5, 65),
  transportKey: hex(6, 1216),
  handles: [{ handle: hex(7, 32), contract: hex(3, 20) }],
}

describe("user decryptions", () => {
  const calls: UserDecryptionCall[] = []
  const app = appOf(
    userDecryptionsRoute(async (call) => {
      calls.push(call)
      return { keyId: call.keyId, epoch: 1, party: 2, sealedShares: [] }
    }),
  )

  test("a call reaches the node with its values decoded", async () => {
    const response = await post(app, "/v1/user-decryptions", userBody)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ epoch: 1, party: 2 })
    expect(calls[0]?.permit).toMatchObject({ notAfter: 2n, chainId: 31337n, user: hex(1, 20) })
    expect(calls[0]?.transportKey).toEqual(new Uint8Array(1216).fill(6))
  })

  test.each<[string, unknown]>([
    ["no JSON", "{"],
    ["an unknown field", { ...userBody, extra: 1 }],
    ["no handles", { ...userBody, handles: [] }],
    ["too many handles", { ...userBody, handles: Array(33).fill(userBody.handles[0]) }],
    ["upper-case hex", { ...userBody, keyId: hex(0xab, 32).toUpperCase().replace("0X", "0x") }],
    ["a number for an integer", { ...userBody, permit: { ...permit, notAfter: 2 } }],
    ["a long signature", { ...userBody, signature: hex(5, 4097) }],
  ])("refused: %s", async (_name, body) => {
    const response = await post(app, "/v1/user-decryptions", body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: "MALFORMED_BODY" } })
  })
})

describe("inputs", () => {
  const calls: InputsCall[] = []
  const app = appOf(
    inputsRoute(async (call) => {
      calls.push(call)
      return { handles: [], signer: call.user, signature: "0x" }
    }),
  )

  test("a list reaches the executor as bytes", async () => {
    const body = { list: hex(9, 100), contract: hex(1, 20), user: hex(2, 20) }
    expect((await post(app, "/v1/inputs", body)).status).toBe(200)
    expect(calls[0]?.list).toEqual(new Uint8Array(100).fill(9))
  })

  test("a body above the limit is refused", async () => {
    const response = await post(app, "/v1/inputs", {
      list: hex(9, 150_000),
      contract: hex(1, 20),
      user: hex(2, 20),
    })
    expect(response.status).toBe(413)
  })
})

describe("server", () => {
  test("listens, answers and stops", async () => {
    const server = await startHttpServer({
      host: "127.0.0.1",
      port: 0,
      maxBodyBytes: 100,
      routes: [healthRoute(createHealthProbes())],
      logger: silentLogger,
    })
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
    await server.stop()
    await expect(fetch(`${server.url}/health`)).rejects.toThrow()
  })

  test("a port that is taken rejects", async () => {
    const options = { host: "127.0.0.1", maxBodyBytes: 100, routes: [], logger: silentLogger }
    const server = await startHttpServer({ ...options, port: 0 })
    const port = Number(new URL(server.url).port)
    await expect(startHttpServer({ ...options, port })).rejects.toThrow("EADDRINUSE")
    await server.stop()
  })
})
