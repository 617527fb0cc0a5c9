/** A node as a process of its own: it runs until SIGTERM, ends in order, and comes back after a SIGKILL. */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type SimulatedWorld, startSimulatedWorld } from "../../../test/support/simulatedWorld.ts"

let world: SimulatedWorld
let signer = ""
beforeAll(async () => {
  world = await startSimulatedWorld(["alice"])
  ;({ signer } = await world.enrol("alice"))
})
afterAll(() => world.stop())

type Running = {
  readonly child: ChildProcess
  readonly url: string
  readonly ended: Promise<number | string | null>
}

/** Starts `run` and resolves when the node says that it runs. */
async function start(): Promise<Running> {
  const file = join(world.folder, "alice.json")
  writeFileSync(file, JSON.stringify({ ...JSON.parse(world.configText("alice", [])), logLevel: "info" }))
  const script = join(import.meta.dirname, "../../../test/support/runningNode.ts")
  const { agentSocket } = world.platformOf("alice")
  const child = spawn(
    process.execPath,
    [script, agentSocket, toHex(world.rootKey), "run", "--config", file],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  )
  const ended = new Promise<number | string | null>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal)),
  )
  return new Promise((resolve, reject) => {
    void ended.then((code) => reject(new Error(`ended with ${code}`)))
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { msg, url } = JSON.parse(line)
      if (msg === "node runs") resolve({ child, url, ended })
    })
  })
}

describe("a running node", () => {
  test("ends in order on SIGTERM", async () => {
    const { child, url, ended } = await start()
    expect(await (await fetch(`${url}/v1/status`)).json()).toMatchObject({ signer, role: "keyholder" })
    child.kill("SIGTERM")
    expect(await ended).toBe(0)
  })

  test("keeps its identity over a SIGKILL", async () => {
    const first = await start()
    first.child.kill("SIGKILL")
    expect(await first.ended).toBe("SIGKILL")
    const second = await start()
    expect(await (await fetch(`${second.url}/v1/status`)).json()).toMatchObject({ signer })
    second.child.kill("SIGTERM")
    expect(await second.ended).toBe(0)
  })
})
