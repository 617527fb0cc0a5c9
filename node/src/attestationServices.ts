/**
 * What keeps a node accepted, put together: its standing, the chain's collateral that standing needs, and the outlook on
 * what is coming.
 */
import type { QuoteVerifier } from "@twinlock/sdk/attestation/underRoot"
import { attestationRoute } from "./api/attestation.ts"
import type { PartHealth } from "./api/health.ts"
import { type CollateralSource, withinFloors } from "./attestation/collateralSource.ts"
import { createEarlyWarning } from "./attestation/earlyWarning.ts"
import { fetchEvaluationNumbers } from "./attestation/pccs.ts"
import { platformOf } from "./attestation/quotePlatform.ts"
import type { Quoter } from "./attestation/quoter.ts"
import type { ChainView } from "./chain/chainView.ts"
import { createCollateralView } from "./chain/collateralView.ts"
import type { ContractReader } from "./chain/contractReader.ts"
import type { RegistryPolicy } from "./chain/registryPolicy.ts"
import type { Transactor } from "./chain/transactor.ts"
import type { Scheduler } from "./clock.ts"
import { COLLATERAL_POLL_MS, createCollateralKeeper } from "./collateralKeeper.ts"
import type { NodeService } from "./nodeContext.ts"
import { createStandingKeeper, type StandingKeeperOptions } from "./standingKeeper.ts"
import type { Logger } from "./telemetry/logger.ts"
import type { Metrics } from "./telemetry/metrics.ts"

export type AttestationServicesOptions = StandingKeeperOptions & {
  /** Collateral services in order of preference. */
  readonly collateralUrls: readonly string[]
}

export type AttestationServicesDeps = {
  readonly chain: ChainView
  readonly reader: ContractReader
  readonly policy: RegistryPolicy
  readonly verifier: QuoteVerifier
  readonly collateral: CollateralSource
  readonly quoter: Quoter
  readonly transactor: Transactor
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
}

const TIMEOUT_MS = 10_000

/** The services in the order of their start, and whether the node has standing. */
export function attestationServices(
  options: AttestationServicesOptions,
  deps: AttestationServicesDeps,
): { readonly services: readonly NodeService[]; readonly standing: () => PartHealth } {
  const { signer, nodeRegistry, collateralUrls } = options
  const { chain, reader, policy, verifier, collateral, quoter, transactor, scheduler, logger, metrics } = deps
  const shared = { scheduler, logger, metrics }
  const standing = createStandingKeeper(options, { chain, policy, quoter, transactor, ...shared })

  const ownPlatform = async () => platformOf((await quoter.quote(new Uint8Array(64))).quote)
  const keeper = createCollateralKeeper(
    { signer, pollMs: COLLATERAL_POLL_MS },
    {
      ...{ chain, transactor, ...shared },
      view: createCollateralView(reader, nodeRegistry),
      collateral: async (terms) => withinFloors(collateral, await ownPlatform(), terms),
      floors: policy.floors,
    },
  )
  const warning = createEarlyWarning(
    {},
    {
      ...{ quoter, verifier, collateral, ...shared },
      numbers: collateralUrls.map((url) => () => fetchEvaluationNumbers({ url, timeoutMs: TIMEOUT_MS })),
      terms: async () => {
        const at = await chain.head()
        return { time: Number(at.timestamp), floors: await policy.floors(at) }
      },
      standingUntil: async () => {
        const record = await chain.node(signer, await chain.head())
        return record === null ? null : Number(record.liveUntil)
      },
    },
  )
  const status = attestationRoute(() => {
    const { report, failure } = warning.latest()
    return { standing: standing.facts(), outlook: report, outlookFailure: failure }
  })
  return {
    services: [
      { name: "standing", routes: [status], ...standing },
      { name: "collateral", routes: [], ...keeper },
      { name: "outlook", routes: [], ...warning },
    ],
    standing: standing.health,
  }
}
