/** The configuration files of all processes. */
import { mkdirSync, writeFileSync } from "node:fs"
import type { Deployment } from "@twinlock/contracts/deploy"
import type { Accounts } from "./accounts.ts"
import { CHAIN_ID } from "./anvil.ts"
import { type Layout, type Member, membersOf, type Paths } from "./layout.ts"
import type { Identity, Ports } from "./state.ts"

const local = (port: number) => `http://127.0.0.1:${port}`
/** Some of them hold what only this network may know. */
const write = (path: string, value: unknown) =>
  writeFileSync(path, JSON.stringify(value, null, 2), { mode: 0o600 })

export const urlsOf = (ports: Ports) => ({
  chain: local(ports.chain),
  collateral: local(ports.collateral),
  coordinator: local(ports.coordinator),
  http: (member: Member) => local(ports.http[member.name] ?? 0),
})

export function writePlatformConfig(paths: Paths, seed: string, ports: Ports, layout: Layout): void {
  write(paths.platformConfig, {
    seed,
    pccs: { host: "127.0.0.1", port: ports.collateral },
    cvms: membersOf(layout).map((member) => ({
      machine: member.machine,
      role: member.role,
      socketPath: paths.socket(member),
    })),
  })
}

/** Under which address one member dials another. @param own the other's own multiaddr */
export type AddressOf = (from: Member, to: Member, own: string) => string

export type NodeConfigInput = {
  readonly paths: Paths
  readonly layout: Layout
  readonly ports: Ports
  readonly contracts: Deployment
  readonly startBlock: number
  readonly genesisHash: string
  readonly accounts: Accounts
  /** Compressed key of the platform's key provider. */
  readonly providerKey: string
  /** By machine. */
  readonly appIds: Readonly<Record<string, string>>
  /** Known after `init`: until then nodes have no peers. */
  readonly identities: Readonly<Record<string, Identity>>
  /** Own addresses by default. */
  readonly addressOf?: AddressOf
}

export function writeNodeConfig(member: Member, input: NodeConfigInput): void {
  const { paths, layout, ports, contracts, accounts, addressOf = (_from, _to, own) => own } = input
  const urls = urlsOf(ports)
  mkdirSync(paths.data(member), { recursive: true })
  writeFileSync(paths.operatorKey(member), accounts.operator(member.operator).privateKey, { mode: 0o600 })
  write(paths.config(member), {
    name: member.name,
    role: member.role,
    operator: accounts.operator(member.operator).address,
    logLevel: "info",
    dataDirectory: paths.data(member),
    chain: {
      id: Number(CHAIN_ID),
      genesisHash: input.genesisHash,
      rpc: [urls.chain],
      heads: urls.chain.replace(/^http/, "ws"),
      deployedAt: input.startBlock,
    },
    contracts: {
      nodeRegistry: contracts.nodeRegistry,
      keyRegistry: contracts.keyRegistry,
      decryptionVerifier: contracts.decryptionVerifier,
      decryptionGateway: contracts.decryptionGateway,
      coprocessor: contracts.coprocessor,
      ciphertextCommitments: contracts.ciphertextCommitments,
    },
    attestation: {
      collateral: [urls.collateral],
      providerKey: input.providerKey,
      appId: input.appIds[member.machine],
    },
    executorQuorum: layout.executorQuorum,
    listen: {
      p2p: { host: "127.0.0.1", port: ports.p2p[member.name] },
      http: { host: "127.0.0.1", port: ports.http[member.name] },
    },
    peers: membersOf(layout).flatMap((other) => {
      const identity = input.identities[other.name]
      return identity === undefined || other.name === member.name
        ? []
        : [{ signer: identity.signer, multiaddr: addressOf(member, other, identity.multiaddr) }]
    }),
    coordinators: [urls.coordinator],
  })
}

export function writeCoordinatorConfig(
  input: Pick<NodeConfigInput, "paths" | "layout" | "ports" | "contracts" | "startBlock" | "accounts">,
): void {
  const { paths, layout, ports, contracts, accounts } = input
  const urls = urlsOf(ports)
  mkdirSync(paths.coordinatorData, { recursive: true })
  writeFileSync(paths.submitterKey, accounts.submitter.privateKey, { mode: 0o600 })
  write(paths.coordinatorConfig, {
    port: ports.coordinator,
    dataDirectory: paths.coordinatorData,
    rpc: [urls.chain],
    chainId: Number(CHAIN_ID),
    startBlock: input.startBlock,
    contracts: {
      nodeRegistry: contracts.nodeRegistry,
      keyRegistry: contracts.keyRegistry,
      decryptionGateway: contracts.decryptionGateway,
      coprocessor: contracts.coprocessor,
    },
    nodes: layout.keyholders.map(urls.http),
    executors: layout.executors.map(urls.http),
    executorQuorum: layout.executorQuorum,
    nodeQuorum: 2 * layout.tolerance + 1,
    submitterKeyFile: paths.submitterKey,
  })
}
