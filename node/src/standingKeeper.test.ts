import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { Measurement } from "./attestation/peerPolicy.ts"
import type { BlockRef, NodeRecord } from "./chain/chainView.ts"
import type { Call } from "./chain/transactor.ts"
import { createManualClock } from "./clock.ts"
import { address, digest, HEAD, REGISTRY, record } from "./p2p/testSupport.fixture.ts"
import { createStandingKeeper } from "./standingKeeper.ts"
import { silentLogger } from "./telemetry/logger.ts"

const platform = createPlatform({ seed: "standing", now: 1_791_158_400 })
const keys = createKeyService("standing")
const cvm = createCvm({
  platform,
  machine: "alice",
  role: "keyholder",
  compose: devnetCompose("keyholder"),
  keys,
})
const signer = address(1)
const LIFETIME = 8_000n

function world() {
  const start = HEAD.timestamp
  const state = {
    time: start,
    number: 10n,
    node: record(signer, digest(2), { liveUntil: start + LIFETIME }) as NodeRecord | null,
    allowed: true,
    refuse: false,
    renewalsShow: true,
    floors: { tcb: 20, qe: 20 },
  }
  const sent: Call[] = []
  const asked: Measurement[] = []
  const clock = createManualClock()
  const keeper = createStandingKeeper(
    {
      chainId: 31337n,
      nodeRegistry: REGISTRY,
      signer,
      role: "keyholder",
      configHash: digest(3),
      pollMs: 1_000,
    },
    {
      chain: {
        head: async (): Promise<BlockRef> => ({
          number: state.number,
          hash: parseDigest(`0x${state.number.toString(16).padStart(64, "0")}`),
          timestamp: state.time,
        }),
        node: async () => state.node,
      },
      policy: {
        isAllowed: async (measurement) => {
          asked.push(measurement)
          return state.allowed
        },
        floors: async () => state.floors,
      },
      quoter: {
        quote: async (reportData) => ({
          quote: cvm.quote(reportData),
          eventLog: "[]",
          configDocument: new Uint8Array(),
        }),
        info: () => Promise.reject(new Error("unused")),
      },
      transactor: {
        send: async (call) => {
          if (state.refuse) throw new Error("reverted")
          sent.push(call)
          if (state.node !== null && state.renewalsShow)
            state.node = { ...state.node, liveUntil: state.time + LIFETIME }
          return { hash: digest(9), gasUsed: 1n, blockNumber: state.number }
        },
      },
      scheduler: clock,
      logger: silentLogger,
      metrics: null,
    },
  )
  /** Lets chain time pass, then looks. */
  const after = async (seconds: bigint): Promise<number> => {
    state.time += seconds
    state.number += 1n
    await keeper.look()
    return sent.length
  }
  return { state, sent, asked, clock, keeper, after }
}

describe("standing keeper", () => {
  test("renews at half of the lifetime, with the head as challenge", async () => {
    const { after, sent, keeper } = world()
    expect(await after(0n)).toBe(0)
    expect(await after(LIFETIME / 2n - 1n)).toBe(0)
    expect(await after(1n)).toBe(1)
    expect(sent[0]).toMatchObject({ to: REGISTRY, method: "renew", args: [signer, 13n, {}] })
    expect(await after(100n)).toBe(1)
    expect(keeper.health()).toEqual({ ready: true, reason: `standing for ${LIFETIME - 100n} s` })
  })

  test("does not repeat itself before the renewal shows at a final block", async () => {
    const { after, state } = world()
    state.renewalsShow = false
    await after(0n)
    expect(await after(LIFETIME / 2n)).toBe(1)
    expect(await after(1n)).toBe(1)
    expect(await after(60n)).toBe(2)
  })

  test("a renewal that fails is repeated with back-off", async () => {
    const { after, state, sent } = world()
    await after(0n)
    state.refuse = true
    await after(LIFETIME / 2n)
    state.refuse = false
    expect(await after(1n)).toBe(0)
    expect(await after(60n)).toBe(1)
    expect(sent.length).toBe(1)
  })

  test("with its measurement off the allow-list it waits, and renews at once when it is back", async () => {
    const { after, state, asked, keeper } = world()
    await after(0n)
    state.allowed = false
    if (state.node !== null) state.node = { ...state.node, liveUntil: 0n }
    expect(await after(1n)).toBe(0)
    expect(await after(100_000n)).toBe(0)
    expect(keeper.health()).toEqual({ ready: false, reason: "standing is gone" })
    state.allowed = true
    expect(await after(1n)).toBe(1)
    expect(asked[0]).toEqual({
      role: "keyholder",
      imageId: cvm.entry.imageId,
      composeHash: cvm.entry.composeHash,
    })
    expect(await after(1n)).toBe(1)
    expect(keeper.health().ready).toBe(true)
  })

  test("floors that move are worth a new quote at once, and only one", async () => {
    const { after, state } = world()
    await after(0n)
    expect(await after(10n)).toBe(0)
    state.floors = { tcb: 21, qe: 20 }
    expect(await after(1n)).toBe(1)
    expect(await after(1n)).toBe(1)
    state.floors = { tcb: 21, qe: 21 }
    state.refuse = true
    await after(1n)
    state.refuse = false
    expect(await after(1n)).toBe(1)
    expect(await after(60n)).toBe(2)
  })

  test("says when it renewed last, and why it did not", async () => {
    const { after, state, keeper } = world()
    expect(keeper.facts()).toEqual({ liveUntil: null, renewedAt: null, failedAttempts: 0, lastFailure: null })
    await after(0n)
    state.refuse = true
    await after(LIFETIME / 2n)
    expect(keeper.facts()).toMatchObject({ renewedAt: null, failedAttempts: 1, lastFailure: "reverted" })
    state.refuse = false
    await after(60n)
    expect(keeper.facts()).toMatchObject({
      renewedAt: Number(state.time),
      failedAttempts: 0,
      lastFailure: null,
    })
    await after(1n)
    expect(keeper.facts().liveUntil).toBe(Number(state.node?.liveUntil))
  })

  test.each<[string, (node: NodeRecord) => NodeRecord | null, string]>([
    ["a revoked node", (node) => ({ ...node, revoked: true, liveUntil: 0n }), "revoked"],
    ["an unregistered node", () => null, "not registered"],
  ])("%s does nothing but say so", async (_name, change, reason) => {
    const { after, state, keeper } = world()
    state.node = state.node === null ? null : change(state.node)
    expect(await after(100_000n)).toBe(0)
    expect(keeper.health()).toEqual({ ready: false, reason })
  })

  test("looks again after every pause until it is stopped", async () => {
    const { keeper, clock } = world()
    await keeper.start()
    await new Promise((resolve) => setImmediate(resolve))
    expect(clock.pending().length).toBe(1)
    await keeper.stop()
    expect(clock.pending()).toEqual([])
  })
})
