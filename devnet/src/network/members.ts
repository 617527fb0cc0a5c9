/** Runs `twinlock-node` commands for the members, and keeps their processes. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { KEYHOLDER_ENVIRONMENT, RUNTIME_FLAGS } from "@twinlock/node/cli/runtime"
import { urlsOf } from "./configs.ts"
import type { RunningMember } from "./devNetwork.ts"
import type { Member, Paths } from "./layout.ts"
import type { Processes, RunningProcess } from "./processes.ts"
import type { Identity, Ports } from "./state.ts"
import { waitFor } from "./waitFor.ts"

const execute = promisify(execFile)

export type MemberTools = {
  readonly paths: Paths
  readonly ports: Ports
  /** x ‖ y of the simulated root. */
  readonly rootKey: string
  readonly processes: Processes
  /** Program of `run`, with the arguments of twinlockNode.ts; a benchmark's measures itself. */
  readonly program?: string
}

const command = (
  { paths, rootKey, program = join(paths.root, "devnet", "src", "twinlockNode.ts") }: MemberTools,
  member: Member,
  build: "honest" | "lying",
  args: readonly string[],
) => ({
  program: process.execPath,
  args: [
    ...RUNTIME_FLAGS,
    program,
    build,
    paths.socket(member),
    rootKey,
    ...args,
    "--config",
    paths.config(member),
  ],
})

async function runCommand(
  tools: MemberTools,
  member: Member,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const { program, args: all } = command(tools, member, "honest", [...args, "--json"])
  try {
    const { stdout } = await execute(program, all, { cwd: tools.paths.root })
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string }
    throw new Error(`${member.name} ${args[0]}: ${stderr?.trim() || String(error)}`)
  }
}

export async function initMember(tools: MemberTools, member: Member): Promise<Identity> {
  const { signer, peerId } = await runCommand(tools, member, ["init"])
  const port = tools.ports.p2p[member.name]
  return {
    signer: String(signer),
    peerId: String(peerId),
    multiaddr: `/ip4/127.0.0.1/tcp/${port}/p2p/${peerId}`,
  }
}

/** @returns gas of the registration with its full quote verification. */
export async function registerMember(tools: MemberTools, member: Member): Promise<bigint> {
  const { sent } = await runCommand(tools, member, [
    "register",
    "--operator-key-file",
    tools.paths.operatorKey(member),
  ])
  return BigInt((sent as { readonly gasUsed: string }).gasUsed)
}

export type MemberHealth = {
  readonly ready: boolean
  readonly parts: Readonly<Record<string, { readonly ready: boolean; readonly reason: string }>>
}

export async function healthOf(url: string): Promise<MemberHealth> {
  const response = await fetch(new URL("/health", url))
  return (await response.json()) as MemberHealth
}

/** Ready in every part; `without` names parts that may still be missing. @throws Error naming what is not ready */
export async function awaitReady(
  name: string,
  url: string,
  process: RunningProcess,
  timeoutMs: number,
  without: readonly string[] = [],
): Promise<void> {
  let last: MemberHealth | null = null
  try {
    await waitFor(
      async () => {
        if (!process.isRunning()) throw new Error(`${name} ended: ${await process.exited}`)
        last = await healthOf(url)
        return Object.entries(last.parts).every(([part, { ready }]) => ready || without.includes(part))
      },
      { what: `${name} to be ready`, timeoutMs, everyMs: 100 },
    )
  } catch (error) {
    const parts: MemberHealth["parts"] = (last as MemberHealth | null)?.parts ?? {}
    const missing = Object.entries(parts).flatMap(([part, { ready, reason }]) =>
      ready ? [] : [`${part}: ${reason}`],
    )
    throw new Error(
      `${error instanceof Error ? error.message : String(error)}${missing.length > 0 ? ` (${missing.join("; ")})` : ""}`,
    )
  }
}

/** Starts a member's process and gives it a handle; readiness is the caller's to wait for. */
export function runMember(tools: MemberTools, member: Member, signer: string): RunningMember {
  const url = urlsOf(tools.ports).http(member)
  const launch = (build: "honest" | "lying"): RunningProcess => {
    const { program, args } = command(tools, member, build, ["run"])
    const env = member.role === "keyholder" ? KEYHOLDER_ENVIRONMENT : {}
    return tools.processes.start({ name: member.name, command: program, args, env, cwd: tools.paths.root })
  }
  let current = launch("honest")
  return {
    member,
    signer,
    url,
    process: () => current,
    kill: () => current.kill(),
    stop: () => current.stop(),
    async start(build = "honest") {
      if (current.isRunning()) throw new Error(`${member.name} runs already`)
      current = launch(build)
      await awaitReady(member.name, url, current, 120_000)
    },
  }
}
