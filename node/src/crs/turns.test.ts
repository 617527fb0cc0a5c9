import { describe, expect, test } from "vitest"
import type { Act, Certificate } from "./certificate.ts"
import { partyOfTurn, type Updates, updatesDigest } from "./crsCommittee.ts"
import { party, TIMES, toyCheck, toyCommittee, toySign, toyUpdates } from "./toyCrs.fixture.ts"
import { nextTurns, startTurns } from "./turns.ts"
import type { TurnsEffect, TurnsEvent, TurnsMessage, TurnsStep } from "./turnsState.ts"

const COMMITTEE = toyCommittee(4, 1)
const { ceremony } = COMMITTEE

const made = toyUpdates(COMMITTEE)
const next = (updates: Updates, turn: number, variant = "own"): Updates => [
  ...updates,
  made.make(updates, turn, variant, true),
]
const FIRST = next([], 0)
const SECOND = next(FIRST, 1)
/** Turn 1 passed over. */
const OTHER = next(FIRST, 2)
const THIRD = next(SECOND, 2)

const signed = (act: Act, turn: number, updates: Updates, index: number) =>
  toySign({ act, turn, digest: updatesDigest(ceremony, updates) }, party(index))
const certificate = (
  act: Act,
  turn: number,
  updates: Updates,
  by: readonly number[] = [2, 3, 4],
): Certificate => ({
  ...{ turn, updates },
  signatures: new Map(by.map((index) => [party(index), signed(act, turn, updates, index).signature])),
})
const certified = (turn: number, updates: Updates, by?: readonly number[]): TurnsEvent =>
  heard({ kind: "certificate", certificate: certificate("acknowledge", turn, updates, by) })
const concluded = (turn: number, updates: Updates, by?: readonly number[]): TurnsEvent =>
  heard({ kind: "conclusion", conclusion: certificate("conclude", turn, updates, by) })
const statement = (act: Act, turn: number, updates: Updates, index: number): TurnsEvent =>
  heard({ kind: "statement", statement: signed(act, turn, updates, index) })
const proposed = (turn: number, updates: Updates, parent: Certificate | null, by?: number): TurnsEvent => {
  const { signature } = signed("propose", turn, updates, by ?? partyOfTurn(turn, 4))
  return heard({ kind: "proposal", proposal: { turn, updates, parent }, signature })
}
const heard = (message: TurnsMessage): TurnsEvent => ({ kind: "message", message })
const timeout = (turn: number, timer: "gather" | "turn" = "turn"): TurnsEvent => ({
  ...{ kind: "timeout", timer, turn },
})
const checked = (turn: number, updates: Updates, refusal: string | null = null): TurnsEvent => ({
  ...{ kind: "checked", turn, digest: updatesDigest(ceremony, updates), refusal },
})
/** That a party acknowledges certificates of turn `turn`, which stand on `updates`. */
const base = (turn: number, updates: Updates): Certificate => certificate("acknowledge", turn, updates)

/** Party `self` after these events; the effects are those of the last one. */
function after(self: number, ...events: readonly TurnsEvent[]): TurnsStep {
  const rules = { committee: COMMITTEE, self: party(self), times: TIMES, check: toyCheck }
  return events.reduce((step, event) => nextTurns(step.state, event), startTurns(rules))
}
const kinds = ({ effects }: TurnsStep): readonly string[] =>
  effects.map((effect) => (effect.kind === "state" ? effect.statement.act : effect.kind))
const find = <K extends TurnsEffect["kind"]>({ effects }: TurnsStep, kind: K) =>
  effects.find((effect): effect is Extract<TurnsEffect, { kind: K }> => effect.kind === kind)

