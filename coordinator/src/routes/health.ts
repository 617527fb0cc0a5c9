/** GET /health and /metrics. */
import { Counter, collectDefaultMetrics, Registry } from "prom-client"
import type { Route } from "../app.ts"

export type CoordinatorMetrics = {
  readonly registry: Registry
  readonly submissions: Counter<"result">
  readonly requests: Counter<"route" | "status">
}

export function createMetrics(): CoordinatorMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: "twinlock_coordinator_" })
  const registers = [registry]
  return {
    registry,
    submissions: new Counter({
      name: "twinlock_coordinator_submissions_total",
      help: "certificates by outcome",
      labelNames: ["result"],
      registers,
    }),
    requests: new Counter({
      name: "twinlock_coordinator_requests_total",
      help: "HTTP requests by route and status",
      labelNames: ["route", "status"],
      registers,
    }),
  }
}

/** @param ready whether the chain answers. */
export function healthRoutes(
  { registry, requests }: CoordinatorMetrics,
  ready: () => Promise<boolean>,
): Route {
  return (app) => {
    app.use(async (context, next) => {
      await next()
      requests.inc({ route: context.req.routePath, status: String(context.res.status) })
    })
    app.get("/health", async (context) => {
      const ok = await ready()
      return context.json(
        { live: true, ready: ok, reasons: ok ? [] : ["the chain does not answer"] },
        ok ? 200 : 503,
      )
    })
    app.get("/metrics", async (context) =>
      context.text(await registry.metrics(), 200, { "content-type": registry.contentType }),
    )
  }
}
