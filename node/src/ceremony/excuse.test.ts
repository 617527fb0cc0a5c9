import { describe, expect, test } from "vitest"
import { excuses } from "./excuse.ts"
import { party } from "./party.fixture.ts"
import type { CeremonyEffect, CeremonyEvent, CeremonyState } from "./state.ts"
import { abortOf, echoOf, everyone, messageOf, nothingSealed, running } from "./transition.fixture.ts"
import { transition } from "./transition.ts"

const abortBy = (by: number, round: number, code: string, culprits: readonly number[] = []) => ({
  ...{ round, party: party(by), code, culprits: culprits.map(party) },
  ...{ suspects: [], evidence: [], signature: new Uint8Array(65) },
})
const heard = (...args: Parameters<typeof abortBy>) =>
  ({ kind: "abort", abort: abortBy(...args) }) as const satisfies CeremonyEvent

type Step = { readonly state: CeremonyState; readonly effects: readonly CeremonyEffect[] }
const runAll = (events: readonly CeremonyEvent[]): Step =>
  events.reduce<Step>((now, event) => transition(now.state, event), { state: running().state, effects: [] })

/** The first round of party 1, in which party 4 comes last, up to each of its stages. */
async function stages() {
  const { attempt } = running()
  const messages = await Promise.all(everyone.map((index) => messageOf(index, 0, attempt.proposalDigest)))
  const headers = messages.map(({ header }) => header)
  const [own, second, third, last] = messages.map((message) => ({ kind: "message", message }) as const)
  if (!own || !second || !third || !last) throw new Error("four parties")
  const echo = async (index: number) => ({ kind: "echo", echo: await echoOf(index, 0, headers) }) as const
  const produced = { kind: "produced", round: 0, message: { ...own.message, sealed: nothingSealed } } as const
  const collecting: CeremonyEvent[] = [produced, second, third]
  const signing: CeremonyEvent[] = [...collecting, last]
  const ownEcho = { kind: "echo-signed", echo: await echoOf(1, 0, headers) } as const
  const echoing: CeremonyEvent[] = [...signing, ownEcho, await echo(2), await echo(3)]
  const lastEcho = await echo(4)
  const consuming: CeremonyEvent[] = [...echoing, lastEcho]
  return {
    producing: [] as CeremonyEvent[],
    collecting,
    signing,
    echoing,
    consuming,
    last,
    ownEcho,
    lastEcho,
  }
}
const timeout = (stage: "collecting" | "echoing" | "stalled") =>
  ({ kind: "timeout", round: 0, stage }) as const

test.each([
  ["CEREMONY_PEER_ABORTED", [true, false, false], [true, false, false]],
  ["CEREMONY_UNSPOKEN", [true, true, false], [true, true, false]],
  ["CEREMONY_UNECHOED", [true, false, false], [true, true, false]],
  ["CEREMONY_NO_MESSAGE", [true, false, false], [true, true, false]],
  ["CEREMONY_NO_ECHO", [true, false, false], [true, false, false]],
  ["CEREMONY_CHECK_FAILED", [true, true, true], [true, true, true]],
])(
  "%s of the round before, of this one, of the next excuses a message, an echo that is missing",
  (code, message, echo) => {
    const of = (missing: "CEREMONY_NO_MESSAGE" | "CEREMONY_NO_ECHO") =>
      [4, 5, 6].map((round) => excuses(abortBy(2, round, code), 5, { code: missing }))
    expect([of("CEREMONY_NO_MESSAGE"), of("CEREMONY_NO_ECHO")]).toEqual([message, echo])
  },
)

