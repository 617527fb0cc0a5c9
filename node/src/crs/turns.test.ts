import { tagHash } from "@twinlock/sdk/protocol/codec"
import { agreement, partyIndexes } from "@twinlock/sdk/protocol/committee"
import { type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES } from "../../../test/support/committeeSizes.ts"
import { nextTurn, type Outcome, startTurns, type TurnsEvent, type TurnsState } from "./turns.ts"

const SKIPPED: Outcome = { kind: "skipped" }
const accepted = (digest: Digest): Outcome => ({ kind: "accepted", digest })
const party = (index: number): PartyIndex => parsePartyIndex(index, 15)

/** What party `from` does to `to` in a turn; null is silence. */
type Behaviour = {
  readonly update: (turn: number, to: PartyIndex) => "good" | "other" | "bad" | null
  readonly vote: (turn: number, to: PartyIndex, honest: Outcome) => Outcome | null
}
const HONEST: Behaviour = { update: () => "good", vote: (_, __, outcome) => outcome }
const SILENT: Behaviour = { update: () => null, vote: () => null }

type Run = { readonly states: ReadonlyMap<PartyIndex, TurnsState>; readonly adopted: readonly string[] }

/**
 * All parties over a network that delivers everything before anybody's time is up.
 * @param order in which what is under way arrives
 */
function run(
  committee: { readonly n: number; readonly t: number },
  faulty: ReadonlyMap<number, Behaviour>,
  order: (pending: number) => number = () => 0,
): Run {
  const parties = partyIndexes(committee)
  const behaviour = (index: PartyIndex): Behaviour => faulty.get(index) ?? HONEST
  const states = new Map<PartyIndex, TurnsState>()
  const adopted: string[] = []
  const pending: (readonly [PartyIndex, TurnsEvent])[] = []
  const timers = new Map<PartyIndex, number>()

  const take = (self: PartyIndex, step: ReturnType<typeof nextTurn>): void => {
    states.set(self, step.state)
    for (const effect of step.effects)
      switch (effect.kind) {
        case "update":
          for (const to of parties) {
            const sent = behaviour(self).update(effect.turn, to)
            if (sent === null) continue
            const { turn } = effect
            const digest = tagHash(`${turn}/${self}/${sent}`)
            pending.push([
              to,
              sent === "bad" ? { kind: "refused", turn } : { kind: "verified", turn, digest },
            ])
          }
          break
        case "send-vote":
          for (const to of parties) {
            if (to === self) continue
            const outcome = behaviour(self).vote(effect.turn, to, effect.outcome)
            if (outcome === null) continue
            pending.push([to, { kind: "vote", turn: effect.turn, party: self, outcome }])
          }
          break
        case "set-timer":
          timers.set(self, effect.turn)
          break
        case "adopt":
          if (!faulty.has(self)) adopted.push(`${effect.round} ${effect.contribution.digest}`)
          break
        case "end":
          timers.delete(self)
          break
      }
  }

  for (const self of parties) take(self, startTurns(committee, self, parties))
  const deliver = (self: PartyIndex, event: TurnsEvent): void => {
    const state = states.get(self)
    if (state !== undefined) take(self, nextTurn(state, event))
  }
  while (timers.size > 0) {
    for (let left = pending.length; left > 0; left = pending.length) {
      const [next] = pending.splice(order(left), 1)
      if (next !== undefined) deliver(...next)
    }
    for (const [self, turn] of [...timers]) {
      timers.delete(self)
      deliver(self, { kind: "timeout", turn })
    }
  }
  return { states, adopted }
}

const honestStates = ({ states }: Run, faulty: ReadonlyMap<number, Behaviour>): readonly TurnsState[] =>
  [...states].filter(([index]) => !faulty.has(index)).map(([, state]) => state)

const COMMITTEE = { n: 4, t: 1 }

describe("a CRS on its own", () => {
  test("is made by all parties, in their order", () => {
    const { states } = run(COMMITTEE, new Map())
    for (const state of states.values()) {
      expect(state.status).toBe("finished")
      expect(state.contributions).toEqual(
        [1, 2, 3, 4].map((index) => ({ party: index, digest: tagHash(`${index - 1}/${index}/good`) })),
      )
      expect(state.skipped).toEqual([])
    }
  })

  test.each<readonly [string, Partial<Behaviour>]>([
    ["is silent", SILENT],
    ["sends no update", { update: () => null }],
    ["sends what is refused", { update: () => "bad" }],
    ["sends what is refused and votes for it", { update: () => "bad", vote: () => accepted(tagHash("x")) }],
  ])("goes on without a party that %s", (_, lie) => {
    const faulty = new Map([[2, { ...HONEST, ...lie }]])
    for (const state of honestStates(run(COMMITTEE, faulty), faulty)) {
      expect(state).toMatchObject({ status: "finished", skipped: [2] })
      expect(state.contributions.map((contribution) => contribution.party)).toEqual([1, 3, 4])
    }
  })

  test("counts rounds by accepted updates, not by turns", () => {
    const faulty = new Map([[1, SILENT]])
    const { adopted } = run(COMMITTEE, faulty)
    expect([...new Set(adopted)]).toEqual(
      [2, 3, 4].map((index, at) => `${at + 1} ${tagHash(`${index - 1}/${index}/good`)}`),
    )
  })

  test("is not made where t parties or fewer contribute", () => {
    const faulty = new Map([2, 3, 4].map((index) => [index, { ...HONEST, update: () => null }]))
    for (const state of run(COMMITTEE, faulty).states.values())
      expect(state).toMatchObject({ status: "failed", code: "CRS_TOO_FEW", culprits: [2, 3, 4] })
  })

  test("ends naming a party that sends its update to some", () => {
    const faulty = new Map<number, Behaviour>([
      [3, { update: (_, to) => (to % 2 === 1 ? "good" : null), vote: (_, __, own) => own }],
    ])
    for (const state of honestStates(run(COMMITTEE, faulty), faulty))
      expect(state).toMatchObject({ status: "failed", code: "CRS_UNDECIDED", culprits: [3] })
  })

  test("does not fork by a party that sends two updates", () => {
    const faulty = new Map<number, Behaviour>([
      [3, { update: (_, to) => (to <= 2 ? "good" : "other"), vote: (_, __, own) => own }],
    ])
    for (const state of honestStates(run(COMMITTEE, faulty), faulty))
      expect(state).toMatchObject({ status: "failed", code: "CRS_UNDECIDED", culprits: [3] })
  })

  test("ends where votes stay away", () => {
    const mute = { ...HONEST, vote: () => null }
    const faulty = new Map([3, 4].map((index) => [index, mute]))
    for (const state of honestStates(run(COMMITTEE, faulty), faulty))
      expect(state).toMatchObject({ status: "failed", code: "CRS_UNDECIDED", culprits: [1] })
  })
})

