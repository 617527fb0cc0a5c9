/**
 * Rounds that the engine defines (protocol §4: PRSS keys, inputs, products, coin, degree points, product points, noise of
 * the row check). The engine makes and checks their content; this file only carries bytes and names culprits.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Attempt } from "./attempt.ts"
import type { CeremonyParty } from "./engine.ts"
import { broadcastOf, type Round } from "./rounds.ts"
import type { RoundSpec } from "./state.ts"

const BITS = 17_196
const SHARE_BYTES = 64
/** Points of all row sums, and noise for them: 8.4 MiB. */
const ROW_BYTES = 9 * 1024 * 1024

/** Generous maxima: a level of the XOR tree deals one resharing of every bit for up to n/2 products. */
const limitsFor = (n: number): Pick<RoundSpec, "maxBroadcast" | "maxSealed"> => ({
  maxBroadcast: ROW_BYTES,
  maxSealed: Math.max((BITS + 1024) * SHARE_BYTES * Math.ceil(n / 2), ROW_BYTES) + 65_536,
})

export type EngineRoundOptions = {
  readonly party: CeremonyParty
  readonly name: string
  /** As the engine counts. */
  readonly index: number
  readonly timeoutMs: number
}

export function engineRound({ committee }: Attempt, options: EngineRoundOptions): Round {
  const { party, name, index, timeoutMs } = options
  return {
    spec: {
      name,
      speakers: partyIndexes(committee),
      ...limitsFor(committee.n),
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