describe("a party in a turn of another", () => {
  test("checks the proposal, then acknowledges it", () => {
    const looked = after(3, proposed(0, FIRST, null))
    expect(find(looked, "check")).toMatchObject({ turn: 0, updates: FIRST, sources: [1] })
    expect(kinds(nextTurns(looked.state, checked(0, FIRST)))).toEqual(["acknowledge"])
  })

  test("acknowledges one of two, and has the proof against their party", () => {
    const two = [proposed(0, FIRST, null), proposed(0, next([], 0, "other"), null)]
    const { state } = after(3, ...two, checked(0, FIRST))
    expect(state.acknowledged).toBe(updatesDigest(ceremony, FIRST))
    expect(kinds(nextTurns(state, checked(0, next([], 0, "other"))))).toEqual([])
    expect(state.faults.get(party(1))).toMatchObject({ kind: "contradiction", first: { act: "propose" } })
  })

  test("acknowledges nothing that does not hold, and has the proof against its party", () => {
    const step = after(3, proposed(0, FIRST, null), checked(0, FIRST, "CRS_POWERS"))
    expect(kinds(step)).toEqual([])
    expect(step.state.faults.get(party(1))).toMatchObject({ kind: "refused-update", refusal: "CRS_POWERS" })
  })

  test("blames nobody for what was not proposed to it", () => {
    const step = after(3, proposed(0, FIRST, null), checked(0, next([], 0, "other"), "CRS_POWERS"))
    expect(step.state.faults.size).toBe(0)
  })

  test("leaves a turn by its own time only", () => {
    expect(after(4, certified(0, FIRST), timeout(0)).state.turn).toBe(1)
    expect(after(4, certified(0, FIRST), timeout(1)).state.turn).toBe(2)
  })

  test("acknowledges nothing after the turn", () => {
    expect(kinds(after(4, proposed(0, FIRST, null), timeout(0), checked(0, FIRST)))).toEqual([])
  })

  test("looks at nothing that stands on less than it knew when the turn began", () => {
    expect(kinds(after(4, certified(1, SECOND), proposed(2, OTHER, base(0, FIRST))))).toEqual([])
    expect(kinds(after(4, certified(1, SECOND), proposed(2, THIRD, base(1, SECOND))))).toEqual(["check"])
  })

  test("looks at what stands on that, though more has come out since", () => {
    const late = [certified(0, FIRST), timeout(1), certified(1, SECOND)]
    expect(kinds(after(4, ...late, proposed(2, OTHER, base(0, FIRST))))).toEqual(["check"])
  })

  test("keeps proposals of later turns, but not of any", () => {
    const early = after(4, proposed(1, SECOND, base(0, FIRST)))
    expect(early.state.turn).toBe(1)
    expect(kinds(early)).toEqual(["send", "set-timer", "check"])
    const far = next(FIRST, 3)
    expect(after(2, proposed(3, far, base(0, FIRST))).state.proposals.has(3)).toBe(true)
    expect(after(2, proposed(5, FIRST, base(0, FIRST))).state.proposals.has(5)).toBe(false)
  })

  test.each<readonly [string, TurnsEvent]>([
    ["of another party", proposed(0, FIRST, null, 2)],
    ["on nothing that is certified", proposed(1, SECOND, null)],
    ["on something else than it says", proposed(1, next(next([], 0, "x"), 1), base(0, FIRST))],
    ["on what too few acknowledged", proposed(1, SECOND, certificate("acknowledge", 0, FIRST, [2, 3]))],
    ["on what was concluded, not acknowledged", proposed(1, SECOND, certificate("conclude", 0, FIRST))],
    ["on its own turn", proposed(1, SECOND, base(1, SECOND))],
    ["on a later turn", proposed(4, SECOND, base(6, SECOND))],
    ["without an update", proposed(1, FIRST, base(0, FIRST))],
    ["with an update of another turn", proposed(2, next(FIRST, 1), base(0, FIRST))],
    ["with updates out of order", proposed(1, [...SECOND].reverse(), base(0, FIRST))],
    ["of a closing turn with something new", proposed(4, next(FIRST, 3), base(0, FIRST))],
    ["of a closing turn with less", proposed(4, [], base(0, FIRST))],
  ])("ignores a proposal %s", (_, event) => {
    expect(after(3, event).state.proposals.size).toBe(0)
  })
})

