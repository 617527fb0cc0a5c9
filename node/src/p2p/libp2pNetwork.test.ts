import { randomBytes } from "node:crypto"
import { noise } from "@chainsafe/libp2p-noise"
import { yamux } from "@chainsafe/libp2p-yamux"
import type { Connection, Libp2p, PrivateKey, Stream } from "@libp2p/interface"
import { tcp } from "@libp2p/tcp"
import { multiaddr } from "@multiformats/multiaddr"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { createLibp2p } from "libp2p"
import { afterEach, describe, expect, test } from "vitest"
import { createManualClock, type ManualClock } from "../clock.ts"
import { Secret } from "../secret.ts"
import { type Fields, type Logger, silentLogger } from "../telemetry/logger.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { ATTEST_PROTOCOL } from "./attestMessages.ts"
import { createP2pNode, P2P_DEFAULTS, type P2pDeps, type P2pNode } from "./libp2pNetwork.ts"
import { peerIdentity } from "./peerIdentity.ts"
import {
  address,
  CHAIN_ID,
  digest,
  type FakeRegistry,
  fakeChain,
  fakePolicy,
  fakeQuoter,
  HEAD,
  REGISTRY,
  record,
} from "./testSupport.fixture.ts"

const alice = address(1)
const bob = address(2)
const carol = address(3)
const hello = new Uint8Array([1, 2, 3])

type Member = {
  readonly node: P2pNode
  readonly clock: ManualClock
  readonly signer: Address
  /** Resolves once the member has refused an attestation with this code. */
  refused(code: string): Promise<void>
}

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
})

/** A started node on loopback; registers itself unless told otherwise. */
async function member(
  signer: Address,
  registry: FakeRegistry,
  peers: readonly Member[] = [],
  changes: Partial<P2pDeps> & { readonly unregistered?: boolean; readonly listen?: readonly string[] } = {},
): Promise<Member> {
  const identity = changes.identity ?? (await peerIdentity(new Secret(new Uint8Array(randomBytes(32)))))
  if (!changes.unregistered && !registry.has(signer))
    registry.set(signer, record(signer, identity.peerIdHash))
  const clock = createManualClock()
  const refusals = refusalLog()
  const node = await createP2pNode(
    {
      ...P2P_DEFAULTS,
      listen: changes.listen ?? ["/ip4/127.0.0.1/tcp/0"],
      announce: [],
      peers: peers.map((peer) => ({ signer: peer.signer, multiaddr: peer.node.addresses()[0] ?? "" })),
    },
    {
      identity,
      self: { signer, role: "keyholder" },
      chainId: CHAIN_ID,
      registry: REGISTRY,
      chain: fakeChain(registry),
      quoter: fakeQuoter,
      policy: fakePolicy,
      random: (length) => new Uint8Array(randomBytes(length)),
      clock,
      scheduler: clock,
      logger: refusals.logger,
      metrics: createMetrics(),
      ...changes,
    },
  )
  node.network.onRequest("/test/echo/1", 1 << 20, async (_from, payload) => payload)
  await node.start()
  running.push(node)
  return { node, clock, signer, refused: refusals.seen }
}

/** Resolves once `condition` holds; asked again after every change of the node's peers and topics. */
function when({ node }: Member, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (!condition()) return
      cancel()
      resolve()
    }
    const cancel = node.onChange(check)
    check()
  })
}

const connected = (of: Member, ...signers: Address[]): Promise<void> =>
  when(of, () => signers.every((signer) => of.node.network.peers().includes(signer)))

/** Bob listens; Alice (lower signer) dials at once. */
async function couple(registry: FakeRegistry = new Map()): Promise<[Member, Member]> {
  const b = await member(bob, registry)
  const a = await member(alice, registry, [b])
  await Promise.all([connected(a, bob), connected(b, alice)])
  return [a, b]
}

