import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Hono } from "hono"
import { describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { createHealthProbes, healthRoute, metricsRoute } from "./health.ts"
import { createApp, type Route, startHttpServer } from "./httpServer.ts"

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

describe("bodies", () => {
  const app = appOf((routes) =>
    routes.post("/echo", async (context) => context.json(await context.req.json())),
  )

  test("up to the limit pass, above it are refused before a route reads them", async () => {
    expect((await post(app, "/echo", { text: "a".repeat(199_000) })).status).toBe(200)
    const refused = await post(app, "/echo", { text: "a".repeat(200_000) })
    expect(refused.status).toBe(413)
    expect(await refused.json()).toMatchObject({ error: { code: "BODY_TOO_LARGE" } })
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
