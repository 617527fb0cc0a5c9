/** Asks the meter of a measured node, and the kernel about any process. */
import { readFileSync, writeFileSync } from "node:fs"
import { request } from "node:http"

/** What a measured node says of itself. Bytes on sockets by port: the listening one, or that of the other side. */
export type Reading = {
  readonly cpuMs: number
  readonly traffic: Readonly<Record<string, { readonly sent: number; readonly received: number }>>
}

function ask(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (response) => {
      let text = ""
      response.on("data", (chunk) => {
        text += chunk
      })
      response.on("end", () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${path}: ${text}`)),
      )
    })
    asked.on("error", reject)
    asked.end()
  })
}

export type Meter = {
  read(): Promise<Reading>
  startProfile(): Promise<void>
  /** Writes a .cpuprofile. */
  stopProfile(file: string): Promise<void>
}

/** @param agentSocket of the node's platform. */
export function meterOf(agentSocket: string): Meter {
  const socket = `${agentSocket}.meter`
  return {
    read: async () => JSON.parse(await ask(socket, "/read")) as Reading,
    startProfile: async () => void (await ask(socket, "/profile/start")),
    stopProfile: async (file) =>
      void (await ask(socket, `/profile/stop?${new URLSearchParams({ file }).toString()}`)),
  }
}

/** User and system time of a process and its children so far, in milliseconds: some programs are scripts around others. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
  // utime and stime are fields 14 and 15, in ticks of 10 ms; the name and what precedes it are cut off.
  const own = 10 * (Number(fields[11]) + Number(fields[12]))
  return children === "" ? own : children.split(" ").reduce((sum, child) => sum + cpuMsOf(Number(child)), own)
}

/** From here on {@link peakBytesOf} counts anew. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5")
}

/** Highest resident memory since {@link resetPeak}. */
export function peakBytesOf(pid: number): number {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return 1024 * Number(found?.[1] ?? 0)
}

export const loadAverage = (): number => Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0])
