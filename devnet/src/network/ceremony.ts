/** From proposal to active key. */
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { readMetric } from "../demo/metrics.ts"
import type { Accounts } from "./accounts.ts"
import { CHAIN_ID, type Chain } from "./anvil.ts"
import { contractAt, sent } from "./contracts.ts"
import type { DevNetwork, RunningMember } from "./devNetwork.ts"
import type { Layout } from "./layout.ts"
import { waitFor } from "./waitFor.ts"

const DEADLINE_SECONDS = 3600
const ACTIVE = 2n
const DISCARDED = 3n

export type CeremonyOptions = {
  readonly chain: Chain
  readonly layout: Layout
  readonly accounts: Accounts
  readonly contracts: DevNetwork["contracts"]
  readonly keyholders: readonly RunningMember[]
  readonly executors: readonly RunningMember[]
  readonly progress: (text: string) => void
  readonly timeoutMs: number
  /** Ends the wait. */
  readonly signal?: AbortSignal
}

/**
 * Proposes a key and waits until every enclave together has made and activated it.
 * @returns its id and the activation's gas
 * @throws Error at once where a process has ended or the proposal is discarded
 */
export async function makeKey(
  options: CeremonyOptions,
): Promise<{ readonly keyId: string; readonly activationGas: bigint }> {
  const { chain, layout, accounts, contracts, keyholders, executors, progress, timeoutMs, signal } = options
  const registry = contractAt("KeyRegistry", contracts.keyRegistry, accounts.governance)
  const block = await chain.provider.getBlock("latest")
  const proposal = {
    n: keyholders.length,
    t: layout.tolerance,
    k: layout.executorQuorum,
    parties: keyholders.map(({ signer }) => signer),
    executors: executors.map(({ signer }) => signer),
    parametersHash: CURRENT_PARAMETERS.hash,
    host: { chainId: CHAIN_ID, coprocessor: contracts.coprocessor, gateway: contracts.decryptionGateway },
    deadline: (block?.timestamp ?? 0) + DEADLINE_SECONDS,
  }
  const keyId: string = await registry.getFunction("propose").staticCall(proposal)
  const proposed = await sent(registry.getFunction("propose").send(proposal))
  const failure = await waitFor(
    async () => {
      const gone = [...keyholders, ...executors].find((member) => !member.process().isRunning())
      if (gone !== undefined) return `${gone.member.name} ended: ${await gone.process().exited}`
      const key = await registry.getFunction("keyOf").staticCall(keyId)
      if (BigInt(key.status) === DISCARDED) return "the proposal was discarded"
      if (BigInt(key.status) === ACTIVE) return "none"
      const [first] = keyholders
      if (first !== undefined) {
        const read = (name: string) => readMetric(first.url, `twinlock_ceremony_${name}`).catch(() => 0)
        progress(`round ${await read("round")}, ${await read("percent")} %`)
      }
      return null
    },
    { what: "the key ceremony", timeoutMs, everyMs: 500, ...(signal === undefined ? {} : { signal }) },
  )
  if (failure !== "none") throw new Error(failure)
  const activated = registry.getEvent("KeyActivated")
  const [event] = await registry.queryFilter(activated(keyId), proposed.blockNumber)
  const receipt =
    event === undefined ? null : await chain.provider.getTransactionReceipt(event.transactionHash)
  return { keyId, activationGas: receipt?.gasUsed ?? 0n }
}
