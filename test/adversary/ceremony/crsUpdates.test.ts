import type { CeremonyDeps } from "@twinlock/node/ceremony/ceremony"
import type { KeygenEngine } from "@twinlock/node/ceremony/engine"
import type { ToyEngine } from "@twinlock/node/ceremony/toyEngine.fixture"
import { createWorld } from "@twinlock/node/ceremony/world.fixture"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { roundAt, SMALL } from "./failureScene.ts"
import { runToAbort } from "./outcome.ts"
import { tamperWhere } from "./tampering.ts"

const CRS_3 = roundAt(SMALL, "crs-3")
/** A list of the toy engine. */
const LIST_BYTES = 16

describe("updates of the CRS", () => {
  type Change = (honest: Promise<Uint8Array>) => Promise<Uint8Array>
  const engineOf =
    (liars: number | readonly number[], change: Change) =>
    (index: number, engine: ToyEngine): KeygenEngine =>
      [liars].flat().includes(index)
        ? { ...engine, crsUpdate: (...args) => change(engine.crsUpdate(...args)) }
        : engine
  /** A list that is malformed, with a proof of knowledge that holds. */
  const malformed: Change = async (honest) => (await honest).fill(0, 0, 16)

  test.each([
    { liars: [1], foundIn: "crs-2" },
    { liars: [3], foundIn: "crs-4" },
    { liars: [4], foundIn: "crs-4" },
    { liars: [2, 3], foundIn: "crs-4" },
  ])(
    "malformed lists of $liars: who made the first is named by all in $foundIn",
    async ({ liars, foundIn }) => {
      const updated: Uint8Array[] = []
      const dishonest = engineOf(liars, malformed)
      const world = createWorld({
        engine: (index, engine) => {
          const liar = liars.includes(index)
          let checks = 0
          const watched: ToyEngine = {
            ...engine,
            // A liar does not refuse the list before its own.
            crsCheck: (state) => (liar && checks++ === 0 ? Promise.resolve() : engine.crsCheck(state)),
            crsUpdate(previous, ...args) {
              if (previous !== null && !liar) updated.push(previous)
              return engine.crsUpdate(previous, ...args)
            },
          }
          return dishonest(index, watched)
        },
      })
      const causes = await runToAbort(world)
      const honest = causes.filter((_, index) => !liars.includes(index + 1))
      for (const cause of honest) {
        expect(cause.round).toBe(foundIn)
        expect([cause.culprits, cause.claimed].flat()).toEqual([liars[0]])
      }
      expect(honest.map((cause) => cause.check)).toContain("CRS_POWERS")
      for (const list of updated) expect(list.every((byte) => byte === 0)).toBe(false)
    },
  )

  test("a party whose disk exchanges lists names nobody for them", async () => {
    const exchanging = (sums: CeremonyDeps["sums"]): CeremonyDeps["sums"] => {
      const lists = new Set<string>()
      return {
        ...sums,
        put: (digest, bytes) => {
          if (bytes.length === LIST_BYTES) lists.add(digest)
          return sums.put(digest, bytes)
        },
        get: async (digest) => (lists.has(digest) ? new Uint8Array(LIST_BYTES) : sums.get(digest)),
      }
    }
    const world = createWorld({
      engine: engineOf(2, malformed),
      deps: (index, deps) => (index === 1 ? { ...deps, sums: exchanging(deps.sums) } : deps),
    })
    const causes = await runToAbort(world)
    expect(causes[0]).toMatchObject({ round: "crs-3", culprits: [] })
    expect(causes[3]).toMatchObject({ round: "crs-3", culprits: [2] })
  })

  test.each([1, 3])("party %i that refuses a good list, or none, is named by all", async (liar) => {
    const causes = await runToAbort(createWorld({ engine: engineOf(liar, async () => new Uint8Array()) }))
    const honest = causes.filter((_, index) => index + 1 !== liar)
    for (const cause of honest) expect([cause.culprits, cause.claimed].flat()).toEqual([liar])
    expect(causes.map((cause) => cause.check)).toContain("CRS_REFUSAL")
  })

  describe("an addon that fails on a list is no judgement of it", () => {
    const failing = () => Promise.reject(new ProtocolError({ code: "NATIVE_INTERNAL", message: "out" }))
    const failingAt = (at: number, step: "crsCheck" | "crsAssemble", others = engineOf([], malformed)) =>
      createWorld({
        engine: (index, engine) => (index === at ? { ...engine, [step]: failing } : others(index, engine)),
      })

    test.each([
      { at: 3, step: "crsCheck", round: "crs-3" },
      { at: 2, step: "crsAssemble", round: "crs-4" },
    ] as const)("party $at's $step", async ({ at, step, round }) => {
      const causes = await runToAbort(failingAt(at, step))
      expect(causes[at - 1]).toMatchObject({ round, check: "NATIVE_INTERNAL", culprits: [] })
      for (const cause of causes) expect([cause.culprits, cause.claimed].flat()).toEqual([])
    })

    test("after a refusal", async () => {
      const causes = await runToAbort(failingAt(1, "crsCheck", engineOf(2, malformed)))
      expect(causes[0]?.culprits).toEqual([])
      expect(causes[3]).toMatchObject({ round: "crs-3", culprits: [2] })
    })
  })

  test("a party that stays silent in its turn ends the ceremony, named by all", async () => {
    const causes = await runToAbort(createWorld({ tamper: tamperWhere({ from: 3, round: CRS_3 }, () => []) }))
    const honest = [causes[0], causes[1], causes[3]]
    for (const cause of honest) {
      expect(cause?.round).toBe("crs-3")
      expect([cause?.culprits, cause?.claimed].flat()).toEqual([3])
    }
    expect(honest.map((cause) => cause?.code)).toContain("CEREMONY_NO_MESSAGE")
  })

  test("a party whose update process fails ends the ceremony by itself, and says so", async () => {
    const failed = () =>
      Promise.reject(new ProtocolError({ code: "CRS_UPDATE_FAILED", message: "the process ended" }))
    const causes = await runToAbort(createWorld({ engine: engineOf(2, failed) }))
    expect(causes[1]).toMatchObject({ round: "crs-2", check: "CRS_UPDATE_FAILED", culprits: [] })
    for (const cause of [causes[0], causes[2], causes[3]])
      expect(cause).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: 2 })
  })
})
