import { describe, expect, test } from "vitest"
import { patienceOf } from "./heldUp.ts"
import { attemptOfParty, party } from "./party.fixture.ts"
import type { CeremonyEffect, CeremonyEvent, CeremonyState, Running } from "./state.ts"
import {
  abortOf,
  echoOf,
  everyone,
  messageOf,
  nothingSealed,
  running,
  SPECS,
  spec,
} from "./transition.fixture.ts"
import { startAttempt, transition } from "./transition.ts"

const patience: CeremonyEvent = { kind: "timeout", round: 0, stage: "patience" }

/** Party 3 or another one misses somebody. */
const missed = (round: number, culprits: readonly number[], by = 3, code = "CEREMONY_NO_MESSAGE") =>
  ({
    kind: "abort",
    abort: {
      round,
      party: party(by),
      code,
      culprits: culprits.map(party),
      suspects: [],
      evidence: [],
      signature: new Uint8Array(65),
    },
  }) as const

type Step = { readonly state: CeremonyState; readonly effects: readonly CeremonyEffect[] }

const runAll = (state: CeremonyState, events: readonly CeremonyEvent[]): Step =>
  events.reduce<Step>((now, event) => transition(now.state, event), { state, effects: [] })

/** Party 1 in its first round, in which party 4 comes last: with its message, then with its echo. */
async function scene() {
  const { attempt, state } = running()
  const messages = await Promise.all(everyone.map((index) => messageOf(index, 0, attempt.proposalDigest)))
  const headers = messages.map(({ header }) => header)
  const [own, second, third, last] = messages.map((message) => ({ kind: "message", message }) as const)
  if (!own || !second || !third || !last) throw new Error("four parties")
  const produced = { kind: "produced", round: 0, message: { ...own.message, sealed: nothingSealed } } as const
  const echo = async (index: number) => ({ kind: "echo", echo: await echoOf(index, 0, headers) }) as const
  return {
    state,
    collecting: [produced, second, third] as readonly CeremonyEvent[],
    last,
    ownEcho: { kind: "echo-signed", echo: await echoOf(1, 0, headers) } as CeremonyEvent,
    echoes: [await echo(2), await echo(3)] as readonly CeremonyEvent[],
    lastEcho: await echo(4),
    consumed: { kind: "consumed", round: 0 } as CeremonyEvent,
  }
}

const heldUpIn = ({ state }: Step) => (state.status === "running" ? state.heldUp : undefined)

describe("patience", () => {
  const at = (round: number): Running => {
    const specs = [
      { ...spec("long"), timeoutMs: 900 },
      { ...spec("short"), timeoutMs: 100 },
    ]
    const { state } = startAttempt(attemptOfParty(1), specs)
    if (state.status !== "running") throw new Error("a new attempt runs")
    return { ...state, round }
  }

  test("is half a round's time; of echoes no more than half of the next round's", () => {
    expect([patienceOf(at(0), "collecting"), patienceOf(at(0), "echoing")]).toEqual([450, 50])
    expect([patienceOf(at(1), "collecting"), patienceOf(at(1), "echoing")]).toEqual([50, 50])
  })

  test("and what is left when it ends are the whole time of a stage", async () => {
    const { state, effects } = startAttempt(attemptOfParty(1), SPECS)
    const timers = [...effects, ...transition(state, patience).effects].filter(
      (effect) => effect.kind === "set-timer",
    )
    expect(timers.map(({ stage, milliseconds }) => [stage, milliseconds])).toEqual([
      ["patience", 5],
      ["collecting", 5],
    ])
  })

  test("that ends when nothing is waited for any more changes nothing", async () => {
    const { state, collecting, last } = await scene()
    const signing = runAll(state, [...collecting, last]).state
    expect(transition(signing, patience)).toEqual({ state: signing, effects: [] })
  })
})

describe("who comes last", () => {
  test("has held this party up where patience had ended, by message or by echo", async () => {
    const { state, collecting, last, ownEcho, echoes, lastEcho } = await scene()
    expect(heldUpIn(runAll(state, [...collecting, patience, last]))).toEqual({
      ...{ round: 0, code: "CEREMONY_NO_MESSAGE", party: 4 },
    })
    expect(heldUpIn(runAll(state, [...collecting, last, ownEcho, ...echoes, patience, lastEcho]))).toEqual({
      ...{ round: 0, code: "CEREMONY_NO_ECHO", party: 4 },
    })
  })

  test("has not, where patience ended in an earlier stage or not at all", async () => {
    const { state, collecting, last, ownEcho, echoes, lastEcho } = await scene()
    expect(heldUpIn(runAll(state, [...collecting, last, ownEcho, ...echoes, lastEcho]))).toBeNull()
    const early = runAll(state, [...collecting, patience, last, ownEcho, ...echoes, lastEcho])
    expect(heldUpIn(early)).toMatchObject({ code: "CEREMONY_NO_MESSAGE" })
  })
})

describe("a party that was held up and is missed", () => {
  const word = { round: 0, code: "CEREMONY_NO_ECHO", culprits: [4], suspects: [], evidence: [] }
  const excuseTo = (to: number) => ({ kind: "send-excuse", to, word })
  /** Party 1 makes its message of the third round's predecessor, held up in the round before. */
  async function producing() {
    const { state, collecting, last, ownEcho, echoes, lastEcho, consumed } = await scene()
    const waited = [...collecting, last, ownEcho, ...echoes, patience, lastEcho]
    return { consuming: runAll(state, waited).state, next: runAll(state, [...waited, consumed]).state }
  }

  test("tells each who misses it, then ends with the first one's abort, and names nobody", async () => {
    // The second round has one speaker; as a party that makes its message, this one is in the same place.
    const { next } = await producing()
    const first = transition({ ...next, stage: "producing" } as Running, missed(1, [1]))
    expect(first.effects[0]).toEqual(excuseTo(3))
    expect(first.state).toMatchObject({ status: "running", stage: "leaving" })
    const second = transition(first.state, missed(1, [1], 2))
    expect(second.effects).toEqual([excuseTo(2)])
    const end = transition(second.state, { kind: "timeout", round: 1, stage: "leaving" })
    expect(abortOf(end.state)).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: 3, culprits: [] })
    expect(end.effects.map(({ kind }) => kind)).toEqual(["clear-timer", "send-abort", "end"])
  })

  test("does so after the check that it is in the middle of", async () => {
    const { consuming } = await producing()
    const heard = transition(consuming, missed(1, [1]))
    expect(heard.effects).toEqual([excuseTo(3)])
    expect(heard.state).toMatchObject({ stage: "consuming" })
    expect(transition(heard.state, { kind: "consumed", round: 0 }).state).toMatchObject({ stage: "leaving" })
  })

  test("ends at once where it is not the one that is missed, or was held up too long ago", async () => {
    const { next } = await producing()
    for (const event of [missed(1, [2]), missed(2, [1]), missed(1, [1], 3, "CEREMONY_STOPPED")]) {
      const { state, effects } = transition({ ...next, stage: "producing" } as Running, event)
      expect(abortOf(state)).toMatchObject({ code: "CEREMONY_PEER_ABORTED" })
      expect(effects.map(({ kind }) => kind)).not.toContain("send-excuse")
    }
  })
})
