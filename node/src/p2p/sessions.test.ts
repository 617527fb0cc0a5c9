import type { Connection } from "@libp2p/interface"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { createSessions, type Sessions } from "./sessions.ts"
import { address, digest, record } from "./testSupport.fixture.ts"

const alice = record(address(1), digest(1))
const bob = record(address(2), digest(2))
/** A standing that outlasts every test. */
const LONG = 1e9
const connection = (id: string, peer: string): Connection =>
  ({ id, remotePeer: { toString: () => peer } }) as unknown as Connection

function table(): { sessions: Sessions; clock: ReturnType<typeof createManualClock>; log: string[] } {
  const clock = createManualClock(0)
  const log: string[] = []
  const sessions = createSessions(clock, (peerId, on) => log.push(`${peerId} ${on?.id ?? "gone"}`))
  return { sessions, clock, log }
}

const peers = (sessions: Sessions): readonly Address[] => sessions.peers()

describe("sessions", () => {
  test("a served peer is answered but not used before it is ready", () => {
    const { sessions, log } = table()
    const one = connection("1", "alice")
    sessions.serve(one, alice, 100, LONG)
    expect(sessions.served(one)).toBe(alice)
    expect(sessions.usable(alice.signer)).toBeNull()
    sessions.ready(one)
    expect(sessions.usable(alice.signer)).toBe(one)
    expect(log).toEqual(["alice 1"])
  })

  test("another connection of an attested peer is not served", () => {
    const { sessions } = table()
    sessions.serve(connection("1", "alice"), alice, 100, LONG)
    expect(sessions.served(connection("2", "alice"))).toBeNull()
  })

  test("with two connections the second takes over when the first is gone", () => {
    const { sessions, log } = table()
    const [one, two] = [connection("1", "alice"), connection("2", "alice")]
    for (const each of [one, two]) {
      sessions.serve(each, alice, 100, LONG)
      sessions.ready(each)
    }
    expect(peers(sessions)).toEqual([alice.signer])
    sessions.drop(one)
    expect(sessions.usable(alice.signer)).toBe(two)
    sessions.drop(two)
    expect(log).toEqual(["alice 1", "alice gone", "alice 2", "alice gone"])
  })

  test("a lapsed standing suspends and a renewed one resumes", () => {
    const { sessions, log } = table()
    const one = connection("1", "bob")
    sessions.serve(one, bob, 100, LONG)
    sessions.ready(one)
    sessions.setStanding(one, bob, 0)
    expect([sessions.served(one), sessions.usable(bob.signer)]).toEqual([null, null])
    sessions.setStanding(one, bob, LONG)
    expect([sessions.served(one), sessions.usable(bob.signer)]).toEqual([bob, one])
    expect(log).toEqual(["bob 1", "bob gone", "bob 1"])
  })

  test("an attestation that ran out is neither served nor used", () => {
    const { sessions, clock } = table()
    const one = connection("1", "bob")
    sessions.serve(one, bob, 100, LONG)
    sessions.ready(one)
    clock.advance(100)
    expect([sessions.served(one), sessions.usable(bob.signer), sessions.peers()]).toEqual([null, null, []])
  })

  test("a registration that ran out since it was read is neither served nor used until it is renewed", () => {
    const { sessions, clock } = table()
    const one = connection("1", "bob")
    sessions.serve(one, bob, LONG, 2_000)
    sessions.ready(one)
    clock.advance(1_999)
    expect(sessions.served(one)?.signer).toBe(bob.signer)
    clock.advance(1)
    expect([sessions.served(one), sessions.usable(bob.signer), sessions.peers()]).toEqual([null, null, []])
    sessions.setStanding(one, bob, LONG)
    expect([sessions.served(one), sessions.usable(bob.signer)]).toEqual([bob, one])
  })
})
