/** Live sessions on libp2p with real quotes: what changes while a channel is open, and who comes without one. */
import { connect, type Socket } from "node:net"
import { noise } from "@chainsafe/libp2p-noise"
import { yamux } from "@chainsafe/libp2p-yamux"
import type { Libp2p, Stream } from "@libp2p/interface"
import { tcp } from "@libp2p/tcp"
import { multiaddr } from "@multiformats/multiaddr"
import { createManualClock, type ManualClock } from "@twinlock/node/clock"
import { PENDING_LIMITS, STRANGER_LIMITS } from "@twinlock/node/p2p/admission"
import { EPOCH_APART_MS } from "@twinlock/node/p2p/attestor"
import { createP2pNode, P2P_DEFAULTS, type P2pNode } from "@twinlock/node/p2p/libp2pNetwork"
import { type PeerIdentity, peerIdentity } from "@twinlock/node/p2p/peerIdentity"
import { CHAIN_ID, digest, REGISTRY, record } from "@twinlock/node/p2p/testSupport.fixture"
import { Secret } from "@twinlock/node/secret"
import { type Fields, silentLogger } from "@twinlock/node/telemetry/logger"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { createLibp2p } from "libp2p"
import { afterEach, describe, expect, test } from "vitest"
import { replaying } from "./hosts.ts"
import { createScene, DAY, type Enclave, NOW, type Scene } from "./scene.ts"

const hello = new Uint8Array([1, 2, 3])

type Live = {
  readonly node: P2pNode
  readonly signer: Address
  readonly identity: PeerIdentity
  /** Messages of the refusals that this node logged. */
  readonly refusals: string[]
}

const running: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
})

/** A started node of the scene around an enclave; its registration carries the peer id that libp2p shows. */
async function live(
  scene: Scene,
  byte: number,
  peers: readonly Live[] = [],
  quoterOf: (enclave: Enclave) => Enclave["quoter"] = ({ quoter }) => quoter,
  clock: ManualClock = scene.clock,
): Promise<Live> {
  const identity = await peerIdentity(new Secret(new Uint8Array(32).fill(byte)))
  const enclave = scene.enclave(byte, "keyholder", { unregistered: true })
  const { signer } = enclave.self
  scene.registry.set(
    signer,
    record(signer, identity.peerIdHash, {
      ppid: enclave.cvm.machine.ppid,
      liveUntil: BigInt(NOW + 90 * DAY),
    }),
  )
  const refusals: string[] = []
  let nonces = byte * 1_000
  const node = await createP2pNode(
    {
      ...P2P_DEFAULTS,
      listen: ["/ip4/127.0.0.1/tcp/0"],
      announce: [],
      peers: peers.map((peer) => ({ signer: peer.signer, multiaddr: peer.node.addresses()[0] ?? "" })),
    },
    {
      identity,
      self: { signer, role: "keyholder" },
      ...{ chainId: CHAIN_ID, registry: REGISTRY, policy: scene.policy, quoter: quoterOf(enclave) },
      chain: {
        head: async () => ({ number: 9n, hash: digest(9), timestamp: BigInt(scene.requirements.time) }),
        node: async (of) => scene.registry.get(of) ?? null,
      },
      random: (length) => new Uint8Array(length).map(() => ++nonces),
      ...{ clock, scheduler: clock, metrics: null },
      logger: {
        ...silentLogger,
        warn: ({ err }: Fields) => void (isProtocolError(err) && refusals.push(err.message)),
      },
    },
  )
  node.network.onRequest("/test/echo/1", 1 << 10, async (_from, payload) => payload)
  await node.start()
  running.push(node)
  return { node, signer, identity, refusals }
}

/** Resolves once `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** Alice dials Bob; both are attested. */
async function couple(
  scene: Scene,
  quoterOf?: (enclave: Enclave) => Enclave["quoter"],
): Promise<readonly [Live, Live]> {
  const bob = await live(scene, 2, [], quoterOf)
  const alice = await live(scene, 1, [bob])
  await until(() => [alice, bob].every(({ node }) => node.network.peers().length === 1))
  return [alice, bob]
}

const ended = (stream: Stream): Promise<string> =>
  new Promise((resolve) => {
    if (stream.status !== "open") resolve(stream.status)
    stream.addEventListener("close", () => resolve(stream.status))
  })

