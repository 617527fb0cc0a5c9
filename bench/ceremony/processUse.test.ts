import { spawn } from "node:child_process"
import { once } from "node:events"
import { expect, test } from "vitest"
import { meterProcesses } from "./processUse.ts"

const MB = 1024 * 1024
/** Waits for a line, starts a process that takes 60 MB and ends, and says so. */
const PARENT = `
process.stdout.write("ready")
process.stdin.once("data", () => {
  const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(
    "const b = Buffer.alloc(60 * 1024 * 1024, 1); while (process.cpuUsage().user < 3e5) b.fill(2)",
  )}])
  child.once("exit", () => process.stdout.write("done"))
})
setInterval(() => {}, 1000)
`

test("memory and time of a process and its children are measured", async () => {
  const parent = spawn(process.execPath, ["-e", PARENT], { stdio: ["pipe", "pipe", "inherit"] })
  try {
    await once(parent.stdout, "data")
    const meter = meterProcesses([parent.pid ?? 0], 20)
    parent.stdin.write("go\n")
    await once(parent.stdout, "data")
    const [use] = meter.stop()
    expect(use?.baseBytes).toBeGreaterThan(10 * MB)
    expect((use?.peakBytes ?? 0) - (use?.baseBytes ?? 0)).toBeGreaterThan(60 * MB)
    expect(use?.cpuSeconds).toBeGreaterThan(0.2)
  } finally {
    parent.kill("SIGKILL")
  }
})

test("a process that ends meanwhile is found at the end, not in a timer", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
  await once(child, "spawn")
  const meter = meterProcesses([child.pid ?? 0], 5)
  child.kill("SIGKILL")
  await once(child, "exit")
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(() => meter.stop()).toThrow(/ENOENT|ESRCH/)
})
