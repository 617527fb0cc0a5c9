/**
 * A party that holds up another one, so that the others find that one silent: what it owes everybody it gives to its victim
 * late, but in time. The victim has done nothing wrong, and nobody may name it.
 */
import { CEREMONY_TIMEOUTS } from "@twinlock/node/ceremony/ceremony"
import { COMMITTEE, partyAt, type Tamper } from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import { TOY_ROUNDS } from "@twinlock/node/ceremony/toyEngine.fixture"
import { plannedRounds } from "@twinlock/node/ceremony/verify/order"
import { createWorld, type World } from "@twinlock/node/ceremony/world.fixture"
import { describe, expect, test } from "vitest"
import { runToAbort } from "./outcome.ts"

const LIAR = 4
const VICTIM = 3
/** What the victim's own message takes: much less than the time of a round. */
const WORK_MS = 40_000

/** Echoes of the round that is named go from the liar to the victim so much later. */
function worldOf(roundName: string, delayMs: number): World {
  const round = plannedRounds(COMMITTEE, TOY_ROUNDS).findIndex(({ name }) => name === roundName)
  const holder: { world?: World } = {}
  const rest = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void holder.world?.clock.after(milliseconds, resolve))
  const tamper: Tamper = async (from, to, protocol, payload) => {
    const held = from === partyAt(LIAR).address && to === partyAt(VICTIM).address
    if (held && protocol === CEREMONY_PROTOCOLS.echo.id && payload[38] === round) await rest(delayMs)
    return [payload]
  }
  const world = createWorld({
    tamper,
    engine: (index, engine) => ({
      ...engine,
      crsUpdate: async (...args) => {
        if (index === VICTIM) await rest(WORK_MS)
        return engine.crsUpdate(...args)
      },
    }),
  })
  holder.world = world
  return world
}

describe("an echo that comes to one party at the last moment", () => {
  const { crsMs } = CEREMONY_TIMEOUTS

  test("does not make that party the silent one of the next round", async () => {
    const causes = await runToAbort(worldOf("crs-2", crsMs - 1_000))
    for (const [at, cause] of causes.entries()) {
      if (at + 1 === LIAR) continue
      expect(cause.culprits).toEqual([])
      if (cause.reportedBy === VICTIM) expect(cause.claimed).toEqual([LIAR])
    }
    expect(causes[0]).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: VICTIM, claimed: [LIAR] })
  })

  test("holds nobody up that it leaves time for its work", async () => {
    const ends = await worldOf("crs-2", crsMs / 2).run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
  })
})