describe("votes", () => {
  const { state } = startTurns(COMMITTEE, party(1), partyIndexes(COMMITTEE))
  const vote = (turn: number, index: number, outcome: Outcome): TurnsEvent => ({
    ...{ kind: "vote", turn, outcome },
    party: party(index),
  })
  const after = (...events: readonly TurnsEvent[]): TurnsState =>
    events.reduce((now, event) => nextTurn(now, event).state, state)

  test("count once per party, the first one", () => {
    const twice = after(vote(0, 2, SKIPPED), vote(0, 2, SKIPPED), vote(0, 2, SKIPPED))
    expect(twice).toMatchObject({ status: "running", turn: 0 })
    const changed = after(vote(0, 2, accepted(tagHash("a"))), vote(0, 2, SKIPPED), vote(0, 3, SKIPPED))
    expect(changed).toMatchObject({ status: "running", turn: 0 })
  })

  test("of later turns are kept, of earlier and impossible ones dropped", () => {
    const early = [2, 3, 4].map((index) => vote(1, index, SKIPPED))
    const now = [2, 3, 4].map((index) => vote(0, index, SKIPPED))
    expect(after(...early)).toMatchObject({ turn: 0 })
    expect(after(...early, ...now)).toMatchObject({ turn: 2, skipped: [1, 2] })
    expect(after(...now, vote(0, 1, SKIPPED))).toMatchObject({ turn: 1 })
    expect(after(...[2, 3, 4].map((index) => vote(4, index, SKIPPED)))).toEqual(state)
  })

  test("an own vote is cast once", () => {
    const digest = tagHash("update")
    const first = nextTurn(state, { kind: "verified", turn: 0, digest })
    expect(first.effects).toEqual([
      { kind: "send-vote", turn: 0, outcome: accepted(digest) },
      { kind: "set-timer", turn: 0 },
    ])
    expect(nextTurn(first.state, { kind: "refused", turn: 0 }).effects).toEqual([])
    expect(nextTurn(state, { kind: "verified", turn: 1, digest }).effects).toEqual([])
  })

  test("of honest parties alone decide, at every size", () => {
    for (const { n, t } of COMMITTEE_SIZES) {
      expect(agreement({ n, t })).toBeLessThanOrEqual(n - t)
      const faulty = new Map(
        partyIndexes({ n })
          .map((index) => [index as number, SILENT] as const)
          .slice(0, t),
      )
      for (const state of honestStates(run({ n, t }, faulty), faulty))
        expect(state).toMatchObject({ status: "finished", skipped: [...faulty.keys()] })
    }
  })
})

test("honest parties never adopt different updates, whatever t others do and in whatever order it arrives", () => {
  const sizes = fc.constantFrom({ n: 4, t: 1 }, { n: 5, t: 1 }, { n: 7, t: 2 })
  const update = fc.constantFrom("good", "other", "bad", null)
  fc.assert(
    fc.property(
      sizes,
      fc.infiniteStream(update),
      fc.infiniteStream(fc.nat()),
      fc.nat(),
      (size, updates, picks, shift) => {
        const next = <T>(stream: Iterator<T>): T => stream.next().value
        const liar: Behaviour = {
          update: () => next(updates),
          vote: (turn, _, own) => {
            const kind = next(picks) % 4
            if (kind === 0) return null
            if (kind === 1) return SKIPPED
            return kind === 2 ? own : accepted(tagHash(`${turn}/${turn + 1}/${kind}`))
          },
        }
        const faulty = new Map(
          Array.from({ length: size.t }, (_, at) => [((at + shift) % size.n) + 1, liar] as const),
        )
        const result = run(size, faulty, (pending) => next(picks) % pending)
        const byRound = new Map<string, string>()
        for (const line of result.adopted) {
          const [round = "", digest = ""] = line.split(" ")
          expect(byRound.get(round) ?? digest).toBe(digest)
          byRound.set(round, digest)
        }
        const ends = honestStates(result, faulty)
        expect(ends.every(({ status }) => status !== "running")).toBe(true)
        const finished = ends.filter(({ status }) => status === "finished")
        // Whose ceremony ended over a liar's turn has no update to send: the others go on without it.
        const gone = ends.filter(({ status }) => status === "failed").map(({ self }) => self)
        for (const { contributions, skipped } of finished) {
          expect(contributions).toEqual(finished[0]?.contributions)
          expect(skipped.every((index) => faulty.has(index) || gone.includes(index))).toBe(true)
        }
      },
    ),
    { numRuns: 300 },
  )
})
