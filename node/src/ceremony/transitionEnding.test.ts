import { describe, expect, test } from "vitest"
import type { CeremonyState } from "./state.ts"
import { abortOf, everyone, messageOf, nothingSealed, running, spec } from "./transition.fixture.ts"
import { startAttempt, transition } from "./transition.ts"

describe("after the own signature left", () => {
  const committed = async (): Promise<CeremonyState> => {
    const { attempt } = running()
    const { state } = startAttempt(attempt, [spec("sign", everyone, true)])
    const own = await messageOf(1, 0, attempt.proposalDigest)
    return transition(state, { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } }).state
  }

  test("no failure ends the attempt; the chain does", async () => {
    const stalled = transition(await committed(), { kind: "timeout", round: 0, stage: "collecting" })
    expect(stalled.effects.map(({ kind }) => kind)).toEqual(["send-abort", "set-timer"])
    const state = transition(stalled.state, { kind: "timeout", round: 0, stage: "stalled" })
    expect(state.state).toMatchObject({ status: "awaiting-chain", cause: { code: "CEREMONY_NO_MESSAGE" } })
    expect(state.effects.map(({ kind }) => kind)).toEqual(["clear-timer"])
    expect(transition(state.state, { kind: "activated", ours: true }).state.status).toBe("finished")
    expect(abortOf(transition(state.state, { kind: "discarded" }).state)).toMatchObject({
      code: "CEREMONY_DISCARDED",
    })
    expect(abortOf(transition(state.state, { kind: "expired" }).state)).toMatchObject({
      code: "CEREMONY_EXPIRED",
    })
    expect(abortOf(transition(state.state, { kind: "activated", ours: false }).state)).toMatchObject({
      code: "CEREMONY_OTHER_ACTIVATION",
    })
  })

  test("before it, an activation on chain cannot be this party's", () => {
    const { state } = running()
    expect(abortOf(transition(state, { kind: "activated", ours: true }).state)).toMatchObject({
      code: "CEREMONY_OTHER_ACTIVATION",
    })
  })

  test("an ended attempt stays ended", () => {
    const { state } = running()
    const ended = transition(state, { kind: "stopped" }).state
    expect(transition(ended, { kind: "activated", ours: true })).toEqual({ state: ended, effects: [] })
  })
})
