/** Memory and CPU time of processes with their children, while something runs: a CRS update has a process of its own. */
import { readFileSync } from "node:fs"
import { peakBytesOf, resetPeak } from "../threshold/meter.ts"

export type ProcessUse = {
  /** Resident at the start. */
  readonly baseBytes: number
  /** Highest resident memory, children included. */
  readonly peakBytes: number
  /** User and system time, that of children that have ended included. */
  readonly cpuSeconds: number
}

const PAGE_BYTES = 4096
const TICKS_PER_SECOND = 100

/** 0 where the process has just ended. */
function residentBytes(pid: number): number {
  try {
    return PAGE_BYTES * Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1])
  } catch {
    return 0
  }
}

/** Only the main thread starts processes. None where the process has just ended. */
function childrenOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    return children.trim().split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  // utime, stime, cutime and cstime are fields 14 to 17; the name and what precedes it are cut off.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
}

/** Measures from now until it is stopped. @throws at the end where a process has not lived so long */
export function meterProcesses(pids: readonly number[], everyMs = 100): { stop(): readonly ProcessUse[] } {
  const begun = pids.map((pid) => {
    resetPeak(pid)
    return { pid, baseBytes: residentBytes(pid), cpu: cpuSeconds(pid), highest: 0 }
  })
  const timer = setInterval(() => {
    for (const entry of begun) {
      const children = childrenOf(entry.pid).reduce((sum, child) => sum + residentBytes(child), 0)
      entry.highest = Math.max(entry.highest, residentBytes(entry.pid) + children)
    }
  }, everyMs)
  return {
    stop() {
      clearInterval(timer)
      return begun.map(({ pid, baseBytes, cpu, highest }) => ({
        baseBytes,
        peakBytes: Math.max(highest, peakBytesOf(pid)),
        cpuSeconds: cpuSeconds(pid) - cpu,
      }))
    },
  }
}
