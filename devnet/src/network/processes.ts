/** The network's operating-system processes: started with a log file each, watched, and all stopped again. */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"

export type ProcessSpec = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Working directory; the repository's root by default. */
  readonly cwd?: string
}

export type RunningProcess = {
  readonly name: string
  readonly pid: number
  /** Resolves with exit code or signal once the process is gone. */
  readonly exited: Promise<string>
  isRunning(): boolean
  /** SIGTERM, then SIGKILL after the grace period. */
  stop(): Promise<void>
  /** SIGKILL: what a crash looks like to the others. */
  kill(): Promise<void>
  /** Resident memory in bytes; 0 once it is gone. */
  residentBytes(): number
}

export type Processes = {
  /** @throws where the command cannot be started, or everything is being stopped. */
  start(spec: ProcessSpec): RunningProcess
  list(): readonly RunningProcess[]
  /** Processes that ended without being asked to, with how. */
  casualties(): readonly string[]
  /** For good: nothing starts afterwards. */
  stopAll(): Promise<void>
  /** SIGKILL to whatever is left, at once: for the very end of this process. */
  killAll(): void
}

/** A chain with a long history takes its time to write its state. */
const GRACE_MS = 60_000

function residentBytes(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1])
    return pages * 4096
  } catch {
    return 0
  }
}

/** @param logDirectory gets one NAME.log per process, appended to. */
export function createProcesses(logDirectory: string): Processes {
  mkdirSync(logDirectory, { recursive: true })
  const running = new Map<number, { readonly process: RunningProcess; readonly child: ChildProcess }>()
  const expected = new Set<number>()
  const casualties: string[] = []
  let stopping = false

  return {
    start({ name, command, args, env = {}, cwd }) {
      if (stopping) throw new Error(`${name} is not started: the network is being stopped`)
      const log = openSync(join(logDirectory, `${name}.log`), "a")
      const child = spawn(command, args, {
        stdio: ["ignore", log, log],
        env: { ...process.env, ...env },
        detached: true,
        ...(cwd === undefined ? {} : { cwd }),
      })
      closeSync(log)
      const { pid } = child
      child.on("error", () => {}) // a command that cannot be started also says so here, too late to be caught
      if (pid === undefined) throw new Error(`could not start ${name}: ${command}`)
      const exited = new Promise<string>((resolve) => {
        child.once("exit", (code, signal) => {
          running.delete(pid)
          const how = signal ?? `exit code ${code}`
          if (!expected.has(pid)) casualties.push(`${name}: ${how}`)
          resolve(how)
        })
      })
      const end = async (signal: "SIGTERM" | "SIGKILL") => {
        expected.add(pid)
        if (running.has(pid)) child.kill(signal)
        const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS)
        await exited
        clearTimeout(timer)
      }
      const started: RunningProcess = {
        name,
        pid,
        exited,
        isRunning: () => running.has(pid),
        stop: () => (running.has(pid) ? end("SIGTERM") : Promise.resolve()),
        kill: () => (running.has(pid) ? end("SIGKILL") : Promise.resolve()),
        residentBytes: () => (running.has(pid) ? residentBytes(pid) : 0),
      }
      running.set(pid, { process: started, child })
      return started
    },
    list: () => [...running.values()].map((entry) => entry.process),
    casualties: () => casualties,
    async stopAll() {
      stopping = true
      // In reverse order of start: the chain outlives those who read it.
      while (running.size > 0) for (const entry of [...running.values()].reverse()) await entry.process.stop()
    },
    killAll() {
      stopping = true
      for (const { child } of running.values()) child.kill("SIGKILL")
    },
  }
}
