/**
 * One cell of the matrix of failures: parties of which some are dishonest about one kind of message, what must hold when
 * their attempt has ended, and the next key without them.
 */

import { attemptFor } from "@twinlock/node/ceremony/ceremony"
import { attemptOfParty, type TestParty, testParty } from "@twinlock/node/ceremony/party.fixture"
import type { EndState } from "@twinlock/node/ceremony/runner"
import { KEY_SHARE_KIND } from "@twinlock/node/ceremony/shareVault"
import type { Cause } from "@twinlock/node/ceremony/state"
import { TOY_ROUNDS } from "@twinlock/node/ceremony/toyEngine.fixture"
import { plannedRounds } from "@twinlock/node/ceremony/verify/order"
import { createWorld, type World } from "@twinlock/node/ceremony/world.fixture"
import { type Committee, createCommittee } from "@twinlock/sdk/protocol/committee"
import { expect } from "vitest"
import { type Fault, faultyHands, type Target } from "./faults.ts"
import { causeOf, expectNothingKept } from "./outcome.ts"

export const CODES: Readonly<Record<Target["kind"], Readonly<Record<Fault, readonly Cause["code"][]>>>> = {
  message: {
    dropped: ["CEREMONY_NO_MESSAGE"],
    "withheld from one party": ["CEREMONY_NO_MESSAGE"],
    delayed: ["CEREMONY_NO_MESSAGE"],
    corrupted: ["CEREMONY_GARBLED", "CEREMONY_BAD_SIGNATURE"],
    replayed: ["CEREMONY_NO_MESSAGE"],
    equivocated: ["CEREMONY_EQUIVOCATION"],
  },
  echo: {
    dropped: ["CEREMONY_NO_ECHO"],
    "withheld from one party": ["CEREMONY_NO_ECHO"],
    delayed: ["CEREMONY_NO_ECHO"],
    corrupted: ["CEREMONY_GARBLED", "CEREMONY_BAD_SIGNATURE"],
    replayed: ["CEREMONY_NO_ECHO"],
    equivocated: ["CEREMONY_EQUIVOCATION"],
  },
  // What a check of content finds: silence, or bytes that the contributor does not list.
  chunk: {
    dropped: ["CEREMONY_CHECK_FAILED"],
    "withheld from one party": ["CEREMONY_CHECK_FAILED"],
    delayed: ["CEREMONY_CHECK_FAILED"],
    corrupted: ["CEREMONY_CHECK_FAILED"],
    replayed: ["CEREMONY_CHECK_FAILED"],
    equivocated: ["CEREMONY_CHECK_FAILED"],
  },
}

type Found = "all" | "the first" | "nobody"

/**
 * Whom a node names that finds the fault itself. Silence of all is found when time is up, wrong bytes when the first of them
 * arrive, so that who sent the others is not known. Who cannot deliver its contribution says so, and is believed.
 */
const foundOf = (kind: Target["kind"], fault: Fault): Found => {
  if (fault === "corrupted" || fault === "equivocated") return "the first"
  return kind === "chunk" && fault === "delayed" ? "nobody" : "all"
}

export type Size = { readonly n: number; readonly t: number }

type Scene = {
  readonly world: World
  readonly found: Found
  /** Seats of the first proposal, then as many others as may be dishonest. */
  readonly everyone: readonly TestParty[]
  readonly culprits: readonly number[]
}

const partiesOf = ({ n, t }: Size): readonly TestParty[] =>
  Array.from({ length: n + t }, (_, at) => testParty(`party ${at + 1} of ${n}`))

const committeeOf = (size: Size): Committee =>
  createCommittee({
    ...attemptOfParty(1).committee,
    t: size.t,
    parties: partiesOf(size)
      .slice(0, size.n)
      .map(({ address }) => address),
  })

export const roundsOf = (size: Size) => plannedRounds(committeeOf(size), TOY_ROUNDS)

/** t of those who speak, others for every round; never the party that sums the chunk. Two faces only has who spoke. */
function culpritsOf(size: Size, { kind, round }: Target, fault: Fault): readonly number[] {
  const everyone = committeeOf(size).parties.map((_, seat) => seat + 1)
  const speaking = roundsOf(size)[round]?.speakers ?? []
  const speakers = {
    message: speaking,
    echo: fault === "equivocated" ? speaking : everyone,
    chunk: everyone.filter((seat) => seat !== (round % size.n) + 1),
  }[kind]
  const count = Math.min(size.t, speakers.length)
  const chosen = Array.from({ length: count }, (_, nth) => speakers[(round + nth) % speakers.length] ?? 1)
  return chosen.toSorted((one, other) => one - other)
}

