/**
 * A party that holds up another one, so that the others find that one silent: what it owes to all it gives to its victim late or
 * never, and it lies to it about the others. The victim has done nothing wrong, and no honest party may name it, nor it them.
 */
import { attemptFor, CEREMONY_TIMEOUTS } from "@twinlock/node/ceremony/ceremony"
import { encodeAbort, signAbort } from "@twinlock/node/ceremony/messages"
import { COMMITTEE, party, partyAt, type Tamper } from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import type { Cause } from "@twinlock/node/ceremony/state"
import { TOY_ROUNDS } from "@twinlock/node/ceremony/toyEngine.fixture"
import { plannedRounds } from "@twinlock/node/ceremony/verify/order"
import { createWorld, type World } from "@twinlock/node/ceremony/world.fixture"
import { describe, expect, test } from "vitest"
import { runToAbort } from "./outcome.ts"

const ROUNDS = plannedRounds(COMMITTEE, TOY_ROUNDS)
const roundOf = (name: string): number => {
  const round = ROUNDS.findIndex((one) => one.name === name)
  if (round < 0) throw new Error(`no round ${name}`)
  return round
}

const isOf = (protocol: string, kinds: readonly (keyof typeof CEREMONY_PROTOCOLS)[]): boolean =>
  kinds.some((kind) => CEREMONY_PROTOCOLS[kind].id === protocol)

/** What the liar does to one of its messages or echoes: later by so much, or never. */
type Rule = {
  readonly kind: "message" | "echo"
  readonly round: string
  readonly to: readonly number[]
  readonly laterMs: number
}
const NEVER = Number.POSITIVE_INFINITY

/** A last word of the liar to one party, so much after its echo of the round has left. */
type Lie = {
  readonly round: string
  readonly afterMs: number
  readonly to: number
  readonly word: { readonly round: string; readonly code: string; readonly culprits: readonly number[] }
}

type Attack = {
  readonly liar: number
  readonly rules: readonly Rule[]
  readonly lies?: readonly Lie[]
  /** What a party sends of a kind in a round, and its last word there, is so long on its way; what it cancels in that time never comes. */
  readonly slow?: {
    readonly from: number
    readonly kind: Rule["kind"]
    readonly round: string
    readonly ms: number
  }
  /** The liar's own aborts stay with it, unless it is to speak: it does not end for the others. */
  readonly speaks?: boolean
  /** What the own update of the CRS takes a party. */
  readonly workMs?: Readonly<Record<number, number>>
}

function worldOf({ liar, rules, lies = [], slow, speaks = false, workMs = {} }: Attack): {
  readonly world: World
  hits: () => number
} {
  const holder: { world?: World } = {}
  const worldNow = (): World => {
    if (holder.world === undefined) throw new Error("no world yet")
    return holder.world
  }
  const { address, sign } = partyAt(liar)
  const passing = new WeakSet<Uint8Array>()
  const told = new Set<Lie>()
  let hits = 0
  const sendLater = (to: number, protocol: string, payload: Uint8Array, milliseconds: number): void => {
    passing.add(payload)
    const send = () =>
      void worldNow()
        .networks.get(address)
        ?.send(partyAt(to).address, protocol, payload)
        .catch(() => {})
    if (milliseconds < NEVER) worldNow().clock.after(milliseconds, send)
  }
  async function tell(lie: Lie): Promise<void> {
    told.add(lie)
    const attempt = attemptFor(worldNow().chain.record, address)
    const { round, code, culprits } = lie.word
    const word = { round: roundOf(round), code, culprits: culprits.map(party), suspects: [], evidence: [] }
    const bytes = encodeAbort(attempt, await signAbort(attempt, word, sign))
    sendLater(lie.to, CEREMONY_PROTOCOLS.abort.id, bytes, lie.afterMs)
  }
  const tamper: Tamper = async (from, receiver, protocol, payload) => {
    const isSlow = slow !== undefined && from === partyAt(slow.from).address
    if (isSlow && payload[38] === roundOf(slow.round) && isOf(protocol, [slow.kind, "abort"]))
      await new Promise<void>((resolve) => void worldNow().clock.after(slow.ms, resolve))
    if (from !== address || passing.has(payload)) return [payload]
    if (protocol === CEREMONY_PROTOCOLS.abort.id) return speaks ? [payload] : []
    const kind = (["message", "echo"] as const).find((one) => CEREMONY_PROTOCOLS[one].id === protocol)
    const to = COMMITTEE.parties.indexOf(receiver) + 1
    for (const lie of lies)
      if (kind === "echo" && payload[38] === roundOf(lie.round) && !told.has(lie)) await tell(lie)
    const rule = rules.find(
      (one) => one.kind === kind && one.to.includes(to) && payload[38] === roundOf(one.round),
    )
    if (rule === undefined) return [payload]
    hits += 1
    sendLater(to, protocol, payload.slice(), rule.laterMs)
    return []
  }
  const world = createWorld({
    tamper,
    engine: (index, engine) => ({
      ...engine,
      crsUpdate: async (...args) => {
        await new Promise<void>((resolve) => void worldNow().clock.after(workMs[index] ?? 0, resolve))
        return engine.crsUpdate(...args)
      },
    }),
  })
  holder.world = world
  return { world, hits: () => hits }
}

