/** A running local network, as demonstrations, tests and benchmarks use it. */
import type { Deployment as DeployedContracts } from "@twinlock/contracts/deploy"
import type { Deployment } from "@twinlock/sdk"
import type { AllowListEntry } from "@twinlock/sdk/attestation/policy"
import type { Accounts } from "./accounts.ts"
import type { Chain } from "./anvil.ts"
import type { Member } from "./layout.ts"
import type { Processes, RunningProcess } from "./processes.ts"

export type RunningMember = {
  readonly member: Member
  /** 0x address of its signer. */
  readonly signer: string
  /** HTTP API. */
  readonly url: string
  readonly process: () => RunningProcess
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again after a kill or stop, honest or with the liar's test build, and waits until it is ready. */
  start(build?: "honest" | "lying"): Promise<void>
  stop(): Promise<void>
}

export type DevNetwork = {
  readonly chain: Chain
  readonly accounts: Accounts
  readonly contracts: DeployedContracts
  readonly deployment: Deployment
  readonly keyId: string
  readonly coordinatorUrl: string
  readonly collateralUrl: string
  /** x ‖ y of the simulated root, 0x hex. */
  readonly rootKey: string
  readonly processes: Processes
  readonly keyholders: readonly RunningMember[]
  readonly executors: readonly RunningMember[]
  /** The allow-list entry of a role, as registered. */
  entryOf(role: Member["role"]): AllowListEntry
  stop(): Promise<void>
}
