/** What every part of the demonstration works with. */
import { createTwinlockClient, type TwinlockClient } from "@twinlock/sdk"
import { JsonRpcProvider } from "ethers"
import type { DevNetwork } from "../network/devNetwork.ts"
import { createProver, type Prover } from "./prover.ts"
import type { Report } from "./report.ts"

export type Setting = {
  readonly network: DevNetwork
  readonly report: Report
  readonly prover: Prover
  /** A dApp's view: its own endpoints, the coordinator, nothing of the nodes. */
  readonly client: TwinlockClient
}

const PROOF_THREADS = 2

export function createSetting(network: DevNetwork, report: Report): Setting {
  const prover = createProver(PROOF_THREADS)
  // Two endpoints of the one local chain; a real dApp takes different operators.
  const endpoint = () =>
    new JsonRpcProvider(network.chain.url, network.deployment.chainId, {
      staticNetwork: true,
      cacheTimeout: -1,
    })
  const client = createTwinlockClient({
    deployment: network.deployment,
    endpoints: [endpoint(), endpoint()],
    coordinators: [network.coordinatorUrl],
    prove: (job) => prover.prove(job),
  })
  return { network, report, prover, client }
}
