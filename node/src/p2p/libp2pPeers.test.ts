import type { Connection } from "@libp2p/interface"
import { multiaddr } from "@multiformats/multiaddr"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { afterEach, describe, expect, test } from "vitest"
import { Secret } from "../secret.ts"
import { ATTEST_PROTOCOL } from "./attestMessages.ts"
import { P2P_DEFAULTS } from "./libp2pNetwork.ts"
import {
  alice,
  bob,
  connected,
  couple,
  deadlineOf,
  ended,
  hello,
  member,
  plainPeer,
  stopMembers,
  when,
} from "./members.fixture.ts"
import { peerIdentity } from "./peerIdentity.ts"
import { digest, type FakeRegistry, fakeChain, fakeQuoter, HEAD, record } from "./testSupport.fixture.ts"

afterEach(stopMembers)

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