const { roundMs, crsMs } = CEREMONY_TIMEOUTS
const S = 1_000

const ATTACKS: readonly (readonly [string, Attack])[] = [
  [
    "an echo, at the last moment, before the victim's own turn",
    {
      liar: 4,
      rules: [{ kind: "echo", round: "crs-2", to: [3], laterMs: crsMs - S }],
      workMs: { 3: 40 * S },
    },
  ],
  [
    "an echo, never, before a shorter round",
    { liar: 4, rules: [{ kind: "echo", round: "crs-4", to: [3], laterMs: NEVER }] },
  ],
  [
    "half the time by an echo, the other half by a message in which the victim has no turn",
    {
      liar: 4,
      rules: [
        { kind: "echo", round: "crs-3", to: [2], laterMs: 12 * S },
        { kind: "message", round: "crs-4", to: [2], laterMs: NEVER },
      ],
    },
  ],
  [
    "a message that comes to the victim alone, when the others have gone",
    {
      liar: 4,
      rules: [
        { kind: "echo", round: "dkg-commit", to: [3], laterMs: 12 * S },
        { kind: "message", round: "dkg-shares", to: [1, 2], laterMs: NEVER },
        { kind: "message", round: "dkg-shares", to: [3], laterMs: roundMs + 2 * S },
      ],
    },
  ],
  [
    "an echo, and the lie that the victim is missed",
    {
      liar: 4,
      rules: [
        { kind: "echo", round: "dkg-commit", to: [3], laterMs: roundMs / 2 + S },
        { kind: "echo", round: "dkg-shares", to: [3], laterMs: NEVER },
      ],
      lies: [
        {
          round: "dkg-shares",
          afterMs: roundMs - 3 * S,
          to: 3,
          word: { round: "dkg-shares", code: "CEREMONY_NO_MESSAGE", culprits: [3] },
        },
      ],
    },
  ],
  [
    "an echo so late that the victim's message is on its way when the others miss it",
    {
      liar: 4,
      rules: [{ kind: "echo", round: "crs-2", to: [3], laterMs: crsMs - S }],
      slow: { from: 3, kind: "message", round: "crs-3", ms: 3 * S },
    },
  ],
  [
    "a message so late, after a lie, that the victim's echo is on its way when it ends",
    {
      liar: 4,
      rules: [{ kind: "message", round: "dkg-confirm", to: [3], laterMs: roundMs - S }],
      lies: [
        {
          round: "dkg-shares",
          afterMs: S,
          to: 3,
          word: { round: "group-signature", code: "CEREMONY_NO_MESSAGE", culprits: [] },
        },
      ],
      slow: { from: 3, kind: "echo", round: "dkg-confirm", ms: 3 * S },
    },
  ],
  [
    "an echo, and an abort that the victim alone hears just before the others miss it",
    {
      liar: 4,
      rules: [{ kind: "echo", round: "crs-2", to: [3], laterMs: crsMs - S }],
      lies: [
        {
          round: "crs-2",
          afterMs: crsMs - 100,
          to: 3,
          word: { round: "crs-3", code: "CEREMONY_CHECK_FAILED", culprits: [1, 2] },
        },
      ],
      workMs: { 3: 40 * S },
    },
  ],
]

describe("a party that gives to one other party", () => {
  test.each(ATTACKS)("%s: no honest one is named", async (_, attack) => {
    const { world, hits } = worldOf(attack)
    const causes = await runToAbort(world)
    expect(hits()).toBe(attack.rules.flatMap(({ to }) => to).length)
    const honest = causes.filter((_, at) => at + 1 !== attack.liar)
    for (const { culprits, suspects } of honest) {
      expect(culprits.filter((named) => named !== attack.liar)).toEqual([])
      expect(suspects).toEqual([])
    }
  })

  test("an echo late, but so that there is time enough, stops nothing", async () => {
    const rules: readonly Rule[] = [{ kind: "echo", round: "crs-2", to: [3], laterMs: crsMs / 2 }]
    const { world, hits } = worldOf({ liar: 4, rules, workMs: { 3: 40 * S } })
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
    expect(hits()).toBe(1)
  })
})

test("a party that takes in no contributions of one other party: nobody is named", async () => {
  const victim = partyAt(3).address
  const world = createWorld({
    prepare: (index, options) => ({
      ...options,
      receive: (protocol, from, payload) =>
        index === 1 && protocol === "chunk" && from === victim
          ? new Promise<void>(() => {})
          : options.receive(protocol, from, payload),
    }),
  })
  const causes = await runToAbort(world)
  expect(causes.map(({ check }) => check)).toContain("CHUNK_SILENT")
  for (const { culprits, claimed } of causes) expect([culprits, claimed]).toEqual([[], []])
})

describe("who says nothing", () => {
  test("is named: a party that only does not speak, whatever it says of others", async () => {
    const named = (causes: readonly Cause[]) => causes.slice(0, 3).map(({ culprits }) => culprits)
    const silent: Rule = { kind: "message", round: "crs-4", to: [1, 2, 3], laterMs: NEVER }
    for (const speaks of [false, true]) {
      const { world } = worldOf({ liar: 4, rules: [silent], speaks })
      expect(named(await runToAbort(world))).toEqual([[4], [4], [4]])
    }
  })
})
