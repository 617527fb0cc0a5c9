/**
 * Honest parties of a CRS ceremony, and up to t others in one hand, over a network in simulated time. The hand hears at once what is
 * sent to its parties, sends what it likes to whom it likes and when, and can sign for its own parties only.
 */
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Act } from "./certificate.ts"
import { partyOfTurn, type Updates } from "./crsCommittee.ts"
import {
  CHECK_MS,
  TIMES,
  type ToyCommittee,
  type ToyUpdates,
  toyCheck,
  toySign,
  toyUpdates,
  UPDATE_MS,
} from "./toyCrs.fixture.ts"
import { nextTurns, startTurns } from "./turns.ts"
import type { TurnsEffect, TurnsEvent, TurnsMessage, TurnsState, TurnsStep } from "./turnsState.ts"

export type WorldOptions = {
  readonly committee: ToyCommittee
  readonly faulty: readonly PartyIndex[]
  /** Uniform in 0..below−1. */
  readonly pick: (below: number) => number
  /** How long what leaves now takes from one honest party to another, `to`. */
  readonly delay: (now: number, to: PartyIndex, what: Freight) => number
  readonly hand?: (world: Hand) => Adversary
  /** Stops there whatever has ended. */
  readonly until: number
}

/** What the hand may do. */
export type Hand = {
  readonly committee: ToyCommittee
  readonly faulty: readonly PartyIndex[]
  readonly honest: readonly PartyIndex[]
  readonly updates: ToyUpdates
  readonly pick: (below: number) => number
  /** The latest turn of an honest party. */
  turn(): number
  send(message: TurnsMessage, to: readonly PartyIndex[], after: number): void
  after(milliseconds: number, task: () => void): void
}

export type Adversary = {
  /** An honest party sent it, to all. */
  heard(message: TurnsMessage): void
  /** An honest party entered a turn. */
  entered(turn: number, index: PartyIndex): void
  /** Whether it gives an update's bytes to `to`, which nobody honest can give. */
  serves(message: Digest, to: PartyIndex): boolean
}

const SILENT: Adversary = { heard: () => {}, entered: () => {}, serves: () => false }

/** What the network sees of a message. */
export type Freight = Act | "certificate" | "conclusion" | "update" | "start"

const freightOf = (message: TurnsMessage): Freight => {
  if (message.kind === "statement") return message.statement.act
  return message.kind === "proposal" ? "propose" : message.kind
}

export type World = {
  readonly states: ReadonlyMap<PartyIndex, TurnsState>
  readonly honest: readonly PartyIndex[]
  readonly now: number
}

