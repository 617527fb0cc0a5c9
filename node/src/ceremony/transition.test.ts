import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bytesDigest } from "./digest.ts"
import { attemptOfParty, party } from "./party.fixture.ts"
import type { CeremonyEffect, CeremonyEvent } from "./state.ts"
import {
  abortOf,
  echoOf,
  everyone,
  messageOf,
  nothingSealed,
  running,
  Simulation,
} from "./transition.fixture.ts"
import { transition } from "./transition.ts"

describe("honest parties", () => {
  test("end in the same transcript whatever the order and number of deliveries", async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.boolean(), async (draws, repeat) => {
        const simulation = new Simulation()
        await simulation.start()
        const next = draws[Symbol.iterator]()
        while (simulation.bag.length > 0) {
          const at = next.next().value % simulation.bag.length
          const [drawn] = simulation.bag.splice(at, 1)
          if (drawn === undefined) break
          await simulation.apply(drawn.to, drawn.event)
          if (repeat) await simulation.apply(drawn.to, drawn.event)
        }
        const states = [...simulation.states.values()]
        expect(states.map(({ status }) => status)).toEqual(everyone.map(() => "awaiting-chain"))
        const digests = states.map(({ records }) => records.map(({ digest }) => digest).join())
        expect(new Set(digests).size).toBe(1)
        expect([...simulation.consumed.values()]).toEqual(
          everyone.map(() => ["1:1,2:2,3:3,4:4", "2:2", "1:1,2:2,3:3,4:4"]),
        )
      }),
      { numRuns: 15 },
    )
  })
})

