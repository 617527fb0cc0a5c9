/**
 * Rounds of the bit phase as the engine defines them (protocol §4: PRSS keys, inputs, products, coin, degree points,
 * product points). The engine makes and checks their content; this file only carries bytes and names culprits.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Attempt } from "./attempt.ts"
import type { CeremonyParty } from "./engine.ts"
import { broadcastOf, type Round } from "./rounds.ts"
import type { RoundSpec } from "./state.ts"

const BITS = 17_196
const SHARE_BYTES = 64

/** Generous maxima: a level of the XOR tree deals one resharing of every bit for up to n/2 products. */
const limitsFor = (n: number): Pick<RoundSpec, "maxBroadcast" | "maxSealed"> => ({
  maxBroadcast: 1024 * 1024,
  maxSealed: (BITS + 1024) * SHARE_BYTES * Math.ceil(n / 2) + 65_536,
})

export function nativeRounds(attempt: Attempt, party: CeremonyParty, timeoutMs: number): readonly Round[] {
  const { committee } = attempt
  return party.rounds().map((name, index) => ({
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
  }))
}
