import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { watchEpochs } from "./epochWatch.ts"
import { address, digest } from "./p2p/testSupport.fixture.ts"
import { silentLogger } from "./telemetry/logger.ts"

function world() {
  const state = { head: 10n, activated: [4n] as bigint[], broken: false }
  const asked: string[] = []
  let told = 0
  const clock = createManualClock()
  const watch = watchEpochs(
    { keyRegistry: address(3), pollMs: 1_000 },
    {
      chain: { head: async () => ({ number: state.head, hash: digest(1), timestamp: 0n }) },
      events: {
        between: async ({ address: of, events }, from, to) => {
          asked.push(`${of === address(3)} ${events} ${from}..${to}`)
          return state.activated
            .filter((block) => block >= from && block <= to)
            .map((blockNumber) => ({
              ...{ name: "KeyActivated", args: [] as never, blockNumber, blockHash: digest(2) },
              transactionHash: "",
              logIndex: 0,
            }))
        },
      },
      onEpoch: async () => {
        if (state.broken) throw new Error("offline")
        told++
      },
      ...{ scheduler: clock, logger: silentLogger },
    },
  )
  const after = async (blocks: bigint): Promise<number> => {
    state.head += blocks
    await watch.look()
    return told
  }
  return { state, asked, clock, watch, after }
}

describe("epoch watch", () => {
  test("tells of epochs that start while it watches, each once", async () => {
    const { state, after, asked } = world()
    expect(await after(0n)).toBe(0)
    expect(await after(0n)).toBe(0)
    state.activated.push(12n)
    expect(await after(1n)).toBe(0)
    expect(await after(1n)).toBe(1)
    expect(await after(5n)).toBe(1)
    expect(asked).toEqual([
      "true KeyActivated 11..11",
      "true KeyActivated 12..12",
      "true KeyActivated 13..17",
    ])
  })

  test("what could not be told is told at the next look", async () => {
    const { state, after } = world()
    await after(0n)
    state.activated.push(11n)
    state.broken = true
    await expect(after(1n)).rejects.toThrow("offline")
    state.broken = false
    expect(await after(0n)).toBe(1)
  })

  test("looks again after every pause until it is stopped", async () => {
    const { watch, clock } = world()
    await watch.start()
    while (clock.pending().length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(clock.pending()).toEqual([clock.now() + 1_000])
    await watch.stop()
    expect(clock.pending()).toEqual([])
  })
})
