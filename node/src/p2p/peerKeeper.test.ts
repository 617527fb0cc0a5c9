import type { Address } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { createPeerKeeper, redialPause } from "./peerKeeper.ts"
import { address } from "./testSupport.fixture.ts"

const [alice, bob, carol] = [address(1), address(2), address(3)]
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function keeper(self: Address, reachable: () => boolean) {
  const clock = createManualClock(0)
  const connected = new Set<Address>()
  const dialled: string[] = []
  const kept = createPeerKeeper(
    self,
    [alice, bob, carol].map((signer) => ({ signer, multiaddr: "/x" })),
    {
      dial: async ({ signer }) => {
        dialled.push(`${signer.slice(2, 4)}@${clock.now()}`)
        if (!reachable()) throw new Error("down")
        connected.add(signer)
      },
      isConnected: (signer) => connected.has(signer),
      scheduler: clock,
      jitter: () => 0,
      logger: silentLogger,
      metrics: null,
    },
  )
  return { kept, clock, connected, dialled }
}

describe("peer keeper", () => {
  test("dials peers with higher signers at once, the others a moment later, never itself", async () => {
    const { kept, clock, dialled } = keeper(bob, () => true)
    kept.start()
    await settle()
    expect(dialled).toEqual(["03@0"])
    clock.advance(1000)
    await settle()
    expect(dialled).toEqual(["03@0", "01@1000"])
  })

  test("does not dial a peer that connected by itself", async () => {
    const { kept, clock, connected, dialled } = keeper(carol, () => true)
    kept.start()
    connected.add(alice)
    clock.advance(1000)
    await settle()
    expect(dialled).toEqual(["02@1000"])
  })

  test("pauses double up to 30 s and start over after success", async () => {
    let up = false
    const { kept, clock, connected, dialled } = keeper(bob, () => up)
    connected.add(alice)
    kept.start()
    for (let i = 0; i < 8; i++) {
      await settle()
      clock.advance((clock.pending()[0] ?? 0) - clock.now())
    }
    await settle()
    const times = dialled.map((entry) => Number(entry.split("@")[1]))
    expect(times.slice(1).map((time, i) => time - (times[i] ?? 0))).toEqual([
      1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
    ])
    up = true
    clock.advance(30_000)
    await settle()
    connected.delete(carol)
    kept.lost(carol)
    expect(clock.pending()).toEqual([clock.now() + 500])
  })

  test("stops dialling when stopped", async () => {
    const { kept, clock, dialled } = keeper(carol, () => false)
    kept.start()
    kept.stop()
    clock.advance(100_000)
    kept.lost(alice)
    await settle()
    expect(dialled).toEqual([])
    expect(clock.pending()).toEqual([])
  })

  test("jitter takes off up to half", () => {
    expect(redialPause(2, 0)).toBe(2000)
    expect(redialPause(2, 1)).toBe(1000)
    expect(redialPause(1000, 0)).toBe(30_000)
  })
})