describe("a party in its own turn", () => {
  test("makes its update at once on what the turn before certified", () => {
    expect(find(after(1), "make")).toMatchObject({ turn: 0, updates: [] })
    expect(find(after(2, certified(0, FIRST)), "make")).toMatchObject({ updates: FIRST, sources: [2, 3, 4] })
  })

  test("waits otherwise until it knows what any of the others knew", () => {
    const waiting = after(3, certified(0, FIRST), timeout(1))
    expect(find(waiting, "make")).toBeUndefined()
    const timers = waiting.effects.filter(({ kind }) => kind === "set-timer")
    expect(timers).toMatchObject([{ timer: "turn" }, { timer: "gather", milliseconds: 20 }])
    const gathered = nextTurns(waiting.state, timeout(2, "gather"))
    expect(find(gathered, "make")).toMatchObject({ turn: 2, updates: FIRST })
    expect(find(nextTurns(waiting.state, certified(1, SECOND)), "make")).toMatchObject({ updates: SECOND })
  })

  test("proposes what it made on what it made it on", () => {
    const [, second] = SECOND
    if (second === undefined) throw new Error("no update")
    const { message, link } = second
    const step = after(2, certified(0, FIRST), { kind: "made", message, link })
    expect(find(step, "propose")).toMatchObject({
      proposal: { turn: 1, updates: SECOND, parent: { turn: 0 } },
    })
    expect(kinds(after(2, certified(0, FIRST), timeout(1), { kind: "made", message, link }))).toEqual([])
  })
})

describe("certificates", () => {
  test("are made of enough acknowledgements, whatever comes first", () => {
    const acknowledged = [2, 3, 4].map((index) => statement("acknowledge", 0, FIRST, index))
    for (const events of [
      [proposed(0, FIRST, null), ...acknowledged],
      [...acknowledged, proposed(0, FIRST, null)],
    ]) {
      const step = after(4, ...events)
      expect(step.state).toMatchObject({ turn: 1, floor: 0, highest: { turn: 0, updates: FIRST } })
      expect(kinds(step).slice(0, 2)).toEqual(["send", "set-timer"])
    }
    expect(after(4, proposed(0, FIRST, null), ...acknowledged.slice(1)).state.turn).toBe(0)
  })

  test("count each party once", () => {
    const same = [2, 2, 2, 3].map((index) => statement("acknowledge", 0, FIRST, index))
    expect(after(4, proposed(0, FIRST, null), ...same).state.turn).toBe(0)
  })

  test("count what is signed, for this list only", () => {
    const { digest } = signed("acknowledge", 0, FIRST, 2)
    const forged = [2, 3, 4].map((index): TurnsEvent => {
      const { signature } = signed("acknowledge", 0, FIRST, 1)
      const unsigned = { act: "acknowledge", turn: 0, digest, party: party(index), signature } as const
      return heard({ kind: "statement", statement: unsigned })
    })
    expect(after(4, proposed(0, FIRST, null), ...forged).state.turn).toBe(0)
    const others = [2, 3].map((index) => statement("acknowledge", 0, FIRST, index))
    const another = statement("acknowledge", 0, next([], 0, "other"), 4)
    expect(after(4, proposed(0, FIRST, null), another, ...others).state.turn).toBe(0)
  })

  test("are handed on once, and begin the next turn", () => {
    const step = after(4, certified(1, SECOND))
    expect(step.state.turn).toBe(2)
    expect(kinds(step)).toEqual(["send", "set-timer"])
    expect(kinds(nextTurns(step.state, certified(1, SECOND)))).toEqual([])
    expect(kinds(nextTurns(step.state, certified(0, FIRST)))).toEqual([])
  })

  test.each<readonly [string, TurnsEvent]>([
    ["too few signatures", certified(0, FIRST, [2, 3])],
    [
      "signatures of conclusions",
      heard({ kind: "certificate", certificate: certificate("conclude", 0, FIRST) }),
    ],
    [
      "signatures of another turn",
      heard({ kind: "certificate", certificate: { ...base(0, FIRST), turn: 4 } }),
    ],
    [
      "another list",
      heard({ kind: "certificate", certificate: { ...base(0, FIRST), updates: next([], 0, "x") } }),
    ],
    ["updates of a later turn", certified(1, THIRD)],
  ])("with %s are ignored", (_, event) => {
    expect(after(4, event)).toMatchObject({ state: { turn: 0, highest: null }, effects: [] })
  })

  test("show who acknowledged two lists", () => {
    const other = next([], 0, "other")
    const { state } = after(4, statement("acknowledge", 0, other, 2), certified(0, FIRST))
    expect([...state.faults]).toMatchObject([[2, { kind: "contradiction", first: { act: "acknowledge" } }]])
  })
})

