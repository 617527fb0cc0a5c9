/** Makes proven lists on a thread of its own: proving is synchronous and takes seconds. */
import { parentPort } from "node:worker_threads"
import { type ProofJob, proveInputs } from "@twinlock/sdk/fhe/ciphertext"
import { loadNodeTfhe } from "@twinlock/sdk/fhe/load"

if (parentPort === null) throw new Error("this file runs as a worker")
const port = parentPort
const tfhe = await loadNodeTfhe()

port.on("message", ({ id, job }: { readonly id: number; readonly job: ProofJob }) => {
  try {
    port.postMessage({ id, list: proveInputs(tfhe, job) })
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? error.message : String(error) })
  }
})
