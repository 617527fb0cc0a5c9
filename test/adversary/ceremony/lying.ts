/** A dishonest party that believes its own lie: rounds and engine with the honest interface and one thing changed. */
import type { Outgoing, Round } from "@twinlock/node/ceremony/rounds"
import type { RunnerOptions } from "@twinlock/node/ceremony/runner"

/** Party `liar` sends something else in one round, the same to everybody, and goes on as if nothing had happened. */
export const lieInRound =
  (liar: number, name: string, change: (honest: Outgoing) => Outgoing | Promise<Outgoing>) =>
  (index: number, options: RunnerOptions): RunnerOptions => ({
    ...options,
    rounds: options.rounds.map((round): Round => {
      if (index !== liar || round.spec.name !== name) return round
      return {
        ...round,
        produce: async (previous) => change(await round.produce(previous)),
        consume: (incoming) => round.consume(incoming).catch(() => {}),
      }
    }),
  })
