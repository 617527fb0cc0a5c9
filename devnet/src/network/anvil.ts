/** The local chain: anvil with one-block finality lag, its state in a file between starts. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { JsonRpcProvider } from "ethers"
import { FUNDED_ACCOUNTS } from "./accounts.ts"
import type { Processes, RunningProcess } from "./processes.ts"
import { waitFor } from "./waitFor.ts"

export const CHAIN_ID = 31_337n
/** Seconds between blocks. */
export const BLOCK_SECONDS = 0.5

export type Chain = {
  readonly url: string
  readonly process: RunningProcess
  readonly provider: JsonRpcProvider
  readonly genesisHash: string
}

export type AnvilOptions = {
  readonly processes: Processes
  readonly root: string
  readonly port: number
  readonly stateFile: string
}

export async function startAnvil({ processes, root, port, stateFile }: AnvilOptions): Promise<Chain> {
  const url = `http://127.0.0.1:${port}`
  const process = processes.start({
    name: "anvil",
    command: join(root, "node_modules", ".bin", "anvil"),
    args: [
      ...["--port", String(port), "--chain-id", String(CHAIN_ID), "--hardfork", "osaka"],
      ...["--slots-in-an-epoch", "1", "--block-time", String(BLOCK_SECONDS), "--mixed-mining"],
      ...["--state", stateFile, "--state-interval", "60"],
      ...["--accounts", String(FUNDED_ACCOUNTS), "--balance", "1000000", "--silent"],
    ],
  })
  const provider = new JsonRpcProvider(url, CHAIN_ID, {
    staticNetwork: true,
    pollingInterval: 100,
    cacheTimeout: -1,
  })
  const genesis = await waitFor(() => provider.getBlock(0), {
    what: "anvil",
    timeoutMs: existsSync(stateFile) ? 60_000 : 20_000,
  })
  return { url, process, provider, genesisHash: genesis.hash ?? "" }
}
