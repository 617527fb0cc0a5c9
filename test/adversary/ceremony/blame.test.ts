import { discard, fileOf, judge } from "@twinlock/node/ceremony/blame/blame.fixture"
import { openBlameFile } from "@twinlock/node/ceremony/blame/blameFile"
import type { Blame, Lie } from "@twinlock/node/ceremony/blame/replay"
import { signReveal } from "@twinlock/node/ceremony/blame/reveal"
import { type Header, signHeader } from "@twinlock/node/ceremony/header"
import { PARTIES, partyAt } from "@twinlock/node/ceremony/party.fixture"
import type { Outgoing } from "@twinlock/node/ceremony/rounds"
import type { OpenMessage } from "@twinlock/node/ceremony/state"
import { TOY_ROUNDS, type ToyEngine } from "@twinlock/node/ceremony/toyEngine.fixture"
import { createWorld, type World, type WorldOptions } from "@twinlock/node/ceremony/world.fixture"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../support/codeOf.ts"
import { lieInRound } from "./lying.ts"
import { runToAbort } from "./outcome.ts"
import { flip, tamperWhere } from "./tampering.ts"

const liarsOf = ({ liars }: Blame): readonly (readonly [number, Lie])[] =>
  liars.map(({ party, lie }) => [party, lie] as const)

async function ran(options: WorldOptions): Promise<World> {
  const world = createWorld(options)
  await runToAbort(world)
  return world
}

/** What everybody's file says after the key was discarded. */
async function blameAfter(world: World): Promise<readonly Blame[]> {
  discard(world)
  return Promise.all(PARTIES.map(async (_, at) => judge(await fileOf(world, at + 1))))
}

/** Party `liar` has another engine. */
const engineOf =
  (liar: number, change: (engine: ToyEngine) => Partial<ToyEngine>) => (index: number, engine: ToyEngine) =>
    index === liar ? { ...engine, ...change(engine) } : engine

const changedParty = (
  engine: ToyEngine,
  chunk: number,
  change: (bytes: Uint8Array) => Uint8Array,
): Pick<ToyEngine, "createParty"> => ({
  createParty(config) {
    const party = engine.createParty(config)
    const contribution = party.contribution.bind(party)
    return Object.assign(party, {
      contribution: async (index: number) =>
        index === chunk ? change(await contribution(index)) : contribution(index),
    })
  },
})

describe("the liar is exact, whatever the lie was and whoever replays", () => {
  const broadcast = (outgoing: Outgoing): Outgoing => ({
    ...outgoing,
    broadcast: flip(outgoing.broadcast, 0),
  })
  test.each([
    ["seed-commit", 3, { kind: "broadcast", round: "seed-commit" }],
    ["seed-open", 1, { kind: "broadcast", round: "seed-open" }],
    ["confirm", 4, { kind: "broadcast", round: "confirm" }],
    ["row-coin", 2, { kind: "broadcast", round: "row-coin" }],
    ["row-points", 3, { kind: "broadcast", round: "row-points" }],
    ["public-key", 1, { kind: "broadcast", round: "public-key" }],
  ] as const)("another broadcast in %s", async (round, liar, lie) => {
    const world = await ran({ prepare: lieInRound(liar, round, broadcast) })
    for (const blame of await blameAfter(world)) expect(liarsOf(blame)).toEqual([[liar, lie]])
  })

  test("a dealing that is wrong for one party", async () => {
    const prepare = lieInRound(2, "inputs", (outgoing) => ({
      ...outgoing,
      sealed: outgoing.sealed.map((box, at) => (box !== null && at === 3 ? flip(box, 5) : box)),
    }))
    const world = await ran({ prepare })
    for (const blame of await blameAfter(world))
      expect(liarsOf(blame)).toEqual([[2, { kind: "sealed", round: "inputs", to: 4 }]])
  })

  test("a wrong contribution to one chunk, which spoils the sum of an honest party", async () => {
    const world = await ran({
      engine: engineOf(3, (engine) => changedParty(engine, 4, (own) => flip(own, 8))),
    })
    for (const blame of await blameAfter(world)) {
      expect(liarsOf(blame)).toEqual([[3, { kind: "contribution", chunk: 4, part: "bsk" }]])
      expect(blame.honest.at(-1)).toBe("confirm")
    }
  })

  test("a wrong published sum", async () => {
    const engine = engineOf(2, ({ addInto }) => ({
      addInto(sum, contribution, wordBytes) {
        addInto(sum, contribution, wordBytes)
        sum[0] = (sum[0] ?? 0) ^ 1
      },
    }))
    const world = await ran({ engine })
    for (const blame of await blameAfter(world))
      expect(liarsOf(blame)).toEqual([[2, { kind: "sum", chunk: 1, part: "bsk" }]])
  })

  test("two liars in one round are both named", async () => {
    const [one, other] = [lieInRound(1, "row-points", broadcast), lieInRound(4, "row-points", broadcast)]
    const world = await ran({ prepare: (index, options) => one(index, other(index, options)) })
    for (const blame of await blameAfter(world)) expect(blame.liars.map(({ party }) => party)).toEqual([1, 4])
  })

  test("of two lies in different rounds the first one counts: the second may follow from it", async () => {
    const [one, other] = [lieInRound(1, "seed-commit", broadcast), lieInRound(2, "seed-open", broadcast)]
    const world = await ran({ prepare: (index, options) => one(index, other(index, options)) })
    for (const blame of await blameAfter(world)) expect(blame.liars.map(({ party }) => party)).toEqual([1])
  })

  test("nobody, where executors lie about a good key", async () => {
    const executorEngine = (_: number, engine: ToyEngine): ToyEngine => ({
      ...engine,
      evaluateSelfTest: async (...args) => {
        const words = await engine.evaluateSelfTest(...args)
        return words.map((byte, at) => (at === words.length - 1 ? byte ^ 8 : byte))
      },
    })
    const world = await ran({ executorEngine })
    for (const blame of await blameAfter(world)) {
      expect(blame).toMatchObject({ liars: [], disputed: [], withheld: [], check: null })
      expect(blame.honest).toEqual([
        ...TOY_ROUNDS.rounds,
        "chunk-digests",
        ...TOY_ROUNDS.rowRounds,
        "public-key",
      ])
    }
  })

  test("other bytes on the wire than listed: receiver and senders are left in dispute, nobody is named", async () => {
    const tamper = tamperWhere({ from: 3, to: 2, protocol: "chunk" }, (payload) => [flip(payload, -1)])
    const world = await ran({ tamper })
    const blames = await blameAfter(world)
    for (const blame of blames) expect(blame.liars).toEqual([])
    expect(blames[1]?.disputed.map(({ party }) => party)).toEqual([2])
  })
})

