/**
 * Two whole nodes against a simulated platform and a chain that answers as the contracts would: from `init` to an
 * attested channel, real quotes appraised on both sides, HTTP, and an orderly end.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { type RunningPccs, startPccs } from "@twinlock/devnet/agent/pccs"
import { type RunningAgent, startAgent } from "@twinlock/devnet/agent/server"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { nodeRegistryInterface } from "./chain/contracts.ts"
import { runCli } from "./cli/runCli.ts"
import { parseConfig } from "./config.ts"
import { createNode, type Node } from "./main.ts"
import type { NodePlatform, NodeService } from "./nodeContext.ts"
import { address, digest } from "./p2p/testSupport.fixture.ts"
import { silentLogger } from "./telemetry/logger.ts"

const NOW = 1_791_158_400
const platform = createPlatform({ seed: "main", now: NOW })
const keys = createKeyService("main")
const rootKey = platform.root.key.publicKey
const ROOT_ID = rootIdOf(rootKey)
const partsAbi = new Interface([
  "function quoteVerifier() view returns (address)",
  "function collateral() view returns (address)",
  "function rootKeyHash() view returns (bytes32)",
])
const [NODES, VERIFIER, COLLATERAL] = [address(0xa1), address(0xb1), address(0xb2)]

type Registered = {
  readonly signer: Address
  readonly peerIdHash: Digest
  readonly configHash: Digest
  readonly ppid: string
}

const registered = new Map<string, Registered>()
let allowed = true
let pinnedRoot: Digest = ROOT_ID
const agents: RunningAgent[] = []
let folder = ""
let chain: Server
let pccs: RunningPccs

/** What the registry and its parts would answer. */
function contractAnswer(to: string, data: string): string {
  const abi = to === NODES ? nodeRegistryInterface : partsAbi
  const call = abi.parseTransaction({ data }) ?? partsAbi.parseTransaction({ data })
  const answer = (values: readonly unknown[], by: Interface = abi): string =>
    by.encodeFunctionResult(call?.name ?? "", [...values])
  const [argument] = call?.args.toArray() ?? []
  const node = registered.get(String(argument).toLowerCase())
  const { entry } = agents[0]?.cvm ?? { entry: null }
  switch (call?.name) {
    case "quoteVerifier":
      return answer([VERIFIER], partsAbi)
    case "collateral":
      return answer([COLLATERAL], partsAbi)
    case "rootKeyHash":
      return answer([pinnedRoot], partsAbi)
    case "floors":
      return answer([20, 20])
    case "entryFor":
      return answer([allowed ? 1 : 0])
    case "entryOf":
      return answer([{ ...entry, role: 1 }, 2])
    case "liveUntil":
      return answer([node === undefined ? 0 : NOW + 100_000])
    case "nodeOf":
      return answer([
        {
          operator: node === undefined ? address(0) : address(9),
          role: node === undefined ? 0 : 1,
          revoked: false,
          expiresAt: NOW + 100_000,
          challengeBlock: 1,
          ppid: node?.ppid ?? `0x${"00".repeat(16)}`,
          peerIdHash: node?.peerIdHash ?? digest(0),
          configHash: node?.configHash ?? digest(0),
          entryId: 1,
        },
      ])
    default:
      throw new Error(`unexpected call of ${to}`)
  }
}

function chainAnswer(method: string, params: readonly unknown[]): unknown {
  switch (method) {
    case "eth_chainId":
      return "0x7a69"
    case "eth_getBlockByNumber": {
      const number = params[0] === "finalized" ? 5 : Number(params[0])
      return {
        number: `0x${number.toString(16)}`,
        hash: digest(number),
        timestamp: `0x${(NOW + 100).toString(16)}`,
      }
    }
    case "eth_call": {
      const { to, data } = params[0] as { to: string; data: string }
      return contractAnswer(to, data)
    }
    default:
      throw new Error(`unexpected ${method}`)
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "twinlock-main-"))
  pccs = await startPccs({ host: "127.0.0.1", port: 0, collateral: () => platform.collateral() })
  chain = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += chunk
    const { id, method, params } = JSON.parse(text)
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: chainAnswer(method, params) }))
  })
  await new Promise<void>((resolve) => chain.listen(0, "127.0.0.1", resolve))
  for (const machine of ["alice", "bob", "carol"])
    agents.push(
      await startAgent({
        ...{ platform, keys, machine, role: "keyholder" },
        compose: devnetCompose("keyholder"),
        socketPath: join(folder, `${machine}.sock`),
      }),
    )
})
afterAll(async () => {
  chain.closeAllConnections()
  chain.close()
  await Promise.all([pccs.stop(), ...agents.map((agent) => agent.stop())])
  rmSync(folder, { recursive: true, force: true })
})

const configText = (name: string, peers: readonly object[], changes: object = {}): string =>
  JSON.stringify({
    name,
    role: "keyholder",
    operator: address(9),
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
    ...changes,
  })

const platformOf = (machine: string): NodePlatform => ({
  agentSocket: join(folder, `${machine}.sock`),
  verifierFor: (contractRootId, chainId) => createDevnetQuoteVerifier({ chainId, rootKey, contractRootId }),
})

