import { taggedHash } from "@twinlock/sdk/protocol/codec"
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import { parameterSet } from "@twinlock/sdk/protocol/parameters"
import { describe, expect, test } from "vitest"
import type { KeyRecord, NodeRecord } from "../chain/chainView.ts"
import { decodeBundle } from "./bundle.ts"
import { type CeremonyService, createCeremonyService } from "./ceremonyService.ts"
import type { KeygenEngine } from "./engine.ts"
import { COMMITTEE, PARTIES, PROPOSAL, type Tamper, TOY_PARAMETERS } from "./party.fixture.ts"
import type { EndState } from "./runner.ts"
import { KEY_SHARE_KIND } from "./shareVault.ts"
import { toyEngine, toyLayout } from "./toyEngine.fixture.ts"
import { createWorld, type World, type WorldOptions } from "./world.fixture.ts"

const KEYHOLDERS = new Set(PARTIES.map(({ address }) => address))

type Fleet = {
  readonly world: World
  readonly services: readonly CeremonyService[]
  readonly active: (readonly [number, KeyId])[]
  readonly ends: (readonly [number, EndState["status"]])[]
  /** A new process of party `index` over the same store. */
  restart(index: number): CeremonyService
}

/** Services of all four parties over one chain; `proposed` says from which block the proposal exists. */
function fleet(
  options: Pick<WorldOptions, "tamper" | "sets"> & {
    readonly record?: Partial<KeyRecord["proposal"]>
    /** Beside that of the toy parameters. */
    readonly engine?: KeygenEngine
  } = {},
): Fleet {
  const { record, engine, ...rest } = options
  const world = createWorld(rest)
  const proposal = { ...PROPOSAL, ...record }
  world.chain.record = { ...world.chain.record, proposal }
  const active: [number, KeyId][] = []
  const ends: [number, EndState["status"]][] = []
  const serve = (index: number): CeremonyService => {
    const deps = world.deps(index)
    return createCeremonyService(
      { host: PROPOSAL.host, fromBlock: 1n },
      {
        ...deps,
        engines: [engine ?? foreignEngine(deps.engine), deps.engine],
        chain: {
          ...deps.chain,
          node: async (signer): Promise<NodeRecord> => ({
            signer,
            operator: signer,
            role: KEYHOLDERS.has(signer) ? "keyholder" : "executor",
            peerIdHash: COMMITTEE.keyId as never,
            configHash: COMMITTEE.keyId as never,
            ppid: "0x00",
            liveUntil: 3_000_000_000n,
            revoked: false,
          }),
          // One key in block 2, and whichever is on the chain then in block 3.
          proposalsSince: async (from, to) => [
            ...(from <= 2n && to.number >= 2n ? [COMMITTEE.keyId] : []),
            ...(from <= 3n && to.number >= 3n ? [world.chain.record.keyId] : []),
          ],
        },
        onActiveKey: ({ keyId }) => void active.push([index, keyId]),
        onEnd: (_, state) => void ends.push([index, state.status]),
      },
    )
  }
  const services = PARTIES.map((_, at) => serve(at + 1))
  return { world, services, active, ends, restart: serve }
}

/** Of another parameter set: whoever starts a key with it fails. */
const foreignEngine = (engine: KeygenEngine): KeygenEngine => ({
  ...engine,
  parametersHash: taggedHash("another set"),
  createParty() {
    throw new Error("a key of another parameter set was started")
  },
})

const mine = (world: World): void => {
  world.chain.head = { ...world.chain.head, number: world.chain.head.number + 1n }
}

