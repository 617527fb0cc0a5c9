import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { createMemoryNetworks } from "./memoryNetwork.ts"
import type { Network } from "./network.ts"

const address = (byte: number): Address => parseAddress(toHex(new Uint8Array(20).fill(byte)))
const alice = address(1)
const bob = address(2)
const carol = address(3)
const hello = new Uint8Array([1, 2, 3])

function networks(connected?: (from: Address, to: Address) => boolean): (address: Address) => Network {
  const map = createMemoryNetworks([alice, bob, carol], connected === undefined ? {} : { connected })
  return (of) => map.get(of) as Network
}

/** Lets all queued deliveries run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("memory network", () => {
  test("request carries sender, payload and answer as copies", async () => {
    const of = networks()
    const seen: Uint8Array[] = []
    of(bob).onRequest("/echo/1", 16, async (from, payload) => {
      expect(from).toBe(alice)
      seen.push(payload)
      return payload
    })
    const answer = await of(alice).request(bob, "/echo/1", hello)
    expect(answer).toEqual(hello)
    answer[0] = 9
    expect(seen).toEqual([hello])
  })

  test("send resolves after the handler has finished", async () => {
    const of = networks()
    let finished = false
    of(bob).onMessage("/note/1", 16, async () => {
      await settle()
      finished = true
    })
    await of(alice).send(bob, "/note/1", hello)
    expect(finished).toBe(true)
  })

  test.each<[string, (of: (a: Address) => Network) => Promise<unknown>]>([
    ["PEER_UNREACHABLE", (of) => of(alice).request(address(9), "/echo/1", hello)],
    ["PEER_REFUSED", (of) => of(alice).request(bob, "/other/1", hello)],
    ["PEER_REFUSED", (of) => of(alice).request(bob, "/fails/1", hello)],
    ["PAYLOAD_TOO_LARGE", (of) => of(alice).request(bob, "/fails/1", new Uint8Array(17))],
  ])("%s", async (code, run) => {
    const of = networks()
    of(bob).onRequest("/fails/1", 16, async () => {
      throw new Error("secret reason")
    })
    await expect(run(of)).rejects.toMatchObject({ detail: { code } })
  })

  test("a second handler for one protocol is refused", () => {
    const of = networks()
    of(bob).onMessage("/note/1", 16, async () => {})
    expect(() => of(bob).onRequest("/note/1", 16, async () => hello)).toThrow("DUPLICATE_HANDLER")
  })

  test("gossip reaches the others after accept only, and not the publisher", async () => {
    const of = networks()
    const got: Address[] = []
    for (const [who, verdict] of [
      [alice, "accept"],
      [bob, "accept"],
      [carol, "reject"],
    ] as const)
      of(who).subscribe(
        "/topic/1",
        16,
        () => verdict,
        () => got.push(who),
      )
    await of(alice).publish("/topic/1", hello)
    await of(alice).publish("/topic/1", new Uint8Array(17))
    await settle()
    expect(got).toEqual([bob])
  })

  test("a validator that throws means ignore", async () => {
    const of = networks()
    const got: Uint8Array[] = []
    of(bob).subscribe(
      "/topic/1",
      16,
      () => {
        throw new Error("bad bytes")
      },
      (payload) => got.push(payload),
    )
    await of(alice).publish("/topic/1", hello)
    await settle()
    expect(got).toEqual([])
  })

  test("a cut link stops messages and gossip and removes the peer", async () => {
    const of = networks((from, to) => from !== bob && to !== bob)
    of(bob).onMessage("/note/1", 16, async () => {})
    expect(of(alice).peers()).toEqual([carol])
    await expect(of(alice).send(bob, "/note/1", hello)).rejects.toMatchObject({
      detail: { code: "PEER_UNREACHABLE" },
    })
  })
})