test("nothing of the next round leaves before all n echoes are there", async () => {
  const { attempt } = running()
  const messages = await Promise.all(everyone.map((index) => messageOf(index, 0, attempt.proposalDigest)))
  const [own, ...others] = messages
  if (own === undefined) throw new Error("no message")
  const headers = messages.map(({ header }) => header)
  const echoes = await Promise.all(everyone.map((index) => echoOf(index, 0, headers)))
  const upTo = (count: number): CeremonyEffect[] => {
    let { state } = running()
    const effects: CeremonyEffect[] = []
    const events: CeremonyEvent[] = [
      { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
      ...others.map((message) => ({ kind: "message", message }) as const),
      ...echoes
        .slice(0, count)
        .map((echo, at) => ({ kind: at === 0 ? "echo-signed" : "echo", echo }) as const),
    ]
    for (const event of events) {
      const step = transition(state, event)
      state = step.state
      effects.push(...step.effects)
    }
    return effects
  }
  for (const count of [1, 2, 3])
    expect(upTo(count).filter(({ kind }) => kind === "consume" || kind === "produce")).toEqual([])
  expect(upTo(4).filter(({ kind }) => kind === "consume").length).toBe(1)
})

describe("one party against the rules", () => {
  test("two headers for one round name their signer and carry both as evidence", async () => {
    const { attempt, state } = running()
    const one = await messageOf(2, 0, attempt.proposalDigest, "one")
    const other = await messageOf(2, 0, attempt.proposalDigest, "other")
    const after = transition(transition(state, { kind: "message", message: one }).state, {
      kind: "message",
      message: other,
    })
    expect(abortOf(after.state)).toMatchObject({
      code: "CEREMONY_EQUIVOCATION",
      culprits: [2],
      evidence: [one.header, other.header],
    })
    expect(after.effects.map(({ kind }) => kind)).toEqual(["clear-timer", "send-abort", "end"])
  })

  test("an echo that carries another header of a party names that party, not the echo's sender", async () => {
    const { attempt, state } = running()
    const messages = await Promise.all(everyone.map((index) => messageOf(index, 0, attempt.proposalDigest)))
    const forged = await messageOf(3, 0, attempt.proposalDigest, "to bob")
    const heard = messages.reduce(
      (now, message) => transition(now, { kind: "message", message }).state,
      state,
    )
    const headers = messages.map(({ header }, at) => (at === 2 ? forged.header : header))
    const echo = await echoOf(2, 0, headers)
    const after = transition(heard, { kind: "echo", echo })
    expect(abortOf(after.state)).toMatchObject({ code: "CEREMONY_EQUIVOCATION", culprits: [3] })
  })

  test("an echo reveals an equivocation also after its round is over", async () => {
    const simulation = new Simulation()
    await simulation.start()
    const alice = party(1)
    while ((simulation.states.get(alice)?.records.length ?? 0) === 0) {
      const drawn = simulation.bag.shift()
      if (drawn === undefined) throw new Error("stuck")
      await simulation.apply(drawn.to, drawn.event)
    }
    const forged = await messageOf(4, 0, attemptOfParty(1).proposalDigest, "late")
    await simulation.apply(alice, { kind: "message", message: forged })
    const state = simulation.states.get(alice)
    expect(state && abortOf(state)).toMatchObject({ code: "CEREMONY_EQUIVOCATION", culprits: [4] })
  })

  test("a header that stands on another previous round is refused", async () => {
    const { state } = running()
    const message = await messageOf(3, 0, bytesDigest(utf8ToBytes("another proposal")))
    const after = transition(state, { kind: "message", message })
    expect(abortOf(after.state)).toMatchObject({ code: "CEREMONY_WRONG_ECHO", culprits: [3] })
  })

  test("an early message of the next round is checked against the agreed digest when its time comes", async () => {
    const simulation = new Simulation()
    await simulation.start()
    const early = await messageOf(2, 1, bytesDigest(utf8ToBytes("guess")))
    await simulation.apply(party(1), { kind: "message", message: early })
    expect(simulation.states.get(party(1))?.status).toBe("running")
    for (let drawn = simulation.bag.shift(); drawn !== undefined; drawn = simulation.bag.shift())
      await simulation.apply(drawn.to, drawn.event)
    const state = simulation.states.get(party(1))
    expect(state && abortOf(state)).toMatchObject({
      code: "CEREMONY_WRONG_ECHO",
      round: "two",
      culprits: [2],
    })
  })

  test("nobody can be two rounds ahead", async () => {
    const { attempt, state } = running()
    const message = await messageOf(4, 2, attempt.proposalDigest)
    const after = transition(state, { kind: "message", message })
    expect(abortOf(after.state)).toMatchObject({ code: "CEREMONY_OUT_OF_ORDER", culprits: [4] })
  })

  test("whoever has not spoken when time is up is named", async () => {
    const { attempt, state } = running()
    const own = await messageOf(1, 0, attempt.proposalDigest)
    const spoken = await messageOf(3, 0, attempt.proposalDigest)
    const events: CeremonyEvent[] = [
      { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
      { kind: "message", message: spoken },
      { kind: "timeout", round: 0, stage: "collecting" },
      { kind: "timeout", round: 0, stage: "stalled" },
    ]
    const end = events.reduce((now, event) => transition(now, event).state, state)
    expect(abortOf(end)).toMatchObject({ code: "CEREMONY_NO_MESSAGE", culprits: [2, 4] })
  })

  test("whoever has not echoed when time is up is named", async () => {
    const { attempt, state } = running()
    const messages = await Promise.all(everyone.map((index) => messageOf(index, 0, attempt.proposalDigest)))
    const [own, ...others] = messages
    if (own === undefined) throw new Error("no message")
    const headers = messages.map(({ header }) => header)
    const events: CeremonyEvent[] = [
      { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
      ...others.map((message) => ({ kind: "message", message }) as const),
      { kind: "echo-signed", echo: await echoOf(1, 0, headers) },
      { kind: "echo", echo: await echoOf(4, 0, headers) },
      { kind: "timeout", round: 0, stage: "collecting" },
      { kind: "timeout", round: 0, stage: "echoing" },
      { kind: "timeout", round: 0, stage: "stalled" },
    ]
    const end = events.reduce((now, event) => transition(now, event).state, state)
    expect(abortOf(end)).toMatchObject({ code: "CEREMONY_NO_ECHO", culprits: [2, 3] })
  })

  test("a party that says in time what it waits for is not the silent one", async () => {
    const { attempt, state } = running()
    const own = await messageOf(1, 0, attempt.proposalDigest)
    const waits = (self: number) =>
      ({
        kind: "abort",
        abort: {
          round: 0,
          party: party(self),
          code: "CEREMONY_STOPPED",
          culprits: [party(4)],
          suspects: [],
          evidence: [],
          signature: new Uint8Array(65),
        },
      }) as const
    const stalled = [
      { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
      { kind: "timeout", round: 0, stage: "collecting" },
      waits(2),
    ].reduce((now, event) => transition(now, event as CeremonyEvent).state, state)
    const silent = transition(transition(stalled, waits(3)).state, {
      kind: "timeout",
      round: 0,
      stage: "stalled",
    })
    expect(abortOf(silent.state)).toMatchObject({ code: "CEREMONY_NO_MESSAGE", culprits: [4] })
    expect(silent.effects.map(({ kind }) => kind)).toEqual(["clear-timer", "end"])
    const all = [waits(3), waits(4)].reduce((now, event) => transition(now, event).state, stalled)
    expect(abortOf(all)).toMatchObject({ code: "CEREMONY_PEER_ABORTED", culprits: [], reportedBy: 4 })
  })

  test.each([
    ["no message of this round", 0, "CEREMONY_NO_MESSAGE", false],
    ["no echo of this round", 0, "CEREMONY_NO_ECHO", false],
    ["no message of the next round", 1, "CEREMONY_NO_MESSAGE", false],
    ["somebody's abort", 0, "CEREMONY_PEER_ABORTED", false],
    ["a failed check", 0, "CEREMONY_CHECK_FAILED", true],
  ])(
    "a missing message is not excused by waiting for what comes later: %s",
    async (_, round, code, excused) => {
      const { attempt, state } = running()
      const own = await messageOf(1, 0, attempt.proposalDigest)
      const abort = {
        round,
        party: party(4),
        code,
        culprits: [party(1)],
        suspects: [],
        evidence: [],
        signature: new Uint8Array(65),
      }
      const others = [
        await messageOf(2, 0, attempt.proposalDigest),
        await messageOf(3, 0, attempt.proposalDigest),
      ]
      const events: CeremonyEvent[] = [
        { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
        ...others.map((message) => ({ kind: "message", message }) as const),
        { kind: "timeout", round: 0, stage: "collecting" },
        { kind: "abort", abort },
        { kind: "timeout", round: 0, stage: "stalled" },
      ]
      const end = events.reduce((now, event) => transition(now, event).state, state)
      expect(abortOf(end)).toMatchObject(
        excused
          ? { code: "CEREMONY_PEER_ABORTED", culprits: [], claimed: [1] }
          : { code: "CEREMONY_NO_MESSAGE", culprits: [4] },
      )
    },
  )

  test("a complaint about something later does not keep this node from finding who was silent first", async () => {
    const { attempt, state } = running()
    const own = await messageOf(1, 0, attempt.proposalDigest)
    const abort = {
      round: 1,
      party: party(2),
      code: "CEREMONY_NO_MESSAGE",
      culprits: [party(1)],
      suspects: [],
      evidence: [],
      signature: new Uint8Array(65),
    }
    const others = await Promise.all([2, 3].map((index) => messageOf(index, 0, attempt.proposalDigest)))
    const events: CeremonyEvent[] = [
      { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
      ...others.map((message) => ({ kind: "message", message }) as const),
      { kind: "abort", abort },
      { kind: "timeout", round: 0, stage: "collecting" },
      { kind: "timeout", round: 0, stage: "stalled" },
    ]
    const end = events.reduce((now, event) => transition(now, event).state, state)
    expect(abortOf(end)).toMatchObject({ code: "CEREMONY_NO_MESSAGE", culprits: [4] })
  })

  test("an abort that arrives during the own check waits for its finding", async () => {
    const { attempt } = running()
    const messages = await Promise.all(everyone.map((index) => messageOf(index, 0, attempt.proposalDigest)))
    const headers = messages.map(({ header }) => header)
    const echoes = await Promise.all(everyone.map((index) => echoOf(index, 0, headers)))
    const [own, ...others] = messages
    const [ownEcho, ...otherEchoes] = echoes
    if (own === undefined || ownEcho === undefined) throw new Error("no message")
    const events: CeremonyEvent[] = [
      { kind: "produced", round: 0, message: { ...own, sealed: nothingSealed } },
      ...others.map((message) => ({ kind: "message", message }) as const),
      { kind: "echo-signed", echo: ownEcho },
      ...otherEchoes.map((echo) => ({ kind: "echo", echo }) as const),
      {
        kind: "abort",
        abort: {
          round: 0,
          party: party(2),
          code: "CEREMONY_STOPPED",
          culprits: [party(3)],
          suspects: [party(1), party(4)],
          evidence: [],
          signature: new Uint8Array(65),
        },
      },
    ]
    const checking = events.reduce((now, event) => transition(now, event).state, running().state)
    expect(checking).toMatchObject({ status: "running", stage: "consuming" })
    const found = transition(checking, {
      kind: "failed",
      round: 0,
      check: "DEGREE",
      message: "off the polynomial",
      culprits: [party(2)],
      suspects: [party(3), party(4)],
    })
    expect(abortOf(found.state)).toMatchObject({
      code: "CEREMONY_CHECK_FAILED",
      check: "DEGREE",
      culprits: [2],
      suspects: [3, 4],
      claimed: [],
      claimedSuspects: [],
    })
    expect(found.effects).toContainEqual(
      expect.objectContaining({ word: expect.objectContaining({ culprits: [2], suspects: [3, 4] }) }),
    )
    const clean = transition(checking, { kind: "consumed", round: 0 })
    expect(abortOf(clean.state)).toMatchObject({
      code: "CEREMONY_PEER_ABORTED",
      culprits: [],
      suspects: [],
      reportedBy: 2,
      claimed: [3],
      claimedSuspects: [1, 4],
    })
  })

  test("a node that is slow itself blames nobody", () => {
    const { state } = running()
    const end = transition(state, { kind: "timeout", round: 0, stage: "collecting" }).state
    expect(abortOf(end)).toMatchObject({ code: "CEREMONY_SLOW", culprits: [] })
  })

  test("a peer's abort is believed about an equivocation only with both headers", async () => {
    const { attempt, state } = running()
    const one = await messageOf(2, 0, attempt.proposalDigest, "one")
    const other = await messageOf(2, 0, attempt.proposalDigest, "other")
    const abort = {
      round: 0,
      party: party(3),
      code: "CEREMONY_EQUIVOCATION",
      culprits: [party(2)],
      suspects: [],
      evidence: [one.header, other.header],
      signature: new Uint8Array(65),
    }
    expect(abortOf(transition(state, { kind: "abort", abort }).state)).toMatchObject({
      code: "CEREMONY_EQUIVOCATION",
      culprits: [2],
      reportedBy: 3,
    })
    const bare = { ...abort, evidence: [one.header, one.header] }
    expect(abortOf(transition(state, { kind: "abort", abort: bare }).state)).toMatchObject({
      code: "CEREMONY_PEER_ABORTED",
      check: "CEREMONY_EQUIVOCATION",
      culprits: [],
      claimed: [2],
    })
  })
})
