/**
 * Composition root of a node: keyholder or executor, by its configuration. Everything else receives what it needs from
 * here. Order of the start: chain and trust root, sealing key and store, identity, peers, services, HTTP; the reverse at
 * the end.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { createHealthProbes, healthRoute, metricsRoute } from "./api/health.ts"
import { type HttpServer, startHttpServer } from "./api/httpServer.ts"
import { statusRoute } from "./api/status.ts"
import { createCollateralSource } from "./attestation/collateralSource.ts"
import { createGuestAgent, type GuestAgent } from "./attestation/guestAgent.ts"
import { localKeyProvider } from "./attestation/keyChain.ts"
import { createPeerPolicy } from "./attestation/peerPolicy.ts"
import { channelQuoter, createQuoter } from "./attestation/quoter.ts"
import { attestationServices } from "./attestationServices.ts"
import { resultOf } from "./chain/chainError.ts"
import type { ChainView } from "./chain/chainView.ts"
import { type ContractReader, createContractReader } from "./chain/contractReader.ts"
import { createEthersChainView } from "./chain/ethersChainView.ts"
import { createEventReader, type EventReader } from "./chain/eventReader.ts"
import { createHeadHint, polledHint } from "./chain/headHint.ts"
import { subscribedHint } from "./chain/headSubscription.ts"
import { watchHead } from "./chain/headWatch.ts"
import { createRpcEndpoint } from "./chain/jsonRpc.ts"
import { createRegistryPolicy, type RegistryPolicy } from "./chain/registryPolicy.ts"
import { createRpcPool } from "./chain/rpcPool.ts"
import { createTransactor, type Transactor } from "./chain/transactor.ts"
import { holdingScheduler, systemClock, systemScheduler } from "./clock.ts"
import { configHash, DEVELOPMENT_CHAIN, type NodeConfig } from "./config.ts"
import { watchEpochs } from "./epochWatch.ts"
import { loadIdentity, publicIdentity } from "./identity.ts"
import type { NodeContext, NodePlatform, NodeService, Service, ServiceFactory } from "./nodeContext.ts"
import { createP2pNode, P2P_DEFAULTS } from "./p2p/libp2pNetwork.ts"
import type { Secret } from "./secret.ts"
import type { SealedStore } from "./storage/sealedStore.ts"
import { deriveSealingKey, type LocalKeyProvider, type SealingScope } from "./storage/sealingKey.ts"
import { openSqliteStore } from "./storage/sqliteStore.ts"
import type { Logger } from "./telemetry/logger.ts"
import { createMetrics, type Metrics } from "./telemetry/metrics.ts"

export type Node = Service & {
  /** Base URL of the HTTP API, once started. */
  readonly url: string
  readonly context: NodeContext
}

const MAX_BODY_BYTES = 256 * 1024
const RPC_TIMEOUT_MS = 10_000
const STANDING_POLL_MS = 2_000
const HEAD_POLL_MS = 2_000
const EPOCH_POLL_MS = 10_000
/** How often one endpoint is asked for its newest block, where its blocks come within a second and elsewhere. */
const FAST_HINT_MS = 25
const HINT_MS = 250

export type ChainAccess = {
  readonly chain: ChainView
  readonly reader: ContractReader
  readonly events: EventReader
  readonly policy: RegistryPolicy
  /** Sends as the account of a key. */
  transactorFor(key: Secret<Uint8Array>): Transactor
}

/** Endpoints, checked to serve the configured chain. @throws CHAIN_WRONG_ID, CHAIN_UNAVAILABLE */
export async function openChain(
  config: NodeConfig,
  logger: Logger,
  metrics: Metrics | null,
): Promise<ChainAccess> {
  const endpoints = config.chain.rpc.map(createRpcEndpoint)
  const pool = createRpcPool({ endpoints, timeoutMs: RPC_TIMEOUT_MS, logger, metrics })
  await pool.checkChain(config.chain.id, config.chain.genesisHash)
  const reader = createContractReader(pool)
  const events = createEventReader(pool)
  const { contracts } = config
  const newestBlock = () => pool.first("eth_blockNumber", [], (answer) => BigInt(String(resultOf(answer))))
  const pollMs = config.chain.id === DEVELOPMENT_CHAIN ? FAST_HINT_MS : HINT_MS
  const polled = polledHint({ newestBlock, scheduler: systemScheduler, pollMs })
  const { heads: url } = config.chain
  const subscribed = { scheduler: systemScheduler, otherwise: polled }
  const chain = createEthersChainView({
    ...{ pool, reader, events, contracts, logger },
    hint: createHeadHint(
      url === undefined ? polled : subscribedHint({ ...subscribed, url }),
      systemScheduler,
    ),
    chainId: BigInt(config.chain.id),
    deployedAt: BigInt(config.chain.deployedAt),
  })
  const policy = createRegistryPolicy({
    reader,
    head: () => pool.head(),
    nodeRegistry: contracts.nodeRegistry,
  })
  const sending = { pool, chainId: BigInt(config.chain.id), clock: systemClock, scheduler: holdingScheduler }
  return { chain, reader, events, policy, transactorFor: (key) => createTransactor(sending, key) }
}

/** The guest agent's key for sealing, from the pinned provider only. */
export const sealingProvider = (config: NodeConfig, agent: GuestAgent): LocalKeyProvider =>
  localKeyProvider(agent, {
    rootKey: config.attestation.providerKey,
    appId: Buffer.from(config.attestation.appId.slice(2), "hex"),
  })

