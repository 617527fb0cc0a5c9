import { FinalDiscard } from "@twinlock/node/ceremony/blame/finalDiscard"
import { ZERO_DIGEST } from "@twinlock/node/ceremony/header"
import { partyAt } from "@twinlock/node/ceremony/party.fixture"
import { publicMessage } from "@twinlock/node/ceremony/rounds"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import { createShareVault, KEY_SHARE_KIND } from "@twinlock/node/ceremony/shareVault"
import { createWorld, SEALING_KEY } from "@twinlock/node/ceremony/world.fixture"
import type { KeyRecord } from "@twinlock/node/chain/chainView"
import { Secret } from "@twinlock/node/secret"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { describe, expect, test } from "vitest"
import { lieInRound } from "./lying.ts"
import { causeOf, expectNothingKept } from "./outcome.ts"
import { readParts, tamperWhere } from "./tampering.ts"

const ACTIVATION = 20
const GROUP_SIGNATURE = 21
const PUBLIC_KEY = 9

/** As a party reads it from a chain that says so: here the parties' own chain knows nothing of it. */
async function discardOf(record: KeyRecord): Promise<FinalDiscard> {
  const key = async (): Promise<KeyRecord> => ({ ...record, status: "discarded", activation: null })
  const head = async () => ({ number: 1n, hash: ZERO_DIGEST, timestamp: 1n })
  return (await FinalDiscard.read(record.keyId, { head, key })) ?? never()
}

const codeOf = async (work: Promise<unknown>): Promise<string | null> => {
  try {
    await work
    return null
  } catch (error) {
    return isProtocolError(error) ? error.detail.code : `INTERNAL ${error}`
  }
}

describe("sign or reveal, never both", () => {
  test("the share is stored and the party marked as signed before its signature leaves", async () => {
    const seen: string[] = []
    const world = createWorld({
      tamper: async (from, _to, protocol, payload) => {
        const alice = from === partyAt(1).address
        if (alice && protocol === CEREMONY_PROTOCOLS.message.id) {
          const { round } = readParts(payload).header.header
          const stored = (await world.stores[0]?.list(KEY_SHARE_KIND)) ?? []
          seen.push(`${round < ACTIVATION ? "before" : "after"}:${stored.length}`)
          if (round === ACTIVATION)
            seen.push(`reveal:${await codeOf(vaultOf(0).reveal(await discardOf(world.chain.record)))}`)
        }
        return [payload]
      },
    })
    const vaultOf = (at: number) =>
      createShareVault({
        store: world.stores[at] ?? never(),
        rng: systemRng,
        sealingKey: async () => new Secret(SEALING_KEY.slice()),
      })
    await world.run()
    expect(new Set(seen)).toEqual(new Set(["before:0", "after:1", "reveal:CEREMONY_SIGNED_OR_REVEALED"]))
  })

  test("a party that revealed never signs", async () => {
    const world = createWorld()
    const vault = createShareVault({
      store: world.stores[2] ?? never(),
      rng: systemRng,
      sealingKey: async () => new Secret(SEALING_KEY.slice()),
    })
    await vault.reveal(await discardOf(world.chain.record))
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => runners.every((runner) => runner.state().status !== "running"))
    const carol = runners[2]?.state()
    expect(carol?.status === "aborted" && carol.cause.check).toBe("CEREMONY_SIGNED_OR_REVEALED")
    expect(world.submitted).toEqual([])
    world.chain.head = { ...world.chain.head, timestamp: 3_000_000_000n }
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    await Promise.all(runners.map((runner) => runner.ended))
    await expectNothingKept(world)
  })
})

describe("an attempt that ends takes its secrets with it", () => {
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  test("an update of the CRS that is under way is told to end, and holds nothing up", async () => {
    const world = createWorld({
      engine: (index, engine) => ({
        ...engine,
        crsUpdate: (previous, context, signal) =>
          index === 2
            ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("ended"))))
            : engine.crsUpdate(previous, context, signal),
      }),
    })
    const runners = await Promise.all([1, 2, 3, 4].map((seat) => world.start(seat)))
    await world.until(() => world.progress.includes("crs-2"))
    const begun = world.clock.now()
    void runners[0]?.stop()
    const ends = Promise.all(runners.map((runner) => runner.ended))
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    await ends
    expect(world.clock.now() - begun).toBeLessThan(1000)
    await expectNothingKept(world)
  })

  test("they do not wait for a peer that does not take the last word", async () => {
    const stuck = new Promise<never>(() => {})
    const world = createWorld({
      tamper: (_from, _to, protocol, payload) =>
        protocol === CEREMONY_PROTOCOLS.abort.id ? stuck : [payload],
    })
    const runner = await world.start(1)
    await settle()
    const stopped = runner.stop()
    await settle()
    expect(world.engines[0]?.made.map(({ destroyed }) => destroyed)).toEqual([true])
    world.clock.advance(5_000)
    expect(await stopped).toMatchObject({ status: "aborted", cause: { code: "CEREMONY_STOPPED" } })
  })
})

