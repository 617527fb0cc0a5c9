import { describe, expect, test } from "vitest"
import { createMetrics } from "./metrics.ts"

describe("metrics", () => {
  test("counters, gauges and durations appear in the text", async () => {
    const metrics = createMetrics()
    const refusals = metrics.counter({ name: "refusals_total", help: "h", labels: ["code"] })
    refusals.add({ code: "A" })
    metrics.counter({ name: "refusals_total", help: "h", labels: ["code"] }).add({ code: "A" }, 2)
    metrics.gauge({ name: "peers", help: "h" }).set(3)
    metrics.duration({ name: "decryption_seconds", help: "h" }).observe(0.3)
    const text = await metrics.text()
    expect(text).toContain('twinlock_refusals_total{code="A"} 3')
    expect(text).toContain("twinlock_peers 3")
    expect(text).toContain("twinlock_decryption_seconds_count 1")
  })

  test.each([
    ["counter without _total", (m: ReturnType<typeof createMetrics>) => m.counter({ name: "x", help: "h" })],
    ["gauge with _total", (m: ReturnType<typeof createMetrics>) => m.gauge({ name: "x_total", help: "h" })],
    ["upper case", (m: ReturnType<typeof createMetrics>) => m.gauge({ name: "Peers", help: "h" })],
  ])("a bad name is refused: %s", (_name, make) => {
    expect(() => make(createMetrics())).toThrow("METRIC_BAD_NAME")
  })

  test("two registries do not share values", async () => {
    createMetrics().gauge({ name: "peers", help: "h" }).set(3)
    expect(await createMetrics().text()).not.toContain("twinlock_peers 3")
  })
})
