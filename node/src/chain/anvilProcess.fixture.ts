/** An anvil of a test's own, on a port that the system chooses. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { createRpcEndpoint, type RpcEndpoint } from "./jsonRpc.ts"

export type AnvilProcess = {
  readonly endpoint: RpcEndpoint
  /** Result of a call, or the revert. */
  call(method: string, ...params: unknown[]): Promise<unknown>
  stop(): void
}

export async function startAnvil(...options: string[]): Promise<AnvilProcess> {
  const binary = join(import.meta.dirname, "../../../node_modules/.bin/anvil")
  // Its own process group: the binary is the child of a small launcher.
  const child = spawn(binary, ["--port", "0", "--slots-in-an-epoch", "1", ...options], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  })
  const address = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, found] = /Listening on (\S+)/.exec(line) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  const endpoint = createRpcEndpoint(`http://${address}`)
  return {
    endpoint,
    async call(method, ...params) {
      const answer = await endpoint.call(method, params, AbortSignal.timeout(10_000))
      return answer.kind === "result" ? answer.result : answer
    },
    stop() {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    },
  }
}
