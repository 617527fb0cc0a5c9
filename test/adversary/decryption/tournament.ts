/** Every strategy against one committee size, with traitors at random and at the worst places. */
import { describe, expect, test } from "vitest"
import { createArena, type Placement, type Size } from "./arena.ts"
import { judge } from "./judge.ts"
import { STRATEGIES } from "./strategies/all.ts"

const PLACEMENTS: readonly Placement[] = ["random", "worst"]

export function tournament(size: Size): void {
  describe.each(PLACEMENTS)("traitors at %s places", (placement) => {
    test.each(STRATEGIES)("$name: $tries", async (strategy) => {
      const arena = createArena(size, placement, strategy)
      await arena.fight()
      expect((await judge(arena, strategy)).broken).toEqual([])
    })
  })
}
