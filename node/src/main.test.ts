/** Two whole nodes: from `init` to an attested channel, real quotes appraised on both sides, HTTP, and an orderly end. */
import type { Address } from "@twinlock/sdk/protocol/ids"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type SimulatedWorld, startSimulatedWorld } from "../../test/support/simulatedWorld.ts"
import { type AttestStatusReport, attestStatus, describeAttestStatus } from "./cli/attestStatus.ts"
import { type NodeConfig, parseConfig } from "./config.ts"
import { createNode, type Node } from "./main.ts"
import type { NodeService } from "./nodeContext.ts"
import { digest } from "./p2p/testSupport.fixture.ts"
import { silentLogger } from "./telemetry/logger.ts"

let world: SimulatedWorld
beforeAll(async () => {
  world = await startSimulatedWorld(["alice", "bob", "carol"])
})
afterAll(() => world.stop())

const configOf = (machine: string, peers: readonly object[] = []): NodeConfig =>
  parseConfig(world.configText(machine, peers), {})

const nodeOf = (
  machine: string,
  config = configOf(machine),
  services: () => readonly NodeService[] = () => [],
) => createNode(config, { platform: world.platformOf(machine), services, logger: silentLogger })

const json = async (node: Node, path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${node.url}${path}`)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Resolves at the first message from a peer. */
const greeted = (node: Node): Promise<Address> =>
  new Promise((resolve) => node.context.network.onMessage("/test/hello/1", 16, async (from) => resolve(from)))

/** Sends a greeting as soon as there is a channel. */
const greet = (node: Node, to: Address): Promise<void> =>
  new Promise((resolve) => {
    const send = (): void => {
      node.context.network
        .send(to, "/test/hello/1", new Uint8Array([1]))
        .then(resolve, () => setImmediate(send))
    }
    send()
  })

/** The address book entry of a node that listens on a port that the system chose. */
async function bookEntry(node: Node): Promise<object> {
  const { body } = await json(node, "/v1/status")
  return { signer: body["signer"], multiaddr: (body["addresses"] as string[])[0] }
}

/** What `twinlock-node attest status` prints, once the node has looked at what is coming. */
async function attested(node: Node): Promise<AttestStatusReport> {
  const listen = { http: { host: "127.0.0.1", port: Number(new URL(node.url).port) } }
  for (;;) {
    const status = await attestStatus({ listen } as NodeConfig, { fetch })
    if (status.outlook !== null) return status
  }
}

describe("two nodes", () => {
  test("attest each other with real quotes, serve HTTP, and end in order", async () => {
    const [aliceId, bobId] = [await world.enrol("alice"), await world.enrol("bob")]
    const order: string[] = []
    const service = (name: string): NodeService => ({
      name,
      routes: [(app) => app.get(`/v1/${name}`, (context) => context.json({ name }))],
      start: async () => void order.push(`start ${name}`),
      stop: async () => void order.push(`stop ${name}`),
    })
    const alice = await nodeOf("alice", configOf("alice"), () => [service("one"), service("two")])
    const hello = greeted(alice)
    await alice.start()
    const bob = await nodeOf("bob", configOf("bob", [await bookEntry(alice)]))
    await bob.start()
    await greet(bob, aliceId.signer)
    expect(await hello).toBe(bobId.signer)
    expect(bob.context.network.peers()).toEqual([aliceId.signer])

    expect(await json(bob, "/health")).toMatchObject({ status: 200, body: { ready: true } })
    expect((await json(alice, "/v1/one")).body).toEqual({ name: "one" })
    expect((await json(alice, "/v1/status")).body).toMatchObject({
      services: ["head", "standing", "collateral", "outlook", "epochs", "one", "two"],
    })
    expect(await (await fetch(`${alice.url}/metrics`)).text()).toContain(
      "twinlock_process_resident_memory_bytes",
    )

    const status = await attested(alice)
    expect(status.outlook?.standard).toMatchObject({ number: 20, status: "UpToDate" })
    expect(status).toMatchObject({ outlookFailure: null, standing: { renewedAt: null, lastFailure: null } })
    expect(describeAttestStatus(status)).toMatch(
      /^standing until 2026-10-06T.*\nmachine of FMSPC b0c06f000000: UpToDate/,
    )

    await bob.stop()
    await alice.stop()
    expect(order).toEqual(["start one", "start two", "stop two", "stop one"])
    await expect(fetch(`${alice.url}/health`)).rejects.toThrow()
    expect(() => alice.context.identity.signerKey.use(() => 0)).toThrow("SECRET_WIPED")
  })

  test("a peer whose measurement is off the allow-list gets no channel", async () => {
    await world.enrol("alice")
    await world.enrol("carol")
    const alice = await nodeOf("alice")
    await alice.start()
    world.allowed = false
    const carol = await nodeOf("carol", configOf("carol", [await bookEntry(alice)]))
    await carol.start()
    const refused = async (node: Node): Promise<boolean> =>
      (await (await fetch(`${node.url}/metrics`)).text()).includes("attest_refusals_total{")
    while (!(await refused(alice))) await new Promise((resolve) => setImmediate(resolve))
    expect(alice.context.network.peers()).toEqual([])
    world.allowed = true
    await carol.stop()
    await alice.stop()
  })
})

describe("a node does not come up", () => {
  test("under a root that the contracts do not pin", async () => {
    const { pinnedRoot } = world
    world.pinnedRoot = digest(0x77)
    await expect(nodeOf("alice")).rejects.toThrow("ROOT_MISMATCH")
    world.pinnedRoot = pinnedRoot
  })

  test("on another chain", async () => {
    const config = configOf("alice")
    const other = { ...config, chain: { ...config.chain, genesisHash: digest(9) } }
    await expect(nodeOf("alice", other)).rejects.toThrow("CHAIN_WRONG_ID")
  })

  test("without an identity", async () => {
    await expect(nodeOf("alice", configOf("nobody"))).rejects.toThrow("IDENTITY_MISSING")
  })

  test("with keys of another application than the pinned one", async () => {
    await world.enrol("bob")
    const config = configOf("bob")
    const other = {
      ...config,
      attestation: { ...config.attestation, appId: `0x${"11".repeat(20)}` as const },
    }
    await expect(nodeOf("bob", other)).rejects.toThrow("AGENT_WRONG_PROVIDER")
  })
})