export function runWorld(options: WorldOptions): World {
  const { committee, faulty, pick, delay, until } = options
  const parties = committee.parties.map((_, at) => partyOfTurn(at, committee.n))
  const honest = parties.filter((index) => !faulty.includes(index))
  const updates = toyUpdates(committee)
  const states = new Map<PartyIndex, TurnsState>()
  /** Who holds an update's bytes. */
  const holders = new Map<Digest, Set<PartyIndex>>()
  const agenda = new Map<number, (() => void)[]>()
  let now = 0
  let latest = 0

  const after = (milliseconds: number, task: () => void): void => {
    const at = now + milliseconds
    agenda.set(at, [...(agenda.get(at) ?? []), task])
  }
  const hold = (message: Digest, index: PartyIndex): void =>
    void holders.set(message, (holders.get(message) ?? new Set()).add(index))
  const deliver = (to: PartyIndex, event: TurnsEvent): void => {
    const state = states.get(to)
    // Who has not started yet gets it then: its peers try again until it is there.
    if (state === undefined) after(1, () => deliver(to, event))
    else take(to, nextTurns(state, event))
  }
  const broadcast = (from: PartyIndex, message: TurnsMessage): void => {
    for (const to of honest)
      if (to !== from)
        after(delay(now, to, freightOf(message)), () => deliver(to, { kind: "message", message }))
    adversary.heard(message)
  }
  /** Calls `done` once all bytes are there, if they ever are. */
  const fetch = (
    self: PartyIndex,
    wanted: readonly Digest[],
    sources: readonly PartyIndex[],
    done: () => void,
  ): void => {
    const missing = wanted.filter((message) => holders.get(message)?.has(self) !== true)
    if (missing.length === 0) return done()
    const isGiven = (message: Digest): boolean =>
      sources.some((index) => holders.get(message)?.has(index)) ||
      (sources.some((index) => faulty.includes(index)) && adversary.serves(message, self))
    if (!missing.every(isGiven)) return
    after(delay(now, self, "update") + delay(now, self, "update"), () => {
      for (const message of missing) hold(message, self)
      done()
    })
  }
  const check = (self: PartyIndex, effect: Extract<TurnsEffect, { kind: "check" }>): void => {
    const { turn, digest, sources } = effect
    const closing = turn >= committee.n
    const wanted = effect.updates.slice(closing ? -1 : -2).map(({ message }) => message)
    fetch(self, wanted, sources, () => {
      const prefixes = closing ? effect.updates.map((_, at) => effect.updates.slice(0, at + 1)) : []
      const refusals = (closing ? prefixes : [effect.updates]).map(updates.refusalOf)
      const refusal = refusals.find((found) => found !== null)
      if (refusals.includes(undefined)) return
      after(pick(2) * CHECK_MS, () =>
        deliver(self, { kind: "checked", turn, digest, refusal: refusal ?? null }),
      )
    })
  }
  const make = (self: PartyIndex, turn: number, base: Updates, sources: readonly PartyIndex[]): void =>
    fetch(
      self,
      base.slice(-1).map(({ message }) => message),
      sources,
      () =>
        after(pick(2) * UPDATE_MS, () => {
          const { message, link } = updates.make(base, turn, "own", true)
          hold(message, self)
          deliver(self, { kind: "made", message, link })
        }),
    )

  function take(self: PartyIndex, step: TurnsStep): void {
    states.set(self, step.state)
    for (const effect of step.effects)
      switch (effect.kind) {
        case "propose":
        case "state": {
          const statement = toySign(effect.statement, self)
          const message: TurnsMessage =
            effect.kind === "state"
              ? { kind: "statement", statement }
              : { kind: "proposal", proposal: effect.proposal, signature: statement.signature }
          broadcast(self, message)
          after(0, () => deliver(self, { kind: "message", message }))
          break
        }
        case "send":
          broadcast(self, effect.message)
          break
        case "set-timer": {
          const { timer, turn, milliseconds } = effect
          after(milliseconds, () => deliver(self, { kind: "timeout", timer, turn }))
          if (timer === "turn") {
            latest = Math.max(latest, turn)
            adversary.entered(turn, self)
          }
          break
        }
        case "make":
          make(self, effect.turn, effect.updates, effect.sources)
          break
        case "check":
          check(self, effect)
          break
        case "end":
          break
      }
  }

  const adversary =
    options.hand?.({
      ...{ committee, faulty, honest, updates, pick, after },
      turn: () => latest,
      send: (message, to, milliseconds) => {
        for (const index of to) after(milliseconds, () => deliver(index, { kind: "message", message }))
      },
    }) ?? SILENT

  const rules = { committee, times: TIMES, check: toyCheck }
  for (const self of honest) after(delay(0, self, "start"), () => take(self, startTurns({ ...rules, self })))
  const over = (): boolean =>
    states.size === honest.length &&
    [...states.values()].every(({ status }) => status === "finished" || status === "failed")
  while (now < until && agenda.size > 0 && !over()) {
    now = Math.min(...agenda.keys())
    const due = agenda.get(now) ?? []
    agenda.delete(now)
    // In any order: what leaves later may arrive first.
    while (due.length > 0) due.splice(pick(due.length), 1)[0]?.()
  }
  return { states, honest, now }
}
