import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { withProcesses } from "./ownProcesses.ts"
import type { Processes, RunningProcess } from "./processes.ts"

const logs = mkdtempSync(join(tmpdir(), "own-processes-"))
afterAll(() => rmSync(logs, { recursive: true }))

const listeners = () => ["SIGINT", "SIGTERM"].map((name) => process.listenerCount(name))
const sleeper = (processes: Processes): RunningProcess =>
  processes.start({ name: "sleeper", command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"] })

test("what was started ends with the work, and so do the listeners", async () => {
  const before = listeners()
  const started = await withProcesses(logs, async (processes) => {
    expect(listeners()).toEqual(before.map((count) => count + 1))
    const running = sleeper(processes)
    expect(running.isRunning()).toBe(true)
    return running
  })
  expect(started.isRunning()).toBe(false)
  expect(listeners()).toEqual(before)
})

test("also where the work fails", async () => {
  let started: RunningProcess | null = null
  const failing = withProcesses(logs, async (processes) => {
    started = sleeper(processes)
    throw new Error("no network")
  })
  await expect(failing).rejects.toThrow("no network")
  expect((started as RunningProcess | null)?.isRunning()).toBe(false)
})
