/** What the services of a node are made from; put together once, in `main.ts`. */
import type { QuoteVerifier } from "@twinlock/sdk/attestation/underRoot"
import type { Digest, Epoch, KeyId } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import type { HealthProbes } from "./api/health.ts"
import type { Route } from "./api/httpServer.ts"
import type { GuestAgent } from "./attestation/guestAgent.ts"
import type { PeerPolicy } from "./attestation/peerPolicy.ts"
import type { Quoter } from "./attestation/quoter.ts"
import type { ChainView } from "./chain/chainView.ts"
import type { ContractReader } from "./chain/contractReader.ts"
import type { EventReader } from "./chain/eventReader.ts"
import type { RegistryPolicy } from "./chain/registryPolicy.ts"
import type { Transactor } from "./chain/transactor.ts"
import type { Clock, Scheduler } from "./clock.ts"
import type { NodeConfig } from "./config.ts"
import type { NodeIdentity } from "./identity.ts"
import type { Network } from "./p2p/network.ts"
import type { Secret } from "./secret.ts"
import type { SealedStore } from "./storage/sealedStore.ts"
import type { Logger } from "./telemetry/logger.ts"
import type { Metrics } from "./telemetry/metrics.ts"

export type Service = {
  start(): Promise<void>
  stop(): Promise<void>
}

/** A service with a name for logs and the paths that it answers. */
export type NodeService = Service & {
  readonly name: string
  readonly routes: readonly Route[]
}

/** The machine under the node. Production has one; simulated ones come from the development network alone. */
export type NodePlatform = {
  /** Unix socket of the guest agent. */
  readonly agentSocket: string
  /** @throws where the contracts pin a root that this platform does not stand for. */
  verifierFor(contractRootId: Digest, chainId: bigint): QuoteVerifier
}

export type NodeContext = {
  readonly config: NodeConfig
  readonly configHash: Digest
  /** **Security:** holds the signer's key. */
  readonly identity: NodeIdentity
  readonly agent: GuestAgent
  readonly quoter: Quoter
  readonly verifier: QuoteVerifier
  readonly peerPolicy: PeerPolicy
  readonly registryPolicy: RegistryPolicy
  readonly store: SealedStore
  /** Sealing key of a key's epoch on this node, 32 bytes; the caller wipes it. */
  readonly epochKey: (scope: { readonly keyId: KeyId; readonly epoch: Epoch }) => Promise<Secret<Uint8Array>>
  readonly chain: ChainView
  readonly reader: ContractReader
  readonly events: EventReader
  readonly transactor: Transactor
  readonly network: Network
  readonly health: HealthProbes
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly rng: Rng
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Makes the services of a role, in the order of their start. */
export type ServiceFactory = (context: NodeContext) => readonly NodeService[]
