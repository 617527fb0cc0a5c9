import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { partyAt } from "../party.fixture.ts"
import { unsealToyRoot } from "../toyEngine.fixture.ts"
import { createWorld, type World } from "../world.fixture.ts"
import {
  discard,
  discardOf,
  failedCeremony,
  fileOf,
  revealOf,
  sealingKey,
  vaultsOf,
} from "./blame.fixture.ts"
import { FinalDiscard } from "./finalDiscard.ts"
import { createRootVault, ROOT_KIND } from "./rootVault.ts"

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return "none"
  } catch (error) {
    return isProtocolError(error) ? error.detail.code : `${error}`
  }
}

const rootsIn = (world: World): Promise<readonly number[]> =>
  Promise.all(world.stores.map(async (store) => (await store.list(ROOT_KIND)).length))

/** The key is discarded on the chain that the party reads. */
const discarded = (world: World): Promise<FinalDiscard> =>
  discardOf({ ...world.chain.record, status: "discarded", activation: null }, world)

describe("a final discard", () => {
  test.each(["proposed", "active"] as const)("is not to be had of a key that is %s", async (status) => {
    const world = createWorld()
    const record = { ...world.chain.record, status, activation: null } as typeof world.chain.record
    const chain = { head: async () => world.chain.head, key: async () => record }
    expect(await FinalDiscard.read(record.keyId, chain)).toBeNull()
    expect(await FinalDiscard.read(record.keyId, { ...chain, key: async () => null })).toBeNull()
  })

  test("is not to be had where the chain answers for another key, or not at all", async () => {
    const world = createWorld()
    discard(world)
    const chain = { head: async () => world.chain.head, key: async () => world.chain.record }
    const other = world.chain.record.proposal.parametersHash as never
    expect(await FinalDiscard.read(other, chain)).toBeNull()
    const silent = { ...chain, head: () => Promise.reject(new Error("no answer")) }
    await expect(FinalDiscard.read(world.chain.record.keyId, silent)).rejects.toThrow("no answer")
  })

  test("cannot be made by hand", async () => {
    const world = await failedCeremony()
    const forged = Object.create(FinalDiscard.prototype, {}) as FinalDiscard
    await expect(vaultsOf(world, 1).roots.reveal(forged, partyAt(1).address)).rejects.toThrow(TypeError)
    await expect(vaultsOf(world, 1).vault.reveal(forged)).rejects.toThrow(TypeError)
  })
})

describe("what is kept of an attempt", () => {
  test("that failed before the signatures: a root that opens, and what was signed", async () => {
    const world = await failedCeremony()
    expect(await rootsIn(world)).toEqual([1, 1, 1, 1])
    discard(world)
    const { failed } = await fileOf(world, 1)
    expect(failed.records.map(({ name }) => name)).toContain("chunk-digests")
    expect(failed.open.length).toBe(4)
    expect((await revealOf(world, 1)).root.length).toBe(32)
  })

  test("that finished: nothing", async () => {
    const world = createWorld()
    await world.run()
    expect(world.submitted.length).toBe(1)
    expect(await rootsIn(world)).toEqual([0, 0, 0, 0])
  })

  test("in which this party prepared to sign, and crashed before it was marked: nothing", async () => {
    const commit = () => Promise.reject(new Error("the disk is full"))
    const world = createWorld({
      deps: (index, deps) => (index === 3 ? { ...deps, vault: { ...deps.vault, commit } } : deps),
    })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => runners.every((runner) => runner.state().status !== "running"))
    expect((await runners[2]?.ended)?.status).toBe("aborted")
    expect((await rootsIn(world))[2]).toBe(0)
    const { roots } = vaultsOf(world, 3)
    expect(await codeOf(roots.reveal(await discarded(world), partyAt(3).address))).toBe("ROOT_NOT_STORED")
    await Promise.all(runners.map((runner) => runner.stop()))
  })

  test("that ended after this party's signature left: nothing, also after the discard", async () => {
    const world = createWorld({
      tamper: (...[, , protocol, payload]) =>
        protocol.includes("/message/") && payload[38] === 21 ? [] : [payload],
    })
    const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
    await world.until(() => runners.every((runner) => runner.state().status === "awaiting-chain"))
    discard(world)
    const ends = Promise.all(runners.map((runner) => runner.ended))
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    await ends
    expect(await rootsIn(world)).toEqual([0, 0, 0, 0])
    const { roots, vault } = vaultsOf(world, 1)
    expect(await codeOf(roots.reveal(await discarded(world), partyAt(1).address))).toBe("ROOT_NOT_STORED")
    expect(await codeOf(vault.reveal(await discarded(world)))).toBe("CEREMONY_SIGNED_OR_REVEALED")
  })
})

describe("sign or reveal", () => {
  test("a kept root of a key that was signed for all the same does not open", async () => {
    const world = await failedCeremony()
    discard(world)
    const { keyId } = world.chain.record
    // What no code of this node does: the flag of a signature beside a kept root.
    await world.stores[0]?.putIfAbsent("ceremony-fate", keyId, Uint8Array.of(1))
    expect(await codeOf(revealOf(world, 1))).toBe("CEREMONY_SIGNED_OR_REVEALED")
    expect(await codeOf(revealOf(world, 2))).toBe("none")
  })

  test("the mark is durable before the root is opened", async () => {
    const world = await failedCeremony()
    discard(world)
    const steps: string[] = []
    const [store] = world.stores
    if (store === undefined) throw new Error("no store")
    const roots = createRootVault({
      store,
      vault: {
        reveal: async (proof) => {
          await vaultsOf(world, 1).vault.reveal(proof)
          steps.push("marked")
        },
      },
      unsealRoot(...sealed) {
        steps.push("opened")
        return unsealToyRoot(...sealed)
      },
      sealingKey,
    })
    await roots.reveal(await discarded(world), partyAt(1).address)
    expect(steps).toEqual(["marked", "opened"])
  })

  test("where the mark cannot be written nothing is opened", async () => {
    const world = await failedCeremony()
    discard(world)
    const [store] = world.stores
    if (store === undefined) throw new Error("no store")
    const full = () => Promise.reject(new Error("the disk is full"))
    const unsealRoot = () => {
      throw new Error("the root was opened")
    }
    const roots = createRootVault({ store, vault: { reveal: full }, unsealRoot, sealingKey })
    const reveal = roots.reveal(await discarded(world), partyAt(1).address)
    await expect(reveal).rejects.toThrow("the disk is full")
  })
})