describe("while a channel is open", () => {
  test("standing that the registry takes away suspends the peer, and its removed image keeps it out", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    // Removing an entry zeroes the expiries of its seats in the same transaction.
    const entry = scene.registry.get(bob.signer)
    if (entry !== undefined) scene.registry.set(bob.signer, { ...entry, liveUntil: 0n })
    scene.requirements.policy = { ...scene.requirements.policy, entries: [] }
    await alice.node.refreshStanding()
    expect(alice.node.network.peers()).toEqual([])
    await expect(alice.node.network.request(bob.signer, "/test/echo/1", hello)).rejects.toThrow(
      "PEER_UNREACHABLE",
    )
    await expect(bob.node.network.request(alice.signer, "/test/echo/1", hello)).rejects.toThrow()
    await alice.node.renewAttestations()
    await until(() => bob.node.network.peers().length === 0)
    expect([...alice.refusals, ...bob.refusals].join()).toContain("POLICY_IMAGE")
  })

  test("a registration that runs out is not served, though the registry cannot be read any more", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    const entry = scene.registry.get(alice.signer)
    if (entry !== undefined) scene.registry.set(alice.signer, { ...entry, liveUntil: BigInt(NOW + 3_600) })
    await bob.node.refreshStanding()
    scene.registry.get = () => {
      throw new Error("offline")
    }
    scene.clock.advance(3_600_000 - 1)
    expect(bob.node.network.peers()).toEqual([alice.signer])
    scene.clock.advance(1)
    expect(bob.node.network.peers()).toEqual([])
    await expect(alice.node.network.request(bob.signer, "/test/echo/1", hello)).rejects.toThrow()
  })

  test("collateral that expires ends it at the next attestation, 24 hours later at most", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    scene.requirements.time = NOW + 31 * DAY
    expect(alice.node.network.peers()).toEqual([bob.signer])
    scene.clock.advance(P2P_DEFAULTS.attestationLifetimeMs * 0.9)
    await until(() => [alice, bob].every(({ node }) => node.network.peers().length === 0))
    expect(bob.refusals.join()).toContain("CRL_EXPIRED")
  })

  test("an attestation that its host no longer renews serves for 24 hours and no longer", async () => {
    const scene = createScene()
    const bob = await live(scene, 2)
    // Time stands still for Alice, as a host can make it: she never starts the next handshake.
    const alice = await live(scene, 1, [bob], undefined, createManualClock(NOW * 1_000))
    await until(() => [alice, bob].every(({ node }) => node.network.peers().length === 1))
    scene.clock.advance(24 * 3_600_000 - 1)
    expect(bob.node.network.peers()).toEqual([alice.signer])
    scene.clock.advance(1)
    expect(bob.node.network.peers()).toEqual([])
    await until(() => bob.refusals.join().includes("ATTEST_TIMEOUT"))
  })

  test("at an epoch change every channel is attested again, with fresh quotes", async () => {
    const scene = createScene()
    const quotes: string[] = []
    const [alice, bob] = await couple(scene, ({ quoter }) => ({
      async quote(reportData) {
        quotes.push(Buffer.from(reportData).toString("hex"))
        return quoter.quote(reportData)
      },
    }))
    await alice.node.renewAttestations()
    expect(new Set(quotes).size).toBe(2)
    expect(alice.node.network.peers()).toEqual([bob.signer])
    expect(await bob.node.network.request(alice.signer, "/test/echo/1", hello)).toEqual(hello)
  })

  test("renewals at the same time, and one after another, cost no channel", async () => {
    const scene = createScene()
    let quotes = 0
    const [alice, bob] = await couple(scene, ({ quoter }) => ({
      quote: (reportData) => {
        quotes++
        return quoter.quote(reportData)
      },
    }))
    await Promise.all([alice.node.renewAttestations(), alice.node.renewAttestations()])
    expect(quotes).toBe(2)
    await alice.node.renewAttestations()
    await alice.node.renewAttestations()
    expect(await bob.node.network.request(alice.signer, "/test/echo/1", hello)).toEqual(hello)
    expect([...alice.refusals, ...bob.refusals]).toEqual([])
  })

  const RENEWAL_MS = EPOCH_APART_MS + P2P_DEFAULTS.attestTimeoutMs

  test("at an epoch change the dialled side closes a channel that nobody attests again", async () => {
    const scene = createScene()
    const bob = await live(scene, 2)
    // Alice's host keeps the new epoch from her.
    const alice = await live(scene, 1, [bob], undefined, createManualClock(NOW * 1_000))
    await until(() => [alice, bob].every(({ node }) => node.network.peers().length === 1))
    scene.clock.advance(EPOCH_APART_MS)
    await bob.node.renewAttestations()
    scene.clock.advance(RENEWAL_MS - 1)
    // Another epoch does not prolong the time for the first.
    await bob.node.renewAttestations()
    expect(bob.node.network.peers()).toEqual([alice.signer])
    scene.clock.advance(1)
    expect(bob.node.network.peers()).toEqual([])
    expect(bob.refusals.join()).toContain("ATTEST_TIMEOUT")
  })

  test("at an epoch change a channel stays that was attested again, before or after the dialled side noticed", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    scene.clock.advance(EPOCH_APART_MS)
    await bob.node.renewAttestations()
    await alice.node.renewAttestations()
    expect(await alice.node.network.request(bob.signer, "/test/echo/1", hello)).toEqual(hello)
    scene.clock.advance(EPOCH_APART_MS - 1)
    await bob.node.renewAttestations()
    scene.clock.advance(RENEWAL_MS)
    expect(bob.node.network.peers()).toEqual([alice.signer])
    expect(bob.refusals).toEqual([])
  })

  test("at an epoch change a host that can only show its enclave's old quote loses the channel", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene, ({ quoter }) => replaying(quoter))
    await alice.node.renewAttestations()
    await until(() => [alice, bob].every(({ node }) => node.network.peers().length === 0))
    expect(alice.refusals.join()).toContain("POLICY_REPORT_DATA")
  })
})