/** The node's own store; one process at a time. @throws StorageErrorCode, AGENT_* */
export async function openNodeStore(config: NodeConfig, provider: LocalKeyProvider): Promise<SealedStore> {
  mkdirSync(config.dataDirectory, { recursive: true, mode: 0o700 })
  const key = await deriveSealingKey(provider, { kind: "node" })
  try {
    return openSqliteStore({ path: join(config.dataDirectory, "node.sqlite"), key })
  } finally {
    key.wipe()
  }
}

export type NodeDeps = {
  readonly platform: NodePlatform
  readonly services: ServiceFactory
  readonly logger: Logger
}

/** Made but not started. @throws CHAIN_*, ROOT_MISMATCH, AGENT_*, STORE_*, IDENTITY_MISSING */
export async function createNode(
  config: NodeConfig,
  { platform, services, logger }: NodeDeps,
): Promise<Node> {
  const metrics = createMetrics({ process: true })
  const [clock, scheduler, rng] = [systemClock, systemScheduler, systemRng]
  const chainId = BigInt(config.chain.id)
  const {
    chain,
    reader,
    events,
    policy: registryPolicy,
    transactorFor,
  } = await openChain(config, logger, metrics)
  const verifier = platform.verifierFor(await registryPolicy.rootId(), chainId)

  const agent = createGuestAgent({ socketPath: platform.agentSocket })
  const provider = sealingProvider(config, agent)
  const store = await openNodeStore(config, provider)
  const identity = await loadIdentity(store)
  const { peerIdHash } = identity.peer

  const quoter = createQuoter(agent)
  const collateral = createCollateralSource(
    { urls: config.attestation.collateral },
    { clock, verifier, metrics },
  )
  const peerPolicy = createPeerPolicy({ verifier, collateral, requirements: registryPolicy.requirements })
  const { host, port } = config.listen.p2p
  const p2p = await createP2pNode(
    {
      ...P2P_DEFAULTS,
      listen: [`/${host.includes(":") ? "ip6" : "ip4"}/${host}/tcp/${port}`],
      announce: config.listen.announce,
      peers: config.peers,
    },
    {
      identity: identity.peer,
      self: { signer: identity.signer, role: config.role },
      chainId: config.chain.id,
      registry: config.contracts.nodeRegistry,
      chain,
      quoter: channelQuoter(quoter),
      policy: peerPolicy,
      ...{ random: rng, clock, scheduler, logger, metrics },
    },
  )

  const transactor = transactorFor(identity.signerKey)
  const health = createHealthProbes()
  const hash = configHash(config)
  const context: NodeContext = {
    ...{ config, configHash: hash, identity, agent, quoter, verifier, peerPolicy, registryPolicy },
    ...{
      store,
      chain,
      reader,
      events,
      transactor,
      network: p2p.network,
      health,
      clock,
      scheduler,
      rng,
      logger,
      metrics,
    },
    epochKey: ({ keyId, epoch }) => {
      const scope: SealingScope = { kind: "epoch", keyId, epoch, peerIdHash }
      return deriveSealingKey(provider, scope)
    },
  }

  const attestation = attestationServices(
    {
      ...{ chainId, role: config.role, configHash: hash, signer: identity.signer, pollMs: STANDING_POLL_MS },
      nodeRegistry: config.contracts.nodeRegistry,
      collateralUrls: config.attestation.collateral,
    },
    {
      ...{ chain, reader, verifier, collateral, quoter, transactor, scheduler, logger, metrics },
      policy: registryPolicy,
    },
  )
  const head = watchHead({ chain, clock, scheduler, logger, metrics, pollMs: HEAD_POLL_MS })
  const epochs = watchEpochs(
    { keyRegistry: config.contracts.keyRegistry, pollMs: EPOCH_POLL_MS },
    { chain, events, onEpoch: () => p2p.renewAttestations(), scheduler, logger },
  )
  health.add("chain", head.health)
  health.add("standing", attestation.standing)
  health.add("peers", () => {
    const count = p2p.network.peers().length
    return { ready: count > 0 || config.peers.length === 0, reason: `${count} attested peers` }
  })
  const made: readonly NodeService[] = [
    { name: "head", routes: [], ...head },
    ...attestation.services,
    { name: "epochs", routes: [], ...epochs },
    ...services(context),
  ]

  const startHttp = (): Promise<HttpServer> =>
    startHttpServer({
      ...config.listen.http,
      maxBodyBytes: MAX_BODY_BYTES,
      logger,
      routes: [
        healthRoute(health),
        metricsRoute(metrics),
        statusRoute(() => ({
          ...publicIdentity(identity),
          name: config.name,
          role: config.role,
          configHash: hash,
          addresses: p2p.addresses(),
          peers: p2p.network.peers(),
          services: made.map(({ name }) => name),
        })),
        ...made.flatMap(({ routes }) => routes),
      ],
    })

  let http: HttpServer | null = null
  const started: Service[] = []
  return {
    context,
    get url() {
      return http?.url ?? ""
    },
    async start() {
      await p2p.start()
      for (const service of made) {
        started.unshift(service)
        await service.start()
      }
      http = await startHttp()
      logger.info({ ...publicIdentity(identity), url: http.url, addresses: p2p.addresses() }, "node runs")
    },
    async stop() {
      await http?.stop()
      for (const service of started.splice(0)) await service.stop()
      await p2p.stop()
      identity.signerKey.wipe()
      await store.close()
      logger.info({}, "node stopped")
    },
  }
}
