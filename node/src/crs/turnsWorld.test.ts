import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES } from "../../../test/support/committeeSizes.ts"
import type { Certificate } from "./certificate.ts"
import { contributors, updatesDigest } from "./crsCommittee.ts"
import { party, TIMES, toyCommittee, toySign } from "./toyCrs.fixture.ts"
import type { TurnsState } from "./turnsState.ts"
import { type Adversary, type Hand, runWorld } from "./turnsWorld.fixture.ts"

describe("a CRS on its own", () => {
  const world = (n: number, t: number, silent: readonly number[], delay: (now: number) => number = () => 1) =>
    runWorld({
      ...{ committee: toyCommittee(n, t), faulty: silent.map(party), delay },
      ...{ pick: () => 0, until: 500 * TIMES.turnMs },
    })
  const contributorsOf = ({ conclusion }: TurnsState, n: number) => contributors(conclusion?.updates ?? [], n)

  test.each(COMMITTEE_SIZES)("is made by all $n in their order, without waiting", ({ n, t }) => {
    const { states, honest, now } = world(n, t, [])
    for (const state of states.values()) {
      expect(state.status).toBe("finished")
      expect(contributorsOf(state, n)).toEqual(honest)
    }
    expect(now).toBeLessThan(TIMES.turnMs)
  })

  test.each(COMMITTEE_SIZES)("of $n goes on without $t silent parties, and blames nobody", ({ n, t }) => {
    const { states, honest } = world(
      n,
      t,
      Array.from({ length: t }, (_, at) => at + 1),
    )
    for (const state of states.values()) {
      expect(state.status).toBe("finished")
      expect(contributorsOf(state, n)).toEqual(honest)
      expect([...state.faults]).toEqual([])
    }
  })

  test("fails for everybody alike where no update comes in time", () => {
    const { states } = world(4, 1, [], (now) => (now < 10 * TIMES.turnMs ? 5 * TIMES.turnMs : 1))
    for (const { status, code, conclusion } of states.values())
      expect([status, code, conclusion?.updates]).toEqual(["failed", "CRS_TOO_FEW", []])
  })
})

const COMMITTEE = toyCommittee(4, 1)

/** Party 2 is silent in its turn; in closing turn 5 it wants a list that was certified earlier, and signs all that helps. */
const backwards = (hand: Hand): Adversary => {
  let earlier: Certificate | null = null
  return {
    serves: () => false,
    heard(message) {
      if (message.kind === "certificate" && message.certificate.turn === 2) earlier = message.certificate
      if (message.kind === "statement" && message.statement.turn === 5)
        hand.send({ kind: "statement", statement: toySign(message.statement, party(2)) }, hand.honest, 1)
    },
    entered(turn) {
      if (turn !== 5 || earlier === null) return
      const { updates } = earlier
      const statement = { act: "propose", turn, digest: updatesDigest(COMMITTEE.ceremony, updates) } as const
      const { signature } = toySign(statement, party(2))
      hand.send({ kind: "proposal", proposal: { turn, updates, parent: earlier }, signature }, hand.honest, 1)
    },
  }
}

test("who concluded sticks to it, though only one of them saw the end and a liar asks for less", () => {
  const { states } = runWorld({
    ...{
      committee: COMMITTEE,
      faulty: [party(2)],
      hand: backwards,
      pick: () => 0,
      until: 500 * TIMES.turnMs,
    },
    // What ends it gets to party 1 only, until the liar has had its closing turn.
    delay: (now, to, what) =>
      now < 2 * TIMES.turnMs && to !== 1 && what.startsWith("conclu") ? 4 * TIMES.turnMs : 1,
  })
  for (const { status, conclusion } of states.values())
    expect([status, contributors(conclusion?.updates ?? [], 4)]).toEqual(["finished", [1, 3, 4]])
})