/** `init`, then an entry in the registry as `register` would leave it. */
async function enrol(machine: string): Promise<Registered> {
  const file = join(folder, `${machine}.json`)
  writeFileSync(file, configText(machine, []))
  let out = ""
  const code = await runCli(["init", "--json", "--config", file], {
    platform: platformOf(machine),
    services: () => [],
    environment: {},
    out: (text) => {
      out = text
    },
    err: (text) => {
      throw new Error(text)
    },
    terminated: async () => {},
  })
  expect(code).toBe(0)
  const ppid = agents.find(({ cvm }) => cvm.machine.name === machine)?.cvm.machine.ppid ?? ""
  const { signer, peerIdHash, configHash } = JSON.parse(out)
  registered.set(signer, { signer, peerIdHash, configHash, ppid })
  return { signer, peerIdHash, configHash, ppid }
}

const nodeOf = (
  machine: string,
  peers: readonly object[],
  services: () => readonly NodeService[] = () => [],
) =>
  createNode(parseConfig(configText(machine, peers), {}), {
    platform: platformOf(machine),
    services,
    logger: silentLogger,
  })

const json = async (node: Node, path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${node.url}${path}`)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Resolves at the first message from a peer. */
const greeted = (node: Node): Promise<Address> =>
  new Promise((resolve) => node.context.network.onMessage("/test/hello/1", 16, async (from) => resolve(from)))

/** The address book entry of a node that listens on a port that the system chose. */
async function bookEntry(node: Node): Promise<object> {
  const { body } = await json(node, "/v1/status")
  return { signer: body["signer"], multiaddr: (body["addresses"] as string[])[0] }
}

describe("two nodes", () => {
  test("attest each other with real quotes, serve HTTP, and end in order", async () => {
    const [aliceId, bobId] = [await enrol("alice"), await enrol("bob")]
    const order: string[] = []
    const service = (name: string): NodeService => ({
      name,
      routes: [(app) => app.get(`/v1/${name}`, (context) => context.json({ name }))],
      start: async () => void order.push(`start ${name}`),
      stop: async () => void order.push(`stop ${name}`),
    })
    const alice = await nodeOf("alice", [], () => [service("one"), service("two")])
    const hello = greeted(alice)
    await alice.start()
    const bob = await nodeOf("bob", [await bookEntry(alice)])
    await bob.start()

    const attested = new Promise<void>((resolve) => {
      const send = (): void => {
        bob.context.network
          .send(aliceId.signer, "/test/hello/1", new Uint8Array([1]))
          .then(resolve, () => setImmediate(send))
      }
      send()
    })
    await attested
    expect(await hello).toBe(bobId.signer)
    expect(bob.context.network.peers()).toEqual([aliceId.signer])

    const health = await json(bob, "/health")
    expect(health).toMatchObject({ status: 200, body: { ready: true } })
    expect((await json(alice, "/v1/one")).body).toEqual({ name: "one" })
    expect((await json(alice, "/v1/status")).body).toMatchObject({
      services: ["head", "standing", "one", "two"],
    })
    expect(await (await fetch(`${alice.url}/metrics`)).text()).toContain(
      "twinlock_process_resident_memory_bytes",
    )

    await bob.stop()
    await alice.stop()
    expect(order).toEqual(["start one", "start two", "stop two", "stop one"])
    await expect(fetch(`${alice.url}/health`)).rejects.toThrow()
    expect(() => alice.context.identity.signerKey.use(() => 0)).toThrow("SECRET_WIPED")
  })

  test("a peer whose measurement is off the allow-list gets no channel", async () => {
    await enrol("alice")
    await enrol("carol")
    const alice = await nodeOf("alice", [])
    await alice.start()
    allowed = false
    const carol = await nodeOf("carol", [await bookEntry(alice)])
    await carol.start()
    const refused = async (node: Node): Promise<boolean> =>
      (await (await fetch(`${node.url}/metrics`)).text()).includes("attest_refusals_total{")
    while (!(await refused(alice))) await new Promise((resolve) => setImmediate(resolve))
    expect(alice.context.network.peers()).toEqual([])
    allowed = true
    await carol.stop()
    await alice.stop()
  })
})

describe("a node does not come up", () => {
  test("under a root that the contracts do not pin", async () => {
    pinnedRoot = digest(0x77)
    await expect(nodeOf("alice", [])).rejects.toThrow("ROOT_MISMATCH")
    pinnedRoot = ROOT_ID
  })

  test("on another chain", async () => {
    const config = parseConfig(configText("alice", []), {})
    const other = { ...config, chain: { ...config.chain, genesisHash: digest(9) } }
    await expect(
      createNode(other, { platform: platformOf("alice"), services: () => [], logger: silentLogger }),
    ).rejects.toThrow("CHAIN_WRONG_ID")
  })

  test("without an identity", async () => {
    const config = parseConfig(configText("nobody", []), {})
    await expect(
      createNode(config, { platform: platformOf("alice"), services: () => [], logger: silentLogger }),
    ).rejects.toThrow("IDENTITY_MISSING")
  })

  test("on a store of another machine", async () => {
    await enrol("bob")
    const config = parseConfig(configText("bob", []), {})
    const other = {
      ...config,
      attestation: { ...config.attestation, appId: `0x${"11".repeat(20)}` as const },
    }
    await expect(
      createNode(other, { platform: platformOf("bob"), services: () => [], logger: silentLogger }),
    ).rejects.toThrow("AGENT_WRONG_PROVIDER")
  })
})
