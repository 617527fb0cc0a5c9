/** What dishonest parties may do without stopping a ceremony, and aborts, which are claims and not findings. */
import { encodeAbort, signAbort } from "@twinlock/node/ceremony/messages"
import { attemptOfParty, COMMITTEE, party, partyAt, type Tamper } from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import { TOY_ROUNDS } from "@twinlock/node/ceremony/toyEngine.fixture"
import { TASK_PROTOCOL } from "@twinlock/node/ceremony/verdict"
import { plannedRounds } from "@twinlock/node/ceremony/verify/order"
import { createWorld, type World } from "@twinlock/node/ceremony/world.fixture"
import { describe, expect, test } from "vitest"
import { causeOf, expectNothingKept } from "./outcome.ts"
import { flip } from "./tampering.ts"

function never(): never {
  throw new Error("no such party")
}

describe("what a dishonest party cannot stop", () => {
  test.each<readonly [string, (payload: Uint8Array) => readonly Uint8Array[]]>([
    ["is dropped", () => []],
    ["is corrupted", (payload) => [flip(payload, -20)]],
    ["names another key's list", (payload) => [flip(payload, 80)]],
    ["comes twice", (payload) => [payload, payload]],
  ])("a task to the executors that %s: the others are enough", async (_, change) => {
    const tamper: Tamper = (from, _to, protocol, payload) =>
      from === partyAt(2).address && protocol === TASK_PROTOCOL.id ? change(payload) : [payload]
    const ends = await createWorld({ tamper }).run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
  })

  test.each(["message", "echo", "chunk"] as const)("a %s that comes twice", async (kind) => {
    const tamper: Tamper = (from, _to, protocol, payload) =>
      from === partyAt(3).address && protocol === CEREMONY_PROTOCOLS[kind].id ? [payload, payload] : [payload]
    const ends = await createWorld({ tamper }).run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
  })

  test("the last echo, withheld: all have signed, so whoever holds everything may activate, and all keep the key", async () => {
    const last = plannedRounds(COMMITTEE, TOY_ROUNDS).length - 1
    const tamper: Tamper = (from, _to, protocol, payload) =>
      from === partyAt(4).address && protocol === CEREMONY_PROTOCOLS.echo.id && payload[38] === last
        ? []
        : [payload]
    const world = createWorld({ tamper })
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
    expect(world.chain.record.status).toBe("active")
  })
})

describe("an abort", () => {
  /** Party 2's last word about party 1, whatever happened. */
  async function accusation(): Promise<Uint8Array> {
    const attempt = attemptOfParty(2)
    const claim = { round: 1, code: "CEREMONY_NO_MESSAGE", culprits: [party(1)], suspects: [], evidence: [] }
    return encodeAbort(attempt, await signAbort(attempt, claim, partyAt(2).sign))
  }
  const sendToAll = async (world: World, payload: Uint8Array): Promise<void> => {
    const network = world.networks.get(partyAt(2).address) ?? never()
    await Promise.allSettled(
      [1, 3, 4].map((seat) => network.send(partyAt(seat).address, CEREMONY_PROTOCOLS.abort.id, payload)),
    )
  }
  const stuck: Tamper = (from, _to, protocol, payload) =>
    from === partyAt(4).address && protocol === CEREMONY_PROTOCOLS.message.id && payload[38] === 2
      ? []
      : [payload]

  test.each<readonly [string, (word: Uint8Array) => Uint8Array, string]>([
    ["that accuses an honest party is a claim, not a finding", (word) => word, "CEREMONY_PEER_ABORTED"],
    ["that is corrupted names its sender", (word) => flip(word, -3), "CEREMONY_BAD_SIGNATURE"],
    ["that does not decode names its sender", (word) => word.slice(0, -1), "CEREMONY_GARBLED"],
  ])("%s", async (_, change, code) => {
    const world = createWorld({ tamper: stuck })
    const runners = await Promise.all([1, 2, 3, 4].map((seat) => world.start(seat)))
    await world.until(() => world.progress.includes("seed-commit"))
    await sendToAll(world, change(await accusation()))
    await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
    const ends = await Promise.all(runners.map((runner) => runner.ended))
    await expectNothingKept(world)
    for (const cause of [causeOf(ends[0]), causeOf(ends[2])]) {
      expect(cause?.culprits).not.toContain(1)
      expect(cause?.culprits).not.toContain(3)
    }
    expect(ends.map((end) => causeOf(end)?.code)).toContain(code)
  })

  test("of an attempt that is over does nothing to the next one", async () => {
    const links = { stuck: true }
    const world = createWorld({ tamper: (...sent) => (links.stuck ? stuck(...sent) : [sent[3]]) })
    const word = await accusation()
    await world.run()
    links.stuck = false
    world.propose([4, 3, 2, 1].map(partyAt))
    const ended = world.run()
    await sendToAll(world, word)
    expect((await ended).map(({ status }) => status)).toEqual([1, 2, 3, 4].map(() => "finished"))
  })
})
