/** A few threads that prove inputs, as a dApp's web workers would. */
import { Worker } from "node:worker_threads"
import type { ProofJob } from "@twinlock/sdk"

export type Prover = {
  prove(job: ProofJob): Promise<Uint8Array>
  stop(): Promise<void>
}

type Waiting = { readonly resolve: (list: Uint8Array) => void; readonly reject: (error: Error) => void }
type Answer = { readonly id: number; readonly list?: Uint8Array; readonly error?: string }

export function createProver(threads: number): Prover {
  const waiting = new Map<number, Waiting>()
  const workers: Worker[] = []
  let next = 0
  const start = () => {
    const worker = new Worker(new URL("./proveWorker.ts", import.meta.url))
    worker.on("message", ({ id, list, error }: Answer) => {
      const job = waiting.get(id)
      waiting.delete(id)
      if (list !== undefined) job?.resolve(list)
      else job?.reject(new Error(error))
    })
    worker.on("error", (error) => {
      for (const job of waiting.values())
        job.reject(error instanceof Error ? error : new Error(String(error)))
      waiting.clear()
    })
    workers.push(worker)
    return worker
  }
  return {
    prove(job) {
      const id = next++
      // Workers start on first use and take their jobs in turn.
      const worker = workers[id % threads] ?? start()
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        worker.postMessage({ id, job })
      })
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