export function sceneOf(size: Size, target: Target, fault: Fault): Scene {
  const everyone = partiesOf(size)
  const culprits = culpritsOf(size, target, fault)
  const holder: { world?: World } = {}
  const worldOf = (): World => {
    if (holder.world === undefined) throw new Error("no world yet")
    return holder.world
  }
  const sizes = { parties: everyone, spares: size.t, t: size.t, chunks: size.n + 2 }
  const { record } = createWorld(sizes).chain
  const attempt = attemptFor(record, everyone[0]?.address ?? never())
  const hands = faultyHands({
    culprits: culprits.map((seat) => everyone[seat - 1] ?? never()),
    ...{ target, fault, attempt, world: worldOf },
  })
  holder.world = createWorld({ ...sizes, tamper: hands })
  return { world: holder.world, found: foundOf(target.kind, fault), everyone, culprits }
}

type Ends = {
  /** What each party had found when it went on no more. */
  readonly causes: readonly (Cause | null)[]
  readonly statuses: readonly EndState["status"][]
}

/** Runs until nobody goes on; where signatures had left and no key came of them, the chain's deadline ends it. */
async function runToEnd(world: World): Promise<Ends> {
  const seats = world.chain.record.proposal.parties
  const runners = await Promise.all(seats.map((_, at) => world.start(at + 1)))
  await world.until(() => runners.every((runner) => runner.state().status !== "running"))
  const causes = runners.map((runner) => {
    const state = runner.state()
    return state.status === "running" ? null : causeOf(state)
  })
  if (world.chain.record.status === "proposed")
    world.chain.head = { ...world.chain.head, timestamp: world.chain.record.proposal.deadline + 1n }
  const ends: EndState[] = []
  for (const runner of runners) void runner.ended.then((state) => ends.push(state))
  await world.until(() => ends.length === runners.length)
  return { causes, statuses: ends.map(({ status }) => status) }
}

/** When all have signed, nobody can take it back: either all have the key, or none has any of it. */
export async function expectOneEnd({ world, found, culprits }: Scene): Promise<void> {
  const { causes, statuses } = await runToEnd(world)
  expect(new Set(statuses).size).toBe(1)
  for (const [at, cause] of causes.entries()) {
    if (culprits.includes(at + 1) || cause === null || cause.code === "CEREMONY_PEER_ABORTED") continue
    expectNamed(cause.culprits, culprits, found)
  }
  if (statuses[0] === "aborted") return expectNothingKept(world)
  expect(world.chain.record.status).toBe("active")
  const { keyId, proposal } = world.chain.record
  for (const store of world.stores.slice(0, proposal.n))
    expect(await store.list(KEY_SHARE_KIND)).toEqual([`${keyId}/1`])
}

/** No honest party is a culprit or a suspect for an honest one; who finds the fault names exactly those that it can. */
export async function expectCleanAbort(
  { world, found, culprits }: Scene,
  codes: readonly Cause["code"][],
): Promise<void> {
  const { causes, statuses } = await runToEnd(world)
  expect(statuses).toEqual(causes.map(() => "aborted"))
  await expectNothingKept(world)
  const honest = causes.flatMap((cause, at) => (culprits.includes(at + 1) ? [] : [cause ?? never()]))
  expect(honest.length).toBe(causes.length - culprits.length)
  for (const cause of honest) {
    expect(cause.suspects).toEqual([])
    expect([...codes, "CEREMONY_PEER_ABORTED"]).toContain(cause.code)
    if (cause.code === "CEREMONY_PEER_ABORTED") expect(cause.culprits).toEqual([])
    else expectNamed(cause.culprits, culprits, found)
    if (cause.reportedBy === null || culprits.includes(cause.reportedBy)) continue
    expect(cause.claimedSuspects).toEqual([])
    for (const named of cause.claimed) expect(culprits).toContain(named)
  }
  expect(honest.some(({ code }) => codes.includes(code))).toBe(true)
}

function expectNamed(named: readonly number[], culprits: readonly number[], found: Found): void {
  if (found === "all") return expect(named).toEqual(culprits)
  if (found === "nobody") return expect(named).toEqual([])
  expect(named.length).toBe(1)
  expect(culprits).toEqual(expect.arrayContaining([...named]))
}

/** Seats of the culprits go to those who had none. */
export async function expectNextKey({ world, everyone, culprits }: Scene): Promise<void> {
  const { n } = world.chain.record.proposal
  const spares = [...everyone.slice(n)]
  const seats = everyone
    .slice(0, n)
    .map((party, at) => (culprits.includes(at + 1) ? (spares.shift() ?? never()) : party))
  world.propose(seats)
  const begun = world.clock.now()
  const ends = await world.run()
  expect(ends.map(({ status }) => status)).toEqual(seats.map(() => "finished"))
  expect(world.clock.now() - begun).toBeLessThan(60_000)
  expect(world.submitted.length).toBe(1)
  const { keyId } = world.chain.record
  for (const [at, store] of world.stores.entries()) {
    const seated = seats.includes(everyone[at] ?? never())
    expect(await store.list(KEY_SHARE_KIND)).toEqual(seated ? [`${keyId}/1`] : [])
  }
}

function never(): never {
  throw new Error("no such party")
}

export const SMALL: Size = { n: 4, t: 1 }
export const LARGE: Size = { n: 7, t: 2 }
export function roundAt(size: Size, name: string): number {
  const round = roundsOf(size).findIndex((one) => one.name === name)
  return round < 0 ? never() : round
}
