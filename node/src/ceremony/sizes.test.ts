import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES } from "../../../test/support/committeeSizes.ts"
import { testParty } from "./party.fixture.ts"
import { createWorld } from "./world.fixture.ts"

describe("a whole ceremony", () => {
  test.each(COMMITTEE_SIZES)(
    "of $n parties of which $t may lie ends in one active key and one transcript",
    async ({ n, t }) => {
      const parties = Array.from({ length: n }, (_, at) => testParty(`party ${at + 1}`))
      // Every party sums a chunk.
      const world = createWorld({ parties, t, chunks: n + 1 })
      const ends = await world.run()
      expect(ends.map(({ status }) => status)).toEqual(parties.map(() => "finished"))
      expect(world.submitted.map(({ signatures }) => signatures.length)).toEqual([n])
      const bundles = [...world.transcripts.values()].map((bundle) => Buffer.from(bundle).toString("hex"))
      expect([bundles.length, new Set(bundles).size]).toEqual([n, 1])
    },
    600_000,
  )
})
