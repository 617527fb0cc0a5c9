/**
 * An executor that is faulty in what it tells the parties of a ceremony. Whatever it does, it holds no seat that could be named,
 * and it must bring nobody to name a party: one whose verdicts are kept from it least of all.
 */
import { CEREMONY_TIMEOUTS } from "@twinlock/node/ceremony/ceremony"
import { EXECUTORS, partyAt, type Tamper } from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import { decodeVerdict, encodeVerdict, signVerdict } from "@twinlock/node/ceremony/verdict"
import { createWorld, type World } from "@twinlock/node/ceremony/world.fixture"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { describe, expect, test } from "vitest"
import { runToAbort } from "./outcome.ts"
import { flip } from "./tampering.ts"

const VICTIM = 3
const [erin] = EXECUTORS
if (erin === undefined) throw new Error("no executor")

type Change = (payload: Uint8Array, world: () => World) => Promise<readonly Uint8Array[]>

/** The first executor does `change` to what it tells the victim, or everybody. */
function worldOf(change: Change, to: "one party" | "all"): World {
  const holder: { world?: World } = {}
  const worldNow = (): World => {
    if (holder.world === undefined) throw new Error("no world yet")
    return holder.world
  }
  const tamper: Tamper = async (from, receiver, protocol, payload) =>
    from === erin?.address &&
    protocol === CEREMONY_PROTOCOLS.verdict.id &&
    (to === "all" || receiver === partyAt(VICTIM).address)
      ? change(payload, worldNow)
      : [payload]
  const world = createWorld({ tamper })
  holder.world = world
  return world
}

const otherResult: Change = async (payload) => {
  const { signature: _, ...verdict } = decodeVerdict(payload)
  const outcome = { ok: true, resultDigest: taggedHash("another result") } as const
  return [encodeVerdict(await signVerdict({ ...verdict, outcome }, erin.sign))]
}
const refusal: Change = async (payload) => {
  const { signature: _, ...verdict } = decodeVerdict(payload)
  return [encodeVerdict(await signVerdict({ ...verdict, outcome: { ok: false, code: "NO" } }, erin.sign))]
}
const late: Change = async (payload, world) => {
  await new Promise<void>((resolve) => void world().clock.after(2 * CEREMONY_TIMEOUTS.verdictsMs, resolve))
  return [payload]
}
const FAULTS: readonly (readonly [string, Change, string])[] = [
  ["dropped", async () => [], "SELF_TEST_SILENT"],
  ["delayed", late, "SELF_TEST_SILENT"],
  ["corrupted", async (payload) => [flip(payload, -1)], "SELF_TEST_SILENT"],
  ["on another result", otherResult, "SELF_TEST_SILENT"],
  ["a refusal", refusal, "SELF_TEST_REFUSED"],
]

describe.each(["one party", "all"] as const)("a verdict for %s", (to) => {
  test.each(FAULTS)("that is %s ends the ceremony, and no party is named", async (_, change, check) => {
    const causes = await runToAbort(worldOf(change, to))
    for (const cause of causes)
      expect([cause.culprits, cause.suspects, cause.claimed, cause.claimedSuspects]).toEqual([[], [], [], []])
    expect(causes[VICTIM - 1]).toMatchObject({ code: "CEREMONY_CHECK_FAILED", check })
  })

  test("that comes twice, or is changed when it comes again, counts as it came first", async () => {
    const world = worldOf(
      async (payload, now) => [payload, payload, ...(await otherResult(payload, now))],
      to,
    )
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
  })
})
