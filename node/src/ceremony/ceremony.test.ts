import { FrostKeyShare } from "@twinlock/sdk/threshold/frost"
import { describe, expect, test } from "vitest"
import { COMMITTEE, PARTIES, party } from "./party.fixture.ts"
import { FROST_SHARE_KIND, KEY_SHARE_KIND, seatName, shareContext } from "./shareVault.ts"
import { openToyShare } from "./toyEngine.fixture.ts"
import { createWorld, SEALING_KEY } from "./world.fixture.ts"

describe("an honest ceremony", () => {
  test("ends in one active key, the same transcript for all, and a share that only its own seat opens", async () => {
    const world = createWorld({ chunks: 9 })
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(["finished", "finished", "finished", "finished"])
    const digests = ends.map(({ records }) => records.map(({ digest }) => digest).join())
    expect(new Set(digests).size).toBe(1)
    expect(world.submitted.length).toBe(1)
    expect(world.progress).toEqual([
      ...["standing", "hello", "seed-commit", "seed-open", "inputs", "confirm"],
      ...["chunk-digests", "row-coin", "row-points", "public-key"],
      ...["crs-1", "crs-2", "crs-3", "crs-4"],
      ...["self-test-input", "self-test-verdicts", "self-test-shares"],
      ...["dkg-commit", "dkg-shares", "dkg-confirm", "activation", "group-signature"],
    ])
    for (const [at, store] of world.stores.entries()) {
      const seat = { keyId: COMMITTEE.keyId, epoch: COMMITTEE.epoch, party: party(at + 1) }
      const sealed = await store.get(KEY_SHARE_KIND, seatName(seat))
      const frost = await store.get(FROST_SHARE_KIND, seatName(seat))
      if (sealed === null || frost === null) throw new Error("a share is missing")
      expect(openToyShare(sealed, SEALING_KEY, shareContext(seat))).not.toBeNull()
      expect(
        openToyShare(sealed, SEALING_KEY, shareContext({ ...seat, party: party(((at + 1) % 4) + 1) })),
      ).toBeNull()
      expect(FrostKeyShare.decode(frost).party).toBe(at + 1)
    }
    expect(world.engines.flatMap(({ made }) => made.map(({ destroyed }) => destroyed))).toEqual(
      PARTIES.map(() => true),
    )
    const activation = world.submitted[0]?.activation
    const published = [activation?.publicKeyDigest, activation?.crsDigest]
    expect(published.map((digest) => digest !== undefined && world.blobs.has(digest))).toEqual([true, true])
  })
})
