import type { Address } from "@twinlock/sdk/protocol/ids"
import { afterEach, describe, expect, test } from "vitest"
import { P2P_DEFAULTS } from "./libp2pNetwork.ts"
import { alice, bob, carol, couple, hello, member, stopMembers, when } from "./members.fixture.ts"
import type { FakeRegistry } from "./testSupport.fixture.ts"

afterEach(stopMembers)

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