/** A logger that remembers the codes of refused attestations. */
function refusalLog(): { readonly logger: Logger; seen(code: string): Promise<void> } {
  const codes = new Set<string>()
  const waiting = new Set<() => void>()
  const note = ({ err }: Fields): void => {
    if (isProtocolError(err)) codes.add(err.detail.code)
    for (const wake of waiting) wake()
  }
  return {
    logger: { ...silentLogger, warn: note },
    seen: (code) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (codes.has(code)) resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Resolves once the member waits for an attestation: the connection has reached it. */
async function deadlineOf({ clock }: Member): Promise<void> {
  while (!clock.pending().includes(clock.now() + P2P_DEFAULTS.attestTimeoutMs))
    await new Promise((resolve) => setImmediate(resolve))
}

/** How a stream ended. */
const ended = (stream: Stream): Promise<string> =>
  new Promise((resolve) => {
    if (stream.status !== "open") resolve(stream.status)
    stream.addEventListener("close", () => resolve(stream.status))
  })

/** A libp2p node without attestation. */
async function plainPeer(privateKey?: PrivateKey): Promise<Libp2p> {
  const peer = await createLibp2p({
    ...(privateKey === undefined ? {} : { privateKey }),
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  running.push({ stop: async () => peer.stop() })
  return peer
}

describe("libp2p network", () => {
  test("attested peers exchange requests and messages in both directions", async () => {
    const [a, b] = await couple()
    const got: [Address, Uint8Array][] = []
    a.node.network.onMessage("/test/note/1", 16, async (from, payload) => void got.push([from, payload]))
    expect(await a.node.network.request(bob, "/test/echo/1", hello)).toEqual(hello)
    await b.node.network.send(alice, "/test/note/1", hello)
    expect(got).toEqual([[bob, hello]])
    expect(a.node.network.self).toBe(alice)
  })

  test("a large payload crosses whole", async () => {
    const [a, b] = await couple()
    const chunk = new Uint8Array(24 << 20).map((_, i) => (i * 31) >> 3)
    b.node.network.onRequest("/test/chunk/1", chunk.length, async (_from, payload) => payload.subarray(8))
    const answer = await a.node.network.request(bob, "/test/chunk/1", chunk)
    expect(Buffer.compare(answer, chunk.subarray(8))).toBe(0)
  })

  test("a payload above the receiver's maximum is refused before the handler runs", async () => {
    const [a, b] = await couple()
    let ran = false
    b.node.network.onMessage("/test/small/1", 1000, async () => {
      ran = true
    })
    for (const size of [1001, 8 << 20])
      await expect(a.node.network.send(bob, "/test/small/1", new Uint8Array(size))).rejects.toMatchObject({
        detail: { code: "PAYLOAD_TOO_LARGE" },
      })
    expect(ran).toBe(false)
    expect(await a.node.network.request(bob, "/test/echo/1", hello)).toEqual(hello)
  })

  test.each<[string, Address, string, string]>([
    ["a handler that fails", bob, "/test/fails/1", "PEER_REFUSED"],
    ["a protocol that nobody serves", bob, "/test/none/1", "PEER_REFUSED"],
    ["a peer without channel", carol, "/test/echo/1", "PEER_UNREACHABLE"],
  ])("%s", async (_name, to, protocol, code) => {
    const [a, b] = await couple()
    b.node.network.onRequest("/test/fails/1", 16, async () => {
      throw new Error("private reason")
    })
    const failure = await a.node.network.request(to, protocol, hello).catch((error: Error) => error)
    expect(failure).toMatchObject({ detail: { code } })
    expect(String(failure)).not.toContain("private reason")
  })

  test("an aborted request rejects with the signal's reason", async () => {
    const [a, b] = await couple()
    const controller = new AbortController()
    b.node.network.onRequest("/test/slow/1", 16, async () => {
      controller.abort(new Error("enough"))
      return new Promise(() => {})
    })
    await expect(a.node.network.request(bob, "/test/slow/1", hello, controller.signal)).rejects.toThrow(
      "enough",
    )
  })

  test("an exchange that takes too long ends", async () => {
    const [a, b] = await couple()
    b.node.network.onRequest("/test/stuck/1", 16, async () => {
      a.clock.advance(P2P_DEFAULTS.exchangeTimeoutMs)
      return new Promise(() => {})
    })
    await expect(a.node.network.request(bob, "/test/stuck/1", hello)).rejects.toMatchObject({
      detail: { code: "PEER_UNREACHABLE" },
    })
  })

  test("gossip reaches validated topics of all attested peers", async () => {
    const registry: FakeRegistry = new Map()
    const c = await member(carol, registry)
    const b = await member(bob, registry, [c])
    const a = await member(alice, registry, [b, c])
    const got: string[] = []
    const received = Promise.withResolvers<void>()
    for (const [name, { node }] of [
      ["bob", b],
      ["carol", c],
    ] as const)
      node.network.subscribe(
        "note",
        16,
        (payload) => (payload[0] === 1 ? "accept" : "ignore"),
        (payload) => {
          got.push(`${name} ${payload}`)
          if (got.length === 2) received.resolve()
        },
      )
    await when(a, () => a.node.listeners("note").length === 2)
    await a.node.network.publish("note", new Uint8Array([2, 2, 2]))
    await a.node.network.publish("note", hello)
    await received.promise
    expect(got.sort()).toEqual(["bob 1,2,3", "carol 1,2,3"])
  })

  test("gossip reaches a member whose link to its author is cut, by way of another", async () => {
    const registry: FakeRegistry = new Map()
    const c = await member(carol, registry)
    const b = await member(bob, registry, [c])
    const a = await member(alice, registry, [b])
    const received = Promise.withResolvers<Uint8Array>()
    for (const { node } of [a, b])
      node.network.subscribe(
        "note",
        16,
        () => "accept",
        () => {},
      )
    c.node.network.subscribe(
      "note",
      16,
      () => "accept",
      (payload) => received.resolve(payload),
    )
    await Promise.all([
      when(a, () => a.node.listeners("note").length === 1),
      when(b, () => b.node.listeners("note").length === 2),
      when(c, () => c.node.listeners("note").length === 1),
    ])
    expect(c.node.network.peers()).toEqual([bob])
    await a.node.network.publish("note", hello)
    expect([...(await received.promise)]).toEqual([...hello])
  })

  test("the same payload may be published again", async () => {
    const [a, b] = await couple()
    const twice = Promise.withResolvers<void>()
    let count = 0
    b.node.network.subscribe(
      "note",
      16,
      () => "accept",
      () => {
        if (++count === 2) twice.resolve()
      },
    )
    await when(a, () => a.node.listeners("note").length === 1)
    await a.node.network.publish("note", hello)
    await a.node.network.publish("note", hello)
    await twice.promise
  })

  test("a peer that keeps handing on rejected messages loses its connection", async () => {
    const [a, b] = await couple()
    b.node.network.subscribe(
      "note",
      2,
      () => "accept",
      () => {},
    )
    await when(a, () => a.node.listeners("note").length === 1)
    for (let i = 0; i < 16; i++) await a.node.network.publish("note", hello)
    await when(b, () => b.node.network.peers().length === 0)
  })

  test("gossip above the network's maximum is not sent", async () => {
    const [a] = await couple()
    await expect(a.node.network.publish("note", new Uint8Array((1 << 20) + 1))).rejects.toMatchObject({
      detail: { code: "PAYLOAD_TOO_LARGE" },
    })
  })
})

describe("who is let in", () => {
  test("an unregistered peer is refused", async () => {
    const registry: FakeRegistry = new Map()
    const b = await member(bob, registry)
    const a = await member(alice, registry, [b], { unregistered: true })
    await b.refused("ATTEST_UNREGISTERED")
    await a.refused("ATTEST_REFUSED_BY_PEER")
    expect(b.node.network.peers()).toEqual([])
  })

  test("a peer under another peer id than the registered one is refused", async () => {
    const registry: FakeRegistry = new Map([[alice, record(alice, digest(5))]])
    const b = await member(bob, registry)
    await member(alice, registry, [b])
    await b.refused("ATTEST_WRONG_PEER")
    expect(b.node.network.peers()).toEqual([])
  })

  test("a peer whose quote the policy refuses gets no channel in either direction", async () => {
    const registry: FakeRegistry = new Map()
    const b = await member(bob, registry)
    const a = await member(alice, registry, [b], { quoter: { quote: async () => new Uint8Array(100) } })
    await b.refused("ATTEST_QUOTE_REFUSED")
    expect([a, b].flatMap(({ node }) => node.network.peers())).toEqual([])
  })

  test("an unattested connection is served nothing but the attestation", async () => {
    const b = await member(bob, new Map())
    let asked = false
    b.node.network.onRequest("/test/secret/1", 16, async () => {
      asked = true
      return hello
    })
    const peer = await plainPeer()
    const connection = await peer.dial(multiaddr(b.node.addresses()[0]))
    for (const protocol of ["/test/secret/1", "/meshsub/1.1.0"]) {
      expect(await ended(await connection.newStream(protocol))).toBe("reset")
    }
    for (const protocol of ["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"])
      await expect(connection.newStream(protocol)).rejects.toThrow()
    expect(asked).toBe(false)
    expect(b.node.network.peers()).toEqual([])
  })

  test.each<[string, (connection: Connection) => Promise<unknown>]>([
    ["never starts its attestation", async () => {}],
    ["starts its attestation and falls silent", (connection) => connection.newStream(ATTEST_PROTOCOL)],
  ])("a connection that %s is closed in time", async (_name, act) => {
    const b = await member(bob, new Map())
    const peer = await plainPeer()
    const connection = await peer.dial(multiaddr(b.node.addresses()[0]))
    const closed = new Promise((resolve) => connection.addEventListener("close", resolve))
    await act(connection)
    await deadlineOf(b)
    expect(connection.status).toBe("open")
    b.clock.advance(P2P_DEFAULTS.attestTimeoutMs)
    await closed
    await b.refused("ATTEST_TIMEOUT")
  })

  test("an oversized frame ends the attestation", async () => {
    const b = await member(bob, new Map())
    const peer = await plainPeer()
    const connection = await peer.dial(multiaddr(b.node.addresses()[0]))
    const closed = new Promise((resolve) => connection.addEventListener("close", resolve))
    const stream = await connection.newStream(ATTEST_PROTOCOL)
    stream.send(new Uint8Array([0xff, 0xff, 0xff, 0xff]))
    await closed
    await b.refused("FRAME_TOO_LARGE")
  })
})

describe("standing of connected peers", () => {
  const change = (registry: FakeRegistry, signer: Address, changes: Parameters<typeof record>[2]): void => {
    const current = registry.get(signer)
    if (current !== undefined) registry.set(signer, { ...current, ...changes })
  }

  test("a lapsed peer is suspended and comes back with its renewal, on the same connection", async () => {
    const registry: FakeRegistry = new Map()
    const [a, b] = await couple(registry)
    change(registry, bob, { liveUntil: 0n })
    await a.node.refreshStanding()
    expect(a.node.network.peers()).toEqual([])
    await expect(a.node.network.request(bob, "/test/echo/1", hello)).rejects.toMatchObject({
      detail: { code: "PEER_UNREACHABLE" },
    })
    await expect(b.node.network.request(alice, "/test/echo/1", hello)).rejects.toMatchObject({
      detail: { code: "PEER_UNREACHABLE" },
    })
    change(registry, bob, { liveUntil: HEAD.timestamp + 5n })
    await a.node.refreshStanding()
    expect(a.node.network.peers()).toEqual([bob])
    expect(await b.node.network.request(alice, "/test/echo/1", hello)).toEqual(hello)
  })

  test("a revoked peer is disconnected by the next check", async () => {
    const registry: FakeRegistry = new Map()
    const [a, b] = await couple(registry)
    change(registry, bob, { revoked: true })
    a.clock.advance(P2P_DEFAULTS.standingCheckMs)
    await when(b, () => b.node.network.peers().length === 0)
    await a.refused("ATTEST_REVOKED")
    expect(a.node.network.peers()).toEqual([])
  })

  test("a registry that cannot be read changes nothing", async () => {
    const registry: FakeRegistry = new Map()
    const b = await member(bob, registry)
    let broken = false
    const chain = fakeChain(registry)
    const a = await member(alice, registry, [b], {
      chain: {
        head: async () => (broken ? Promise.reject(new Error("offline")) : chain.head()),
        node: chain.node,
      },
    })
    await connected(a, bob)
    broken = true
    await a.node.refreshStanding()
    expect(a.node.network.peers()).toEqual([bob])
  })

  test("the attestation is renewed before it expires, with fresh quotes", async () => {
    const registry: FakeRegistry = new Map()
    let quotes = 0
    const renewed = Promise.withResolvers<void>()
    const b = await member(bob, registry, [], {
      quoter: {
        async quote(reportData) {
          if (++quotes === 2) renewed.resolve()
          return fakeQuoter.quote(reportData)
        },
      },
    })
    const a = await member(alice, registry, [b])
    await Promise.all([connected(a, bob), connected(b, alice)])
    a.clock.advance(P2P_DEFAULTS.attestationLifetimeMs * 0.9)
    await renewed.promise
    expect(a.node.network.peers()).toEqual([bob])
  })

  test("an attestation that is not renewed expires", async () => {
    const [, b] = await couple()
    b.clock.advance(P2P_DEFAULTS.attestationLifetimeMs)
    expect(b.node.network.peers()).toEqual([])
    await b.refused("ATTEST_TIMEOUT")
  })
})

describe("keeping connections", () => {
  test("a peer that comes back is dialled again", async () => {
    const registry: FakeRegistry = new Map()
    const identity = await peerIdentity(new Secret(new Uint8Array(32).fill(8)))
    const first = await member(bob, registry, [], { identity })
    const a = await member(alice, registry, [first])
    await connected(a, bob)
    const [port] = /\d+(?=\/p2p)/.exec(first.node.addresses()[0] ?? "") ?? []
    await first.node.stop()
    await when(a, () => a.node.network.peers().length === 0)
    const second = await member(bob, registry, [], { identity, listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    a.clock.advance(1_000)
    await Promise.all([connected(a, bob), connected(second, alice)])
  })

  test("the node with the higher signer dials later, if still needed", async () => {
    const registry: FakeRegistry = new Map()
    const a = await member(alice, registry)
    const b = await member(bob, registry, [a])
    expect(b.node.network.peers()).toEqual([])
    b.clock.advance(2_000)
    await connected(b, alice)
  })

  test("a second connection under an attested peer's key has to attest itself", async () => {
    const registry: FakeRegistry = new Map()
    const identity = await peerIdentity(new Secret(new Uint8Array(32).fill(7)))
    const b = await member(bob, registry)
    const a = await member(alice, registry, [b], { identity })
    await Promise.all([connected(a, bob), connected(b, alice)])
    const thief = await plainPeer(identity.privateKey)
    const connection = await thief.dial(multiaddr(b.node.addresses()[0]))
    expect(await ended(await connection.newStream("/test/echo/1"))).toBe("reset")
    expect(await a.node.network.request(bob, "/test/echo/1", hello)).toEqual(hello)
  })
})
