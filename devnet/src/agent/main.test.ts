import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { createGuestAgent } from "@twinlock/node/attestation/guestAgent"
import { fetchCollateral, fetchEvaluationNumbers } from "@twinlock/node/attestation/pccs"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { afterAll, expect, test } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "platform-"))
let child: ChildProcess | null = null
afterAll(() => {
  child?.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

type Ready = {
  readonly pccsUrl: string
  readonly rootKey: string
  readonly cvms: readonly { readonly machine: string; readonly role: string; readonly ppid: string }[]
}

test("one process serves every guest and the collateral, and stops cleanly", async () => {
  const cvms = [
    { machine: "host1", role: "keyholder", socketPath: join(folder, "host1.sock") },
    { machine: "host2", role: "executor", socketPath: join(folder, "host2.sock") },
  ] as const
  const config = join(folder, "platform.json")
  writeFileSync(config, JSON.stringify({ seed: "process", pccs: { host: "127.0.0.1", port: 0 }, cvms }))
  const started = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), config], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  child = started
  const [line] = (await once(createInterface(started.stdout), "line")) as [string]
  const ready = JSON.parse(line) as Ready
  expect(ready.cvms.map(({ machine, role }) => [machine, role])).toEqual([
    ["host1", "keyholder"],
    ["host2", "executor"],
  ])

  const collateral = await fetchCollateral(
    { fmspc: "b0c06f000000", authority: "platform" },
    { url: ready.pccsUrl, timeoutMs: 5_000 },
  )
  const rootKey = fromHex(ready.rootKey)
  const verifier = createDevnetQuoteVerifier({ chainId: 31337n, rootKey, contractRootId: rootIdOf(rootKey) })
  for (const [index, { socketPath }] of cvms.entries()) {
    const { quote } = await createGuestAgent({ socketPath }).getQuote(new Uint8Array(64))
    const verified = verifier.verify(quote, {
      collateral,
      time: Math.floor(Date.now() / 1000),
      floors: { tcb: 20, qe: 20 },
    })
    expect(verified.platform.ppid).toBe(ready.cvms[index]?.ppid)
  }

  const { text } = await fetchEvaluationNumbers({ url: ready.pccsUrl, timeoutMs: 5_000 })
  expect(JSON.parse(text)).toMatchObject({ id: "TDX", tcbEvalNumbers: [{ tcbEvaluationDataNumber: 20 }] })

  started.kill("SIGTERM")
  expect(await once(started, "exit")).toEqual([0, null])
  expect(cvms.some(({ socketPath }) => existsSync(socketPath))).toBe(false)
})
