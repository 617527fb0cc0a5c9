/**
 * Rounds that the engine defines (protocol §4: PRSS keys, inputs, products, coin, degree points, product points, noise of
 * the row check). The engine makes and checks their content; this file only carries bytes and names culprits.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Attempt } from "./attempt.ts"
import type { CeremonyParty } from "./engine.ts"
import { broadcastOf, type Round } from "./rounds.ts"

export type EngineRoundOptions = {
  readonly party: CeremonyParty
  readonly name: string
  /** As the engine counts. */
  readonly index: number
  readonly timeoutMs: number
}

export function engineRound({ committee }: Attempt, options: EngineRoundOptions): Round {
  const { party, name, index, timeoutMs } = options
  const { broadcast, sealed } = party.limits(index)
  return {
    spec: {
      name,
      speakers: partyIndexes(committee),
      maxBroadcast: broadcast,
      maxSealed: sealed,
      timeoutMs,
      binding: false,
      kept: true,
    },
    produce: () => party.produce(index),
    consume: (incoming) =>
      party.consume(
        index,
        partyIndexes(committee).map((from) => broadcastOf(incoming, from)),
        partyIndexes(committee).map((from) => incoming.sealed.get(from) ?? null),
      ),
  }
}

/** The rounds before the contributions. */
export const nativeRounds = (attempt: Attempt, party: CeremonyParty, timeoutMs: number): readonly Round[] =>
  party.rounds().map((name, index) => engineRound(attempt, { party, name, index, timeoutMs }))
