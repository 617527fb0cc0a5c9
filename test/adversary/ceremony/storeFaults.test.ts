/**
 * The coordinator as the faulty one, in what it does to the chunks of a key. Nobody trusts it, so nobody is held responsible
 * for it: the parties get their chunks from each other, and only who keeps to itself what it signed is named.
 */
import { createWorld } from "@twinlock/node/ceremony/world.fixture"
import { describe, expect, test } from "vitest"
import { runToAbort } from "./outcome.ts"
import { faultyStore, STORE_FAULTS } from "./storeFaults.ts"
import { flip } from "./tampering.ts"

const SEATS = [1, 2, 3, 4]

describe("a store that", () => {
  test.each(STORE_FAULTS)("%s holds no party up", async (fault) => {
    const world = createWorld({ deps: faultyStore(fault) })
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(SEATS.map(() => "finished"))
    expect(world.chain.record.status).toBe("active")
  })

  test("hands out other bytes to everybody ends the ceremony with its executors, and nobody is named", async () => {
    const causes = await runToAbort(createWorld({ blobs: (_, bytes) => flip(bytes, 0) }))
    for (const cause of causes)
      expect([cause.culprits, cause.suspects, cause.claimed, cause.claimedSuspects]).toEqual([[], [], [], []])
    expect(causes.map(({ check }) => check)).toContain("SELF_TEST_REFUSED")
  })
})

describe("a store that has no chunk, and a party that", () => {
  test.each<[string, () => Promise<Uint8Array>, string]>([
    ["refuses its own", () => Promise.reject(new Error("no")), "CHUNK_UNAVAILABLE"],
    ["keeps its own to itself", () => new Promise(() => {}), "CHUNK_UNAVAILABLE"],
    ["sends other bytes than it signed", async () => new Uint8Array(48), "CHUNK_DIFFERS"],
  ])("%s: it is named, and nobody else", async (_, answer, check) => {
    const causes = await runToAbort(
      createWorld({
        deps: faultyStore("has no chunk"),
        prepare: (index, options) => (index === 2 ? { ...options, answer } : options),
      }),
    )
    const honest = causes.filter((_, at) => at !== 1)
    for (const cause of honest) {
      if (cause.code === "CEREMONY_CHECK_FAILED") expect(cause).toMatchObject({ check, culprits: [2] })
      else expect(cause).toMatchObject({ code: "CEREMONY_PEER_ABORTED", culprits: [], claimed: [2] })
    }
    expect(honest.map((cause) => cause.check)).toContain(check)
  })
})