describe("without an attestation", () => {
  async function thiefOf({ identity }: Live): Promise<Libp2p> {
    return dialler({ privateKey: identity.privateKey })
  }

  async function dialler(key: { readonly privateKey?: PeerIdentity["privateKey"] } = {}): Promise<Libp2p> {
    const thief = await createLibp2p({
      ...key,
      addresses: { listen: [] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    running.push({ stop: async () => thief.stop() })
    return thief
  }

  test.each(["/twinlock/attest/0", "/twinlock/attest/2", "/twinlock/attest/"])(
    "%s is not spoken",
    async (protocol) => {
      const scene = createScene()
      const bob = await live(scene, 2)
      const thief = await thiefOf(await live(scene, 1))
      const connection = await thief.dial(multiaddr(bob.node.addresses()[0]))
      await expect(connection.newStream(protocol)).rejects.toThrow()
    },
  )

  test("the peer key of a registered, attested node serves nobody but its enclave", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    const thief = await thiefOf(alice)
    const connection = await thief.dial(multiaddr(bob.node.addresses()[0]))
    for (const protocol of ["/test/echo/1", "/meshsub/1.1.0"])
      expect(await ended(await connection.newStream(protocol))).toBe("reset")
    expect(await alice.node.network.request(bob.signer, "/test/echo/1", hello)).toEqual(hello)
  })

  test("rejected messages are not forgiven because another connection under the peer's key ended", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    let rejected = 0
    bob.node.network.subscribe(
      "note",
      16,
      () => {
        rejected++
        return "reject"
      },
      () => {},
    )
    await until(() => alice.node.listeners("note").length === 1)
    const publish = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await alice.node.network.publish("note", hello)
    }
    await publish(8)
    await until(() => rejected === 8)
    const thief = await thiefOf(alice)
    await thief.dial(multiaddr(bob.node.addresses()[0]))
    await until(() => scene.clock.pending().includes(scene.clock.now() + P2P_DEFAULTS.attestTimeoutMs))
    scene.clock.advance(P2P_DEFAULTS.attestTimeoutMs)
    await until(() => bob.refusals.join().includes("ATTEST_TIMEOUT"))
    expect(bob.node.network.peers()).toEqual([alice.signer])
    await publish(8)
    await until(() => bob.node.network.peers().length === 0)
  })

  test("an outsider holds few connections, whatever it dials, and takes none from registered peers", async () => {
    const scene = createScene()
    const [alice, bob] = await couple(scene)
    const outsider = await dialler()
    const address = multiaddr(bob.node.addresses()[0])
    const flood = async (): Promise<void> => {
      for (let i = 0; i < STRANGER_LIMITS.perGroup + 2; i++) await outsider.dial(address, { force: true })
      await until(() => outsider.getConnections().length === STRANGER_LIMITS.perGroup)
    }
    await flood()
    // Carol has named herself and is still making her quote when the next flood comes.
    const [asked, flooded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const carol = await live(scene, 3, [bob], ({ quoter }) => ({
      async quote(reportData) {
        asked.resolve()
        await flooded.promise
        return quoter.quote(reportData)
      },
    }))
    // Of two nodes the one with the higher signer dials later.
    scene.clock.advance(2_000)
    await asked.promise
    await flood()
    flooded.resolve()
    await until(() => bob.node.network.peers().length === 2)
    expect(bob.node.network.peers()).toEqual([alice.signer, carol.signer])
  })

  test("who never finishes the noise handshake gives way to whoever comes later", async () => {
    const scene = createScene()
    const bob = await live(scene, 2)
    const port = Number(/\d+(?=\/p2p)/.exec(bob.node.addresses()[0] ?? "")?.[0])
    const silent: Socket[] = []
    running.push({ stop: async () => silent.forEach((socket) => void socket.destroy()) })
    for (let i = 0; i <= PENDING_LIMITS.perGroup; i++)
      await new Promise<void>((resolve) => {
        silent.push(connect(port, "127.0.0.1", resolve).on("error", () => {}))
      })
    await new Promise((resolve) => silent[0]?.on("close", resolve))
    expect(silent.slice(1).some(({ closed }) => closed)).toBe(false)
    // Within less time than libp2p itself would wait for noise.
  }, 8_000)
})