describe("a party that is missed", () => {
  const excuse = (to: number, code: string, round: number, culprits: readonly number[]) => [
    { kind: "send-excuse", to, word: { round, code, culprits, suspects: [], evidence: [] } },
  ]

  test.each([
    ["collecting", 0, "CEREMONY_NO_ECHO", "CEREMONY_NO_MESSAGE", 0, [4]],
    ["signing", 0, "CEREMONY_NO_ECHO", "CEREMONY_UNECHOED", 0, []],
    ["echoing", 1, "CEREMONY_NO_MESSAGE", "CEREMONY_NO_ECHO", 0, [4]],
    ["echoing", 1, "CEREMONY_NO_ECHO", "CEREMONY_NO_ECHO", 0, [4]],
    ["consuming", 1, "CEREMONY_NO_MESSAGE", "CEREMONY_UNSPOKEN", 1, []],
  ] as const)("while %s says why, and goes on", async (stage, missedIn, missing, code, round, culprits) => {
    const events = (await stages())[stage]
    const first = transition(runAll(events).state, heard(3, missedIn, missing, [1]))
    expect(first.effects).toEqual(excuse(3, code, round, culprits))
    expect(first.state).toMatchObject({ status: "running" })
    expect(transition(first.state, heard(3, missedIn, missing, [1])).effects).toEqual([])
    const other = transition(first.state, heard(2, missedIn, missing, [1]))
    expect(other.effects).toEqual(excuse(2, code, round, culprits))
  })

  test.each([
    ["collecting", 0, "CEREMONY_NO_MESSAGE", [1]],
    ["collecting", 1, "CEREMONY_NO_MESSAGE", [1]],
    ["collecting", 0, "CEREMONY_NO_ECHO", [2]],
    ["echoing", 0, "CEREMONY_NO_ECHO", [1]],
    ["echoing", 1, "CEREMONY_NO_MESSAGE", [2, 4]],
    ["echoing", 2, "CEREMONY_NO_MESSAGE", [1]],
    ["consuming", 0, "CEREMONY_NO_ECHO", [1]],
    ["consuming", 1, "CEREMONY_CHECK_FAILED", [1]],
  ] as const)(
    "while %s has nothing to say to what it has sent, or is not of it",
    async (stage, round, code, culprits) => {
      const { effects } = transition(runAll((await stages())[stage]).state, heard(3, round, code, culprits))
      expect(effects.map(({ kind }) => kind)).not.toContain("send-excuse")
    },
  )
})

describe("who follows an abort says what of its own has not left", () => {
  test.each([
    ["producing", "CEREMONY_UNSPOKEN"],
    ["collecting", "CEREMONY_UNECHOED"],
    ["signing", "CEREMONY_UNECHOED"],
    ["echoing", "CEREMONY_PEER_ABORTED"],
  ] as const)("while %s: %s", async (stage, code) => {
    const { state, effects } = transition(
      runAll((await stages())[stage]).state,
      heard(3, 0, "CEREMONY_STOPPED"),
    )
    expect(abortOf(state)).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: 3 })
    expect(effects).toContainEqual({
      kind: "send-abort",
      word: { round: 0, code, culprits: [], suspects: [], evidence: [] },
    })
  })
})

describe("a party whose time is up", () => {
  test("names nobody who has told its reason before", async () => {
    const { collecting, last, ownEcho } = await stages()
    // Parties 2 and 3 missed party 4 and went; then it speaks to this one alone.
    const gone = [heard(2, 0, "CEREMONY_NO_MESSAGE", [4]), heard(3, 0, "CEREMONY_NO_MESSAGE", [4])]
    const some = runAll([...collecting, ...gone, last, ownEcho, timeout("echoing"), timeout("stalled")])
    expect(abortOf(some.state)).toMatchObject({ code: "CEREMONY_NO_ECHO", culprits: [4] })
    const { lastEcho } = await stages()
    const none = runAll([...collecting, ...gone, last, ownEcho, lastEcho, timeout("echoing")])
    expect(abortOf(none.state)).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: 2, culprits: [] })
  })

  test("hears the first word of each, whatever comes later", async () => {
    const { collecting, last, ownEcho, lastEcho } = await stages()
    const words = [2, 3].flatMap((by) => [
      heard(by, 0, "CEREMONY_NO_MESSAGE", [4]),
      heard(by, 1, "CEREMONY_NO_ECHO", [4]),
    ])
    const { state } = runAll([...collecting, ...words, last, ownEcho, lastEcho, timeout("echoing")])
    expect(abortOf(state)).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: 2 })
  })

  test("names nobody whose message comes while it listens", async () => {
    const { collecting, last } = await stages()
    const { state } = runAll([...collecting, timeout("collecting"), last, timeout("stalled")])
    expect(abortOf(state)).toMatchObject({ code: "CEREMONY_NO_MESSAGE", culprits: [] })
  })
})
