/** The simulated platform's process: guest-agent sockets and collateral for everybody. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { AllowListEntry } from "@twinlock/sdk/attestation/policy"
import type { Paths } from "./layout.ts"
import type { Processes } from "./processes.ts"
import { waitFor } from "./waitFor.ts"

export type PlatformFacts = {
  readonly pccsUrl: string
  /** x ‖ y. */
  readonly rootKey: string
  readonly providerKey: string
  readonly cvms: readonly (AllowListEntry & {
    readonly machine: string
    readonly ppid: string
    readonly appId: string
  })[]
}

/** Starts it and waits for the line in which it says what it serves. */
export async function startPlatform(paths: Paths, processes: Processes): Promise<PlatformFacts> {
  const name = "tdx-platform"
  const log = join(paths.logs, `${name}.log`)
  const before = linesOf(log).length
  const started = processes.start({
    name,
    command: process.execPath,
    args: [join(paths.root, "devnet", "src", "agent", "main.ts"), paths.platformConfig],
    cwd: paths.root,
  })
  return waitFor(
    async () => {
      if (!started.isRunning()) throw new Error(`it ended: ${await started.exited}`)
      const line = linesOf(log)
        .slice(before)
        .find((text) => text.startsWith("{"))
      return line === undefined ? null : (JSON.parse(line) as PlatformFacts)
    },
    { what: "the TDX platform", timeoutMs: 30_000, everyMs: 50 },
  )
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1)
  } catch {
    return []
  }
}
