import { describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { HEAD } from "../p2p/testSupport.fixture.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { watchHead } from "./headWatch.ts"

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("head watch", () => {
  test("is ready while heads are read, and says when they stop coming", async () => {
    const clock = createManualClock()
    let broken = false
    const chain = { head: async () => (broken ? Promise.reject(new Error("offline")) : HEAD) }
    const watch = watchHead({
      chain,
      clock,
      scheduler: clock,
      logger: silentLogger,
      metrics: null,
      pollMs: 2_000,
    })
    expect(watch.health().ready).toBe(false)
    await watch.start()
    expect(watch.health()).toEqual({ ready: true, reason: "block 10, read 0 s ago" })
    broken = true
    for (let i = 0; i < 30; i++) {
      clock.advance(2_000)
      await settle()
    }
    expect(watch.health().ready).toBe(false)
    broken = false
    clock.advance(2_000)
    await settle()
    expect(watch.health().ready).toBe(true)
    await watch.stop()
    expect(clock.pending()).toEqual([])
  })
})