describe("reveals", () => {
  const lying = (): Promise<World> =>
    ran({
      prepare: lieInRound(2, "row-points", ({ sealed, broadcast }) => ({
        sealed,
        broadcast: flip(broadcast, 0),
      })),
    })

  test("another root than the one that was committed to names its party", async () => {
    const world = await lying()
    discard(world)
    const file = await fileOf(world, 1, [1, 3, 4])
    const forged = { ...file.reveals[0], party: 2, root: new Uint8Array(32).fill(5) } as never
    const reveals = [...file.reveals, await signReveal(forged, partyAt(2).sign)]
    expect(liarsOf(await judge({ ...file, reveals }))).toEqual([[2, { kind: "root" }]])
  })

  test("a party that withholds its root is named as such, nobody as a liar", async () => {
    const world = await lying()
    discard(world)
    const blame = await judge(await fileOf(world, 1, [1, 3, 4]))
    expect(blame).toMatchObject({ withheld: [2], liars: [], honest: [] })
  })

  test("a root that another party signed is refused", async () => {
    const world = await lying()
    discard(world)
    const file = await fileOf(world, 1)
    const [first, ...rest] = file.reveals
    const forged = await signReveal({ ...first, root: new Uint8Array(32) } as never, partyAt(2).sign)
    expect(await rejectionCodeOf(() => judge({ ...file, reveals: [forged, ...rest] }))).toBe("BLAME_INVALID")
    expect(await rejectionCodeOf(() => judge({ ...file, reveals: [first as never, ...file.reveals] }))).toBe(
      "BLAME_INVALID",
    )
  })
})

describe("a file that was made to frame an honest party is refused", () => {
  /** Party 2 shows one header to the others and puts another one of the same round into its file. */
  test("with a second header of the liar itself", async () => {
    const world = await ran({
      prepare: lieInRound(2, "seed-commit", (own) => ({ ...own, broadcast: flip(own.broadcast, 0) })),
    })
    discard(world)
    const file = await fileOf(world, 2)
    const round = file.failed.records.findIndex(({ name }) => name === "seed-commit")
    const honestHeader = async ({ header }: { readonly header: Header }) =>
      signHeader({ ...header, broadcastHash: header.previous }, partyAt(2).sign)
    const records = await Promise.all(
      file.failed.records.map(async (record, at) =>
        at === round
          ? {
              ...record,
              headers: await Promise.all(
                record.headers.map((signed) => (signed.header.party === 2 ? honestHeader(signed) : signed)),
              ),
            }
          : record,
      ),
    )
    const forged = { ...file, failed: { ...file.failed, records } }
    expect(() => openBlameFile(forged, TOY_ROUNDS)).toThrow(/echo|stands on|signer|signature/i)
    expect(await rejectionCodeOf(() => judge(forged))).toBe("BLAME_INVALID")
  })

  test("with a header of the honest party that stands on other rounds: it says nothing about these", async () => {
    const world = await ran({
      prepare: lieInRound(2, "row-points", (own) => ({ ...own, broadcast: flip(own.broadcast, 0) })),
    })
    discard(world)
    const file = await fileOf(world, 1)
    const elsewhere = async ({ header: { header } }: OpenMessage): Promise<OpenMessage> => {
      const { broadcastHash } = header
      const other = { ...header, previous: broadcastHash, broadcastHash: header.previous }
      return { header: await signHeader(other, partyAt(4).sign), broadcast: null }
    }
    const open = file.failed.open.map((message) =>
      message.header.header.party === 4 ? elsewhere(message) : message,
    )
    const failed = { ...file.failed, open: await Promise.all(open) }
    expect((await judge({ ...file, failed })).liars.map(({ party }) => party)).toEqual([2])
  })

  test("with rounds under other names, left out, or with lists that nobody signed", async () => {
    const world = await ran({
      prepare: lieInRound(2, "row-points", (own) => ({ ...own, broadcast: flip(own.broadcast, 0) })),
    })
    discard(world)
    const file = await fileOf(world, 1)
    const { records } = file.failed
    const changed = [
      records.map((record, at) => (at === 2 ? { ...record, name: "elsewhere" } : record)),
      records.slice(0, -1),
      records.map((record) => (record.name === "chunk-digests" ? { ...record, broadcasts: null } : record)),
      records.map((record) => ({ ...record, headers: record.headers.slice(1) })),
      records.map((record) => ({
        ...record,
        broadcasts: record.broadcasts?.map((bytes) => flip(bytes, 4)) ?? null,
      })),
    ]
    for (const list of changed)
      expect(await rejectionCodeOf(() => judge({ ...file, failed: { ...file.failed, records: list } }))).toBe(
        "BLAME_INVALID",
      )
  })
})
