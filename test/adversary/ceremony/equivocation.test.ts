import { KEY_SHARE_KIND } from "@twinlock/node/ceremony/shareVault"
import { createWorld } from "@twinlock/node/ceremony/world.fixture"
import { describe, expect, test } from "vitest"
import { causeOf, expectNothingKept, runToAbort } from "./outcome.ts"
import { equivocate } from "./tampering.ts"

/** Every round before the signatures with one of its speakers. */
const ROUNDS = [
  ["standing", 4],
  ["hello", 4],
  ["seed-commit", 1],
  ["seed-open", 4],
  ["inputs", 2],
  ["confirm", 3],
  ["chunk-digests", 4],
  ["row-coin", 2],
  ["row-points", 3],
  ["public-key", 1],
  ["crs-1", 1],
  ["crs-2", 2],
  ["crs-3", 3],
  ["crs-4", 4],
  ["self-test-input", 1],
  ["self-test-verdicts", 3],
  ["self-test-shares", 4],
  ["dkg-commit", 2],
  ["dkg-shares", 4],
  ["dkg-confirm", 1],
] as const

describe("a party that signs two headers for one round", () => {
  test.each(ROUNDS.map(([name, party], round) => ({ name, party, round })))(
    "is named by everybody in round $round, $name",
    async ({ name, party, round }) => {
      const to = (party % 4) + 1
      const world = createWorld({ tamper: equivocate(party, to, round) })
      const causes = await runToAbort(world)
      const honest = causes.filter((_, at) => at + 1 !== party)
      for (const cause of honest) {
        expect(cause).toMatchObject({ code: "CEREMONY_EQUIVOCATION", culprits: [party] })
        expect(cause.evidence.map(({ header }) => [header.round, header.party])).toEqual([
          [round, party],
          [round, party],
        ])
      }
      expect(world.progress.at(-1)).toBe(name)
    },
  )

  test.each(["activation", "group-signature"])(
    "is named in round %s, too, but then the chain decides",
    async (name) => {
      const round = ROUNDS.length + (name === "activation" ? 0 : 1)
      const world = createWorld({ tamper: equivocate(3, 2, round) })
      const runners = [await world.start(1), await world.start(2), await world.start(3), await world.start(4)]
      await world.until(() => runners.every((runner) => runner.state().status === "awaiting-chain"))
      for (const runner of [runners[0], runners[1], runners[3]]) {
        const state = runner?.state()
        expect(state?.status === "awaiting-chain" && state.cause).toMatchObject({
          code: "CEREMONY_EQUIVOCATION",
          culprits: [3],
        })
      }
      for (const store of world.stores) expect((await store.list(KEY_SHARE_KIND)).length).toBe(1)
      world.chain.head = { ...world.chain.head, timestamp: 3_000_000_000n }
      const ends = Promise.all(runners.map((runner) => runner.ended))
      await world.until(() => runners.every((runner) => runner.state().status === "aborted"))
      expect((await ends).map((state) => causeOf(state)?.code)).toEqual(runners.map(() => "CEREMONY_EXPIRED"))
      await expectNothingKept(world)
    },
  )
})
