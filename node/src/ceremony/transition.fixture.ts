/** One attempt's state machines without a network: honest messages, and all parties in one place. */
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Attempt } from "./attempt.ts"
import { bytesDigest } from "./digest.ts"
import { type SignedHeader, signHeader, ZERO_DIGEST } from "./header.ts"
import { type Echo, type RoundMessage, signEcho } from "./messages.ts"
import { attemptOfParty, COMMITTEE, party, partyAt } from "./party.fixture.ts"
import type { Cause, CeremonyEffect, CeremonyEvent, CeremonyState, RoundSpec } from "./state.ts"
import { startAttempt, transition } from "./transition.ts"

export const everyone: readonly PartyIndex[] = partyIndexes(COMMITTEE)
export const spec = (name: string, speakers = everyone, binding = false): RoundSpec => ({
  name,
  speakers,
  maxBroadcast: 1000,
  maxSealed: 0,
  timeoutMs: 10,
  binding,
  kept: true,
})
export const SPECS: readonly RoundSpec[] = [
  spec("one"),
  spec("two", [party(2)]),
  spec("three", everyone, true),
]

export const nothingSealed: readonly null[] = COMMITTEE.parties.map(() => null)

export async function messageOf(
  index: number,
  round: number,
  previous: SignedHeader["hash"],
  text = `${index}`,
): Promise<RoundMessage> {
  const attempt = attemptOfParty(index)
  const broadcast = utf8ToBytes(text)
  const header = await signHeader(
    {
      keyId: COMMITTEE.keyId,
      attempt: 1,
      round,
      party: attempt.self,
      previous,
      broadcastBytes: broadcast.length,
      broadcastHash: bytesDigest(broadcast),
      sealedHashes: COMMITTEE.parties.map(() => ZERO_DIGEST),
    },
    partyAt(index).sign,
  )
  return { header, broadcast, sealed: null }
}

export const echoOf = (index: number, round: number, headers: readonly SignedHeader[]): Promise<Echo> =>
  signEcho(attemptOfParty(index), round, headers, partyAt(index).sign)

/** All parties in one place: effects become events, deliveries wait in a bag until they are drawn. */
export class Simulation {
  readonly states = new Map<PartyIndex, CeremonyState>()
  readonly bag: { readonly to: PartyIndex; readonly event: CeremonyEvent }[] = []
  readonly consumed = new Map<PartyIndex, string[]>()

  async start(): Promise<void> {
    for (const self of everyone) {
      const { state, effects } = startAttempt(attemptOfParty(self), SPECS)
      this.states.set(self, state)
      await this.perform(self, effects)
    }
  }

  async apply(self: PartyIndex, event: CeremonyEvent): Promise<void> {
    const before = this.states.get(self)
    if (before === undefined) throw new Error("unknown party")
    const { state, effects } = transition(before, event)
    this.states.set(self, state)
    await this.perform(self, effects)
  }

  toOthers(self: PartyIndex, event: CeremonyEvent): void {
    for (const to of everyone) if (to !== self) this.bag.push({ to, event })
  }

  async perform(self: PartyIndex, effects: readonly CeremonyEffect[]): Promise<void> {
    for (const effect of effects) {
      if (effect.kind === "produce") {
        const message = await messageOf(self, effect.round, effect.previous)
        await this.apply(self, {
          kind: "produced",
          round: effect.round,
          message: { ...message, sealed: nothingSealed },
        })
      } else if (effect.kind === "send-message") {
        const { header, broadcast } = effect.message
        this.toOthers(self, { kind: "message", message: { header, broadcast, sealed: null } })
      } else if (effect.kind === "sign-echo")
        await this.apply(self, {
          kind: "echo-signed",
          echo: await echoOf(self, effect.round, effect.headers),
        })
      else if (effect.kind === "send-echo") this.toOthers(self, { kind: "echo", echo: effect.echo })
      else if (effect.kind === "consume") {
        const { incoming } = effect
        const text = [...incoming.broadcasts].map(
          ([from, bytes]) => `${from}:${new TextDecoder().decode(bytes)}`,
        )
        this.consumed.set(self, [...(this.consumed.get(self) ?? []), text.join()])
        await this.apply(self, { kind: "consumed", round: incoming.round })
      }
    }
  }
}

export const running = (self = 1): { readonly attempt: Attempt; readonly state: CeremonyState } => {
  const attempt = attemptOfParty(self)
  return { attempt, state: startAttempt(attempt, SPECS).state }
}

export const abortOf = (state: CeremonyState): Cause | null =>
  state.status === "aborted" ? state.cause : null
