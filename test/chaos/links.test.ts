import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import type { Member } from "@twinlock/devnet/network/layout"
import type { Ports } from "@twinlock/devnet/network/state"
import { expect, test } from "vitest"
import { CALM } from "./lane.ts"
import { startLinks, weatherOf } from "./links.ts"

const memberOf = (name: string): Member => ({ name, role: "keyholder", machine: name, operator: 0 })

test("of several troubles the worst counts", () => {
  expect(weatherOf([])).toEqual(CALM)
  const [one, two] = [
    { kind: "slow", delayMs: 10, bytesPerSecond: 5 },
    { kind: "slow", delayMs: 20, bytesPerSecond: 9 },
  ] as const
  expect(weatherOf([one, two])).toEqual({ delayMs: 20, bytesPerSecond: 5, held: false })
  expect(weatherOf([one, { kind: "silence" }])).toEqual({ delayMs: 10, bytesPerSecond: 5, held: true })
})

test("a trouble of one way holds it whoever dialled, and heals without the others", async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { readonly port: number }
  const links = await startLinks(["a", "b"])
  const sockets: Socket[] = []
  try {
    const ports = { chain: 0, collateral: 0, coordinator: 0, http: {}, p2p: { a: port, b: port, c: 7 } }
    const addressOf = links.addresses(ports satisfies Ports)
    expect(addressOf(memberOf("a"), memberOf("c"), "/ip4/127.0.0.1/tcp/7/p2p/x")).toBe(
      "/ip4/127.0.0.1/tcp/7/p2p/x",
    )
    const dial = async (from: string, to: string): Promise<readonly [Socket, Socket]> => {
      const address = addressOf(memberOf(from), memberOf(to), `/ip4/127.0.0.1/tcp/${port}/p2p/x`)
      const arriving = once(server, "connection") as Promise<[Socket]>
      const dialled = connect(Number(address.split("/")[4]), "127.0.0.1")
      const [served] = await arriving
      sockets.push(dialled, served)
      for (const socket of [dialled, served]) socket.on("error", () => {})
      return [dialled, served]
    }
    const [aDialled, bServed] = await dial("a", "b")
    const [bDialled, aServed] = await dial("b", "a")
    const heard: string[] = []
    for (const socket of [bServed, bDialled]) socket.on("data", (bytes) => heard.push(String(bytes)))

    const first = links.disturb([["a", "b"]], { kind: "silence" })
    const second = links.disturb([["a", "b"]], { kind: "silence" })
    aDialled.write("x")
    aServed.write("y")
    bDialled.write("z")
    expect(String((await once(aServed, "data"))[0])).toBe("z")
    first()
    bServed.write("w")
    expect(String((await once(aDialled, "data"))[0])).toBe("w")
    expect(heard).toEqual([])
    const both = Promise.all([once(bServed, "data"), once(bDialled, "data")])
    second()
    await both
    expect(heard.toSorted()).toEqual(["x", "y"])

    const broken = Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    )
    links.disturb([["b", "a"]], { kind: "reset" })
    await broken
  } finally {
    for (const socket of sockets) socket.destroy()
    await links.stop()
    await new Promise((resolve) => server.close(resolve))
  }
})
