/**
 * Everything around a node, for tests of whole nodes: a simulated TDX platform with a guest agent per machine and its
 * collateral service, and a chain endpoint that answers as the contracts would.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { startPccs } from "@twinlock/devnet/agent/pccs"
import { type RunningAgent, startAgent } from "@twinlock/devnet/agent/server"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { batchAnswer, callsOf } from "@twinlock/node/chain/batchCall.fixture"
import { collateralStoreInterface } from "@twinlock/node/chain/collateralView"
import { nodeRegistryInterface } from "@twinlock/node/chain/contracts"
import { runCli } from "@twinlock/node/cli/runCli"
import type { NodePlatform } from "@twinlock/node/nodeContext"
import { address, digest } from "@twinlock/node/p2p/testSupport.fixture"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Address, Digest, Hex } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"

const NOW = 1_791_158_400
const DAY = 86_400
export const OPERATOR: Address = address(9)
const [NODES, VERIFIER, COLLATERAL] = [address(0xa1), address(0xb1), address(0xb2)]
const partsAbi = new Interface([
  "function quoteVerifier() view returns (address)",
  "function collateral() view returns (address)",
  "function rootKeyHash() view returns (bytes32)",
])

export type Enrolled = {
  readonly signer: Address
  readonly peerIdHash: Digest
  readonly configHash: Digest
  readonly ppid: Hex
}

export type SimulatedWorld = {
  readonly folder: string
  /** Root that the contracts pin; the platform's own unless a test changes it. */
  pinnedRoot: Digest
  /** Whether the allow-list holds the one image of this world. */
  allowed: boolean
  readonly rootKey: Uint8Array
  configText(name: string, peers: readonly object[]): string
  platformOf(machine: string): NodePlatform
  /** `init`, then an entry in the registry as `register` would leave it. */
  enrol(machine: string): Promise<Enrolled>
  stop(): Promise<void>
}

/** The platform as a node of this world sees it; also for nodes in other processes. */
export const simulatedPlatform = (agentSocket: string, rootKey: Uint8Array): NodePlatform => ({
  agentSocket,
  verifierFor: (contractRootId, chainId) => createDevnetQuoteVerifier({ chainId, rootKey, contractRootId }),
})