describe("closing turns", () => {
  const toClosing = [certified(1, SECOND), timeout(2), timeout(3)]
  const opened = [...toClosing, proposed(4, SECOND, base(1, SECOND))]
  const acknowledged = [...opened, checked(4, SECOND)]

  test("grow longer each time around", () => {
    const lengths = Array.from({ length: 13 }, (_, turn) => turn).map((turn) => {
      const step = turn === 0 ? after(2) : after(2, ...Array.from({ length: turn }, (_, at) => timeout(at)))
      return (find(step, "set-timer")?.milliseconds ?? 0) / TIMES.turnMs
    })
    expect(lengths).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3])
  })

  test("propose what is certified as it is", () => {
    const leader = after(1, ...toClosing, timeout(4, "gather"))
    expect(find(leader, "propose")).toMatchObject({
      proposal: { turn: 4, updates: SECOND, parent: { turn: 1 } },
    })
  })

  test("audit all updates before they are acknowledged, once", () => {
    expect(find(after(3, ...opened), "check")).toMatchObject({
      turn: 4,
      updates: SECOND,
      sources: [1, 2, 3, 4],
    })
    expect(kinds(after(3, ...acknowledged))).toEqual(["acknowledge"])
    const again = after(3, ...acknowledged, timeout(4), proposed(5, SECOND, base(1, SECOND)))
    expect(kinds(again)).toEqual(["acknowledge"])
  })

  test("name nobody where the audit refuses", () => {
    const step = after(3, ...opened, checked(4, SECOND, "CRS_PROOF"))
    expect([kinds(step), step.state.faults.size]).toEqual([[], 0])
  })

  test("are concluded by who acknowledged what is certified in the same turn", () => {
    expect(kinds(after(3, ...acknowledged, certified(4, SECOND)))).toEqual(["send", "conclude"])
    expect(kinds(after(3, ...opened, certified(4, SECOND)))).toEqual(["send"])
    const order = after(3, ...opened, certified(4, SECOND), checked(4, SECOND))
    expect(kinds(order)).toEqual(["acknowledge", "conclude"])
    expect(kinds(after(3, ...acknowledged, timeout(4), certified(4, SECOND)))).toEqual(["send"])
  })

  test("lead on who is behind", () => {
    expect(after(3, certified(6, SECOND)).state).toMatchObject({ turn: 6, floor: 6 })
  })

  test("end it by enough conclusions", () => {
    const seen = [...acknowledged, certified(4, SECOND)]
    const few = after(3, ...seen, ...[1, 2].map((index) => statement("conclude", 4, SECOND, index)))
    expect(few.state.status).toBe("running")
    const enough = nextTurns(few.state, statement("conclude", 4, SECOND, 4))
    expect(enough.state).toMatchObject({ status: "finished", conclusion: { turn: 4, updates: SECOND } })
    expect(kinds(enough)).toEqual(["send", "end"])
    expect(nextTurns(enough.state, timeout(4))).toEqual({ state: enough.state, effects: [] })
  })

  test("end it for who learns of them, after an audit", () => {
    const learnt = after(3, concluded(5, SECOND))
    expect(kinds(learnt)).toEqual(["send", "check"])
    expect(learnt.state.status).toBe("concluded")
    expect(nextTurns(learnt.state, checked(5, SECOND)).state.status).toBe("finished")
    const unsound = nextTurns(learnt.state, checked(5, SECOND, "CRS_POWERS"))
    expect(unsound.state).toMatchObject({ status: "failed", code: "CRS_UNSOUND" })
  })

  test("fail where t or fewer contributed", () => {
    const step = after(3, concluded(4, FIRST))
    expect(step.state).toMatchObject({ status: "failed", code: "CRS_TOO_FEW" })
    expect(kinds(step)).toEqual(["send", "end"])
  })

  test.each<readonly [string, TurnsEvent]>([
    ["too few", concluded(4, SECOND, [1, 2])],
    ["acknowledgements", heard({ kind: "conclusion", conclusion: base(4, SECOND) })],
    ["conclusions before the updates are over", concluded(1, SECOND)],
    [
      "conclusions of another turn",
      heard({ kind: "conclusion", conclusion: { ...certificate("conclude", 4, SECOND), turn: 5 } }),
    ],
  ])("are not ended by %s", (_, event) => {
    expect(after(3, event).state.status).toBe("running")
  })
})