describe("ceremony service", () => {
  test("a proposal that appears on chain becomes an active key at every party", async () => {
    const { world, services, active, ends } = fleet()
    for (const service of services) service.start()
    await world.until(() => world.clock.pending().length >= 4)
    expect(services.map((service) => service.current())).toEqual([null, null, null, null])
    mine(world)
    await world.until(() => active.length === 4)
    expect(active.map(([index]) => index).sort()).toEqual([1, 2, 3, 4])
    expect(ends.map(([, status]) => status)).toEqual(["finished", "finished", "finished", "finished"])
    await Promise.all(services.map((service) => service.stop()))
  })

  test("two keys of two parameter sets become active, each made by the engine of its set", async () => {
    const NEXT = { hash: parameterSet("TOY/2", "none").hash, chunks: 9 }
    const engine = { ...toyEngine(toyLayout(NEXT.chunks)), parametersHash: NEXT.hash }
    const { world, services, active } = fleet({ engine, sets: new Map([[NEXT.hash, NEXT.chunks]]) })
    for (const service of services) service.start()
    mine(world)
    await world.until(() => active.length === 4)
    const first = decodeBundle(world.transcripts.get(1) ?? new Uint8Array())
    world.propose(PARTIES)
    const { record } = world.chain
    world.chain.record = { ...record, proposal: { ...record.proposal, parametersHash: NEXT.hash } }
    mine(world)
    await world.until(() => active.length === 8)
    const second = decodeBundle(world.transcripts.get(1) ?? new Uint8Array())
    const sets = [first, second].map(({ proposal }) => proposal.parametersHash)
    expect(sets).toEqual([TOY_PARAMETERS.hash, NEXT.hash])
    expect(new Set(active.map(([, keyId]) => keyId))).toEqual(new Set([first.keyId, second.keyId]))
    expect(world.engines.map(({ made }) => made.length)).toEqual([1, 1, 1, 1])
    expect(engine.made).toHaveLength(4)
    expect(await world.stores[0]?.list(KEY_SHARE_KIND)).toHaveLength(2)
    await Promise.all(services.map((service) => service.stop()))
  })

  test.each<[string, Partial<KeyRecord["proposal"]>]>([
    ["k that half of the executors reach", { k: 1 }],
    ["n < 3t + 1", { t: 2 }],
    ["parameters without an engine", { parametersHash: taggedHash("unknown set") }],
    ["another host", { host: { ...PROPOSAL.host, chainId: 1n } }],
  ])("a proposal with %s is left alone: no message leaves, nothing is stored", async (_, record) => {
    const sent: string[] = []
    const tamper: Tamper = (_from, _to, protocol, payload) => {
      sent.push(protocol)
      return [payload]
    }
    const { world, services } = fleet({ record, tamper })
    mine(world)
    for (const service of services) service.start()
    const limit = world.clock.now() + 60_000
    await world.until(() => world.clock.now() > limit)
    expect(services.map((service) => service.current())).toEqual([null, null, null, null])
    expect(world.progress).toEqual([])
    expect(sent).toEqual([])
    expect(await Promise.all(world.stores.map((store) => store.list("ceremony-attempt")))).toEqual(
      PARTIES.map(() => []),
    )
    await Promise.all(services.map((service) => service.stop()))
  })

  test("an attempt that ended is not tried again", async () => {
    const quiet: Tamper = (from, _to, protocol, payload) =>
      from === PARTIES[3]?.address && protocol.includes("/message/") ? [] : [payload]
    const { world, services, ends } = fleet({ tamper: quiet })
    mine(world)
    for (const service of services) service.start()
    await world.until(() => ends.length === 4)
    const begun = world.progress.length
    const limit = world.clock.now() + 60_000
    await world.until(() => world.clock.now() > limit)
    expect(world.progress.length).toBe(begun)
    expect(ends.map(([, status]) => status)).toEqual(["aborted", "aborted", "aborted", "aborted"])
    await Promise.all(services.map((service) => service.stop()))
  })

  test("a node that restarts in the middle tells the others that it will not go on", async () => {
    const quiet: Tamper = (from, _to, protocol, payload) =>
      from === PARTIES[3]?.address && protocol.includes("/echo/") && payload[38] === 2 ? [] : [payload]
    const { world, services, ends, restart } = fleet({ tamper: quiet })
    mine(world)
    for (const service of services.slice(0, 3)) service.start()
    // Party 4 was killed in the attempt: its store knows the key, its process does not.
    await world.deps(4).vault.begin(COMMITTEE.keyId)
    await world.until(() => world.progress.includes("standing"))
    const again = restart(4)
    again.start()
    await world.until(() => ends.length === 3)
    expect(world.clock.now()).toBeLessThan(1_800_000_000_000 + 60_000)
    expect(ends.map(([, status]) => status)).toEqual(["aborted", "aborted", "aborted"])
    await Promise.all([...services.slice(0, 3), again].map((service) => service.stop()))
  })

  test.each([
    ["active", 1],
    ["of unknown parameters", 1],
    ["discarded", 0],
    ["expired", 0],
  ])("after a restart, a stored share of a key that is %s leaves %i records", async (status, left) => {
    const { world, active, restart } = fleet()
    await world.stores[1]?.put(KEY_SHARE_KIND, `${COMMITTEE.keyId}/1`, new Uint8Array(8))
    const service = restart(2)
    service.start()
    const early = world.clock.now() + 10_000
    await world.until(() => world.clock.now() > early)
    expect(await world.stores[1]?.list(KEY_SHARE_KIND)).toEqual([`${COMMITTEE.keyId}/1`])
    const { record } = world.chain
    if (status === "of unknown parameters")
      world.chain.record = {
        ...{ ...record, status: "active", activation: {} as never },
        proposal: { ...record.proposal, parametersHash: taggedHash("unknown set") },
      }
    if (status === "active") world.chain.record = { ...record, status, activation: {} as never }
    if (status === "discarded") world.chain.record = { ...record, status, activation: null }
    if (status === "expired") world.chain.head = { ...world.chain.head, timestamp: 3_000_000_000n }
    const late = world.clock.now() + 10_000
    await world.until(() => world.clock.now() > late)
    expect((await world.stores[1]?.list(KEY_SHARE_KIND))?.length).toBe(left)
    expect(active.map(([index]) => index)).toEqual(status === "active" ? [2] : [])
    await service.stop()
  })
})
