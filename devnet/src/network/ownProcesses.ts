/** Programs that start a network for themselves: whatever they started ends with them, interrupted or not. */
import { createProcesses, type Processes } from "./processes.ts"

/** Runs `work` with processes of its own and stops all of them when it ends, at once where this process is interrupted. */
export async function withProcesses<T>(
  logDirectory: string,
  work: (processes: Processes) => Promise<T>,
): Promise<T> {
  const processes = createProcesses(logDirectory)
  const stop = (): void => {
    processes.killAll()
    process.exit(130)
  }
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
  try {
    return await work(processes)
  } finally {
    process.removeListener("SIGINT", stop)
    process.removeListener("SIGTERM", stop)
    await processes.stopAll()
  }
}