export async function startSimulatedWorld(machines: readonly string[]): Promise<SimulatedWorld> {
  const platform = createPlatform({ seed: "simulated world", now: NOW })
  const keys = createKeyService("simulated world")
  const rootKey = platform.root.key.publicKey
  const folder = mkdtempSync(join(tmpdir(), "twinlock-world-"))
  const registered = new Map<string, Enrolled>()
  const agents: RunningAgent[] = []
  const socketOf = (machine: string): string => join(folder, `${machine}.sock`)

  const world: SimulatedWorld = {
    folder,
    rootKey,
    pinnedRoot: rootIdOf(rootKey),
    allowed: true,
    configText: (name, peers) => JSON.stringify(configOf(name, peers)),
    platformOf: (machine) => simulatedPlatform(socketOf(machine), rootKey),
    async enrol(machine) {
      const file = join(folder, `${machine}.json`)
      writeFileSync(file, world.configText(machine, []))
      const printed = await init(file, world.platformOf(machine))
      const ppid = agents.find(({ cvm }) => cvm.machine.name === machine)?.cvm.machine.ppid ?? "0x"
      const enrolled = { ...JSON.parse(printed), ppid } as Enrolled
      registered.set(enrolled.signer, enrolled)
      return enrolled
    },
    async stop() {
      chain.closeAllConnections()
      chain.close()
      await Promise.all([pccs.stop(), ...agents.map((agent) => agent.stop())])
      rmSync(folder, { recursive: true, force: true })
    },
  }

  function nodeOf(signer: string) {
    const node = registered.get(signer.toLowerCase())
    return {
      operator: node === undefined ? address(0) : OPERATOR,
      role: node === undefined ? 0 : 1,
      revoked: false,
      inGrace: false,
      expiresAt: NOW + 100_000,
      attestedAt: NOW,
      challengeBlock: 1,
      ppid: node?.ppid ?? `0x${"00".repeat(16)}`,
      piid: `0x${"00".repeat(16)}`,
      peerIdHash: node?.peerIdHash ?? digest(0),
      configHash: node?.configHash ?? digest(0),
      entryId: 1,
    }
  }

  /** The one set of its kind that the store holds. */
  const heldSet = (rank: unknown) => ({
    data: rank === 0n ? COLLATERAL : address(0),
    issuedAt: NOW,
    expiresAt: NOW + 30 * DAY,
    evaluation: 20,
    signer: 0,
    graceVetoed: false,
  })
  const heldCa = () => ({
    ...{ x: 1, y: 1, revoked: address(0), crlIssuedAt: NOW, expiresAt: NOW + 30 * DAY },
    ...{ processor: false, number: 0, serial: 1, notBefore: 0, notAfter: NOW + 1_000 * DAY },
  })

  function answerCall(to: string, data: string): string {
    const ownAbi =
      to === NODES ? nodeRegistryInterface : to === COLLATERAL ? collateralStoreInterface : partsAbi
    const abi = ownAbi.parseTransaction({ data }) === null ? partsAbi : ownAbi
    const call = abi.parseTransaction({ data })
    const [signer] = call?.args.toArray() ?? []
    const values: Readonly<Record<string, () => unknown[]>> = {
      quoteVerifier: () => [VERIFIER],
      collateral: () => [COLLATERAL],
      rootKeyHash: () => [world.pinnedRoot],
      floors: () => [20, 20],
      entryFor: () => [world.allowed ? 1 : 0],
      entryOf: () => [{ ...agents[0]?.cvm.entry, role: 1 }, 2],
      liveUntil: () => [registered.has(String(signer).toLowerCase()) ? NOW + 100_000 : 0],
      nodeOf: () => [nodeOf(String(signer))],
      rootCrl: () => [NOW, NOW + 365 * DAY],
      intermediateCa: () => [heldCa()],
      tcbInfo: () => [heldSet(call?.args.toArray()[1])],
      qeIdentity: () => [heldSet(signer)],
    }
    const answer = values[call?.name ?? ""]
    if (call == null || answer === undefined) throw new Error(`unexpected call of ${to}`)
    return abi.encodeFunctionResult(call.name, answer())
  }

  /** A batch of calls answers by reverting. */
  function answerBatch(calls: NonNullable<ReturnType<typeof callsOf>>): object {
    const results = calls.map(({ to, data }) => ({ kind: "result" as const, result: answerCall(to, data) }))
    const answered = batchAnswer(results)
    return { error: { code: 3, message: "execution reverted", ...answered } }
  }

  function answer(method: string, params: readonly unknown[]): object {
    switch (method) {
      case "eth_chainId":
        return { result: "0x7a69" }
      case "eth_getLogs":
        return { result: [] }
      case "eth_getBlockByNumber": {
        const number = params[0] === "finalized" ? 5 : Number(params[0])
        const timestamp = `0x${(NOW + 100).toString(16)}`
        return { result: { number: `0x${number.toString(16)}`, hash: digest(number), timestamp } }
      }
      case "eth_call": {
        const calls = callsOf(params[0])
        if (calls !== null) return answerBatch(calls)
        const { to, data } = params[0] as { to: string; data: string }
        return { result: answerCall(to, data) }
      }
      default:
        throw new Error(`unexpected ${method}`)
    }
  }

  const chain = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += chunk
    const { id, method, params } = JSON.parse(text)
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer(method, params) }))
  })
  await new Promise<void>((resolve) => chain.listen(0, "127.0.0.1", resolve))
  const pccs = await startPccs({ host: "127.0.0.1", port: 0, collateral: () => platform.collateral() })
  for (const machine of machines)
    agents.push(
      await startAgent({
        ...{ platform, keys, machine, role: "keyholder" },
        compose: devnetCompose("keyholder"),
        socketPath: socketOf(machine),
      }),
    )

  const configOf = (name: string, peers: readonly object[]) => ({
    name,
    role: "keyholder",
    operator: OPERATOR,
    logLevel: "silent",
    dataDirectory: join(folder, name),
    chain: {
      id: 31337,
      genesisHash: digest(0),
      rpc: [`http://127.0.0.1:${(chain.address() as AddressInfo).port}`],
      deployedAt: 0,
    },
    contracts: {
      nodeRegistry: NODES,
      keyRegistry: address(0xa2),
      decryptionVerifier: address(0xa3),
      decryptionGateway: address(0xa4),
      coprocessor: address(0xa5),
      ciphertextCommitments: address(0xa6),
    },
    attestation: {
      collateral: [pccs.url],
      providerKey: keys.rootKey,
      appId: toHex(agents[0]?.cvm.appId ?? new Uint8Array()),
    },
    executorQuorum: 2,
    listen: { p2p: { host: "127.0.0.1", port: 0 }, http: { port: 0 } },
    peers,
  })
  return world
}

async function init(file: string, platform: NodePlatform): Promise<string> {
  let printed = ""
  await runCli(["init", "--json", "--config", file], {
    platform,
    services: () => [],
    environment: {},
    out: (text) => {
      printed = text
    },
    err: (text) => {
      throw new Error(text)
    },
    terminated: async () => {},
  })
  return printed
}
