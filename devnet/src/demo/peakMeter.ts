/** Highest sum of resident memory over all processes of the network and this one. */
import type { Processes } from "../network/processes.ts"

const EVERY_MS = 1000

export function peakMeter(processes: Processes): { peak(): number; stop(): void } {
  let highest = 0
  const measure = () => {
    const total = processes
      .list()
      .reduce((sum, running) => sum + running.residentBytes(), process.memoryUsage.rss())
    highest = Math.max(highest, total)
  }
  const timer = setInterval(measure, EVERY_MS)
  timer.unref()
  return { peak: () => highest, stop: () => clearInterval(timer) }
}