describe("the chain decides after the signature", () => {
  test("a group signature that one party withholds ends with the deadline, and nothing is kept", async () => {
    const tamper = tamperWhere({ from: 3, round: GROUP_SIGNATURE }, () => [])
    const world = createWorld({ tamper })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => runners.every((runner) => runner.state().status === "awaiting-chain"))
    const alice = runners[0]?.state()
    expect(alice?.status === "awaiting-chain" && alice.cause).toMatchObject({
      code: "CEREMONY_NO_MESSAGE",
      culprits: [3],
    })
    for (const store of world.stores) expect((await store.list(KEY_SHARE_KIND)).length).toBe(1)
    world.chain.head = { ...world.chain.head, timestamp: 3_000_000_000n }
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    await Promise.all(runners.map((runner) => runner.ended))
    await expectNothingKept(world)
  })

  test.each([
    ["an activation signature", "activation", 10, /SIGNATURE_(FORM|SIGNER)/],
    ["a commitment of the group signature", "activation", 65, /FROST_COMMITMENT/],
    ["a share of the group signature", "group-signature", 10, /FROST_SHARE_INVALID/],
  ])(
    "%s that is wrong names its sender, and no activation reaches the chain",
    async (_, round, at, check) => {
      const lie = lieInRound(2, round, ({ broadcast }) =>
        publicMessage(broadcast.map((byte, offset) => (offset === at ? byte ^ 0x80 : byte))),
      )
      const world = createWorld({ prepare: lie })
      const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
      await world.until(() => runners.every((runner) => runner.state().status !== "running"))
      const causes = [runners[0], runners[2], runners[3]].flatMap((runner) => {
        const state = runner?.state()
        return state?.status === "awaiting-chain" && state.cause !== null ? [state.cause] : []
      })
      expect(causes.length).toBe(3)
      for (const cause of causes) expect([cause.culprits, cause.claimed].flat()).toEqual([2])
      expect(causes.map((cause) => cause.check).join()).toMatch(check)
      expect(world.submitted).toEqual([])
    },
  )

  test("a discard ends it at once", async () => {
    const tamper = tamperWhere({ from: 3, round: GROUP_SIGNATURE }, () => [])
    const world = createWorld({ tamper })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => runners.every((runner) => runner.state().status === "awaiting-chain"))
    world.chain.record = { ...world.chain.record, status: "discarded", activation: null }
    const ends = Promise.all(runners.map((runner) => runner.ended))
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    expect((await ends).map((state) => causeOf(state)?.code)).toEqual(runners.map(() => "CEREMONY_DISCARDED"))
    await expectNothingKept(world)
  })

  test("a discard in the middle of the rounds aborts them", async () => {
    const tamper = tamperWhere({ from: 3, round: PUBLIC_KEY }, () => [])
    const world = createWorld({ tamper })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => world.progress.includes("public-key"))
    world.chain.record = { ...world.chain.record, status: "discarded", activation: null }
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    const ends = await Promise.all(runners.map((runner) => runner.ended))
    expect(ends.map((state) => causeOf(state)?.code)).toContain("CEREMONY_DISCARDED")
    await expectNothingKept(world)
  })

  test("when the first submitter fails, the next one takes its turn", async () => {
    const world = createWorld({
      deps: (index, deps) =>
        index === 1
          ? {
              ...deps,
              submitter: {
                submit: async () => {
                  throw new Error("no endpoint")
                },
              },
            }
          : deps,
    })
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
    expect(world.submitted.length).toBe(1)
  })
})

describe("a process that stops", () => {
  test("before its signature: everybody aborts and the key is never tried again", async () => {
    const world = createWorld({ tamper: tamperWhere({ from: 2, round: 5 }, () => []) })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => world.progress.includes("confirm"))
    const stopped = runners[1]?.stop()
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    expect(causeOf(await stopped)?.code).toBe("CEREMONY_STOPPED")
    const ends = await Promise.all(runners.map((runner) => runner.ended))
    expect(causeOf(ends[0])).toMatchObject({ code: "CEREMONY_PEER_ABORTED", check: "CEREMONY_STOPPED" })
    await expectNothingKept(world)
    expect(await codeOf(world.start(2))).toBe("CEREMONY_ATTEMPTED")
  })

  test("after its signature: the stored share waits for the chain", async () => {
    const world = createWorld({ tamper: tamperWhere({ from: 3, round: GROUP_SIGNATURE }, () => []) })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => runners.every((runner) => runner.state().status === "awaiting-chain"))
    const left = runners[1]?.stop()
    expect((await left)?.status).toBe("awaiting-chain")
    expect((await world.stores[1]?.list(KEY_SHARE_KIND))?.length).toBe(1)
    expect(world.engines[1]?.made.every((party) => party.destroyed)).toBe(true)
  })
})

function never(): never {
  throw new Error("no such store")
}
