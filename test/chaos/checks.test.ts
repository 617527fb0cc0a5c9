import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createLogger } from "@twinlock/node/telemetry/logger"
import { createMetrics } from "@twinlock/node/telemetry/metrics"
import { expect, test } from "vitest"
import { accusations, culpritLines } from "./checks.ts"

test("counted culprits are found in a node's metrics", async () => {
  const metrics = createMetrics()
  const culprits = metrics.counter({ name: "culprits_total", help: "…", labels: ["party"] })
  expect(culpritLines(await metrics.text())).toEqual([])
  culprits.add({ party: "3" })
  expect(culpritLines(await metrics.text())).toEqual(['twinlock_culprits_total{party="3"} 1'])
})

test("accusations are found in a node's log", () => {
  const folder = mkdtempSync(join(tmpdir(), "twinlock-accusations-"))
  try {
    const lines: string[] = []
    const logger = createLogger({ level: "info", destination: { write: (line) => lines.push(line) } })
    logger.info({}, "peer attested")
    logger.warn({ culprits: [2] }, "parties proven at fault")
    writeFileSync(join(folder, "a.log"), lines.join(""))
    const found = accusations(folder, ["a", "b"])
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('"culprits":[2]')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
