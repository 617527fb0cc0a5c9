/** `/health` says whether the process lives and whether it is ready, with a reason for each part; `/metrics` the figures. */
import type { Metrics } from "../telemetry/metrics.ts"
import type { Route } from "./httpServer.ts"

export type PartHealth = { readonly ready: boolean; readonly reason: string }
export type Health = {
  readonly live: true
  readonly ready: boolean
  readonly parts: Readonly<Record<string, PartHealth>>
}

export type HealthProbes = {
  /** A part of the node that must be ready; asked at every request, so it must be cheap. */
  add(part: string, probe: () => PartHealth): void
  read(): Health
}

export function createHealthProbes(): HealthProbes {
  const probes = new Map<string, () => PartHealth>()
  return {
    add: (part, probe) => void probes.set(part, probe),
    read() {
      const parts = Object.fromEntries([...probes].map(([part, probe]) => [part, probe()]))
      return { live: true, ready: Object.values(parts).every(({ ready }) => ready), parts }
    },
  }
}

/** `GET /health`: 200 when ready, 503 when not; the body is the same. `GET /health/live`: 200 while the process answers. */
export const healthRoute =
  (probes: HealthProbes): Route =>
  (app) => {
    app.get("/health", (context) => {
      const health = probes.read()
      return context.json(health, health.ready ? 200 : 503)
    })
    app.get("/health/live", (context) => context.json({ live: true }))
  }

/** `GET /metrics` in Prometheus' text form. */
export const metricsRoute =
  (metrics: Metrics): Route =>
  (app) => {
    app.get("/metrics", async (context) =>
      context.body(await metrics.text(), 200, { "content-type": metrics.contentType }),
    )
  }
