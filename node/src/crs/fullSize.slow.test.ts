/** The whole CRS at 2048 bits: made on its own by parties of which one is silent; checks of the addon, record, audit. */
import { fromHex, sha256Digest, tagHash, toHex } from "@twinlock/sdk/protocol/codec"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { PARTIES as SEATS } from "../ceremony/party.fixture.ts"
import { createManualClock, holdingScheduler } from "../clock.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"
import { silentLogger } from "../telemetry/logger.ts"
import {
  type CrsContext,
  crsAssemble,
  crsAudit,
  crsCheck,
  crsFollow,
  crsLink,
  crsState,
  crsVerify,
} from "../threshold/crsCeremony.ts"
import { crsCommittee } from "./crsCommittee.ts"
import { type CrsRecord, verifyCrsRecord } from "./crsRecord.ts"
import { createTurnsRouter } from "./turnsRouter.ts"
import { runTurns, type TurnsResult } from "./turnsRunner.ts"
import { createUpdateProcess } from "./updateProcess.ts"

const COMMITTEE = crsCommittee(
  SEATS.map(({ address }) => address),
  1,
  tagHash("test/nonce"),
)
const CEREMONY_ID = fromHex(COMMITTEE.ceremony)
const TRANSCRIPT = new Uint8Array(32).fill(0x17)
/** Party 2 never starts. */
const PARTIES = [1, 3, 4].map((index) => parsePartyIndex(index, 4))
const TIMES = { deliveryMs: 1_000, turnMs: 60_000 }
const ENGINE = { crsVerify, crsLink, crsState, crsAudit, crsAssemble }
const contextOf = (round: number): CrsContext => ({
  ceremonyId: CEREMONY_ID,
  round,
  party: PARTIES[round - 1] ?? 0,
})

let results: readonly TurnsResult[] = []
/** Of each round. */
let messages: readonly Uint8Array[] = []
let states: readonly Uint8Array[] = []
const links = (): readonly Uint8Array[] => messages.map(crsLink)
const finished = () => results.flatMap((result) => (result.status === "finished" ? [result] : []))

beforeAll(async () => {
  const networks = createMemoryNetworks(COMMITTEE.parties)
  const clock = createManualClock()
  let entered = 0
  /** Time passes where all wait for the silent party, and where the next one waits for what it may have missed. */
  const pass = (turn: number): void => {
    entered += turn === 1 || turn === 2 ? 1 : 0
    if (turn === 1 && entered === PARTIES.length) setImmediate(() => clock.advance(TIMES.turnMs))
    if (turn === 2 && entered === 2 * PARTIES.length) setImmediate(() => clock.advance(2 * TIMES.deliveryMs))
  }
  const logger = {
    ...silentLogger,
    child: () => logger,
    info: (fields: Readonly<Record<string, unknown>>) => pass(Number(fields["turn"])),
  }
  const runs = PARTIES.map((index) => {
    const seat = SEATS[index - 1]
    const network = seat && networks.get(seat.address)
    if (seat === undefined || network === undefined) throw new Error("no network")
    return runTurns(COMMITTEE, index, TIMES, {
      ...{ network, router: createTurnsRouter(network), scheduler: clock, logger, sign: seat.sign },
      ...{ update: createUpdateProcess(holdingScheduler), engine: ENGINE },
    })
  })
  results = await Promise.all(runs.map(({ ended }) => ended))
  const updates = finished()[0]?.record.conclusion.updates ?? []
  messages = updates.map(({ message }) => runs[0]?.updateBytes(message) ?? new Uint8Array())
  states = messages.map(crsState)
  for (const run of runs) run.stop()
})

test("parties end with one file and a record of it; the silent one is skipped", async () => {
  expect(finished().map(({ skipped, faults }) => [skipped, faults])).toEqual(PARTIES.map(() => [[2], []]))
  const [digest = "", ...others] = new Set(finished().map(({ file }) => sha256Digest(file)))
  expect(others).toEqual([])
  const record = finished()[0]?.record as CrsRecord
  expect(await verifyCrsRecord(COMMITTEE, record, ENGINE)).toBe(digest)
  const changed = { ...record, state: flipped(record.state, 5000) }
  expect(await rejectionCodeOf(() => verifyCrsRecord(COMMITTEE, changed, ENGINE))).toBe("CRS_PREVIOUS")
})

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

describe("updates", () => {
  test("are 3,555,560 bytes, links 304", () => {
    expect(messages.map(({ length }) => length)).toEqual(PARTIES.map(() => 3_555_560))
    expect(links().map(({ length }) => length)).toEqual(PARTIES.map(() => 304))
  })

  test("hold the list that their verification returns", async () => {
    const verified = await crsVerify(states[0] ?? null, messages[1] ?? new Uint8Array(), contextOf(2))
    expect(Buffer.compare(verified, states[1] ?? new Uint8Array())).toBe(0)
  })

  test("are followed without a look at their points, which are checked by themselves", async () => {
    const [first, next] = [states[0] ?? null, states[1] ?? new Uint8Array()]
    const followed = await crsFollow(first, messages[1] ?? new Uint8Array(), contextOf(2))
    expect(Buffer.compare(followed, next)).toBe(0)
    await crsCheck(next)
    expect(await rejectionCodeOf(() => crsCheck(flipped(next, 5000)))).toBe("CRS_CURVE")
    const exchanged = next.slice()
    exchanged.set(next.subarray(112, 224), 224)
    exchanged.set(next.subarray(224, 336), 112)
    expect(await rejectionCodeOf(() => crsCheck(exchanged))).toBe("CRS_POWERS")
  })

  const second = (change: (honest: Uint8Array) => Uint8Array, context = contextOf(2)) =>
    rejectionCodeOf(async () =>
      crsVerify(states[0] ?? null, change(messages[1] ?? new Uint8Array()), context),
    )
  const GAP = 232 + 7936 * 112

  test.each<readonly [string, (honest: Uint8Array) => Uint8Array, string]>([
    ["as it is", (honest) => honest, "none"],
    ["without its last byte", (honest) => honest.subarray(0, -1), "CRS_LENGTH"],
    ["of another version", (honest) => flipped(honest, 7), "CRS_HEADER"],
    ["of another round", () => messages[0] ?? new Uint8Array(), "CRS_CONTEXT"],
    ["of another state", (honest) => flipped(honest, 50), "CRS_PREVIOUS"],
    ["with something in the gap", (honest) => flipped(honest, GAP), "CRS_GAP"],
    ["with another response", (honest) => flipped(honest, 200), "CRS_PROOF"],
    ["with another element", (honest) => flipped(honest, 5000), "CRS_PROOF"],
  ])("%s: the addon says so", async (_, change, code) => {
    expect(await second(change)).toBe(code)
  })
})

describe("the audit", () => {
  const audited = (change: {
    readonly parties?: readonly PartyIndex[]
    readonly links?: readonly Uint8Array[]
    readonly state?: Uint8Array
    readonly ceremonyId?: Uint8Array
  }) =>
    rejectionCodeOf(() =>
      crsAudit(
        change.ceremonyId ?? CEREMONY_ID,
        change.parties ?? PARTIES,
        change.links ?? links(),
        change.state ?? states[2] ?? new Uint8Array(),
        TRANSCRIPT,
      ),
    )

  test("ends in the digest of the file that parties assemble", async () => {
    const final = states[2] ?? new Uint8Array()
    const file = await crsAssemble(final, TRANSCRIPT)
    expect(toHex(await crsAudit(CEREMONY_ID, PARTIES, links(), final, TRANSCRIPT))).toBe(sha256Digest(file))
    const other = await crsAudit(CEREMONY_ID, PARTIES, links(), final, new Uint8Array(32))
    expect(toHex(other)).not.toBe(sha256Digest(file))
  })

  test("refuses by name", async () => {
    const [first = new Uint8Array(), second = new Uint8Array(), last = new Uint8Array()] = links()
    expect(await audited({})).toBe("none")
    expect(await audited({ parties: [...PARTIES].reverse() })).toBe("CRS_CONTEXT")
    expect(await audited({ parties: PARTIES.slice(0, 1) })).toBe("CRS_LENGTH")
    expect(await audited({ parties: PARTIES.slice(0, 1), links: [first] })).toBe("CRS_PREVIOUS")
    expect(await audited({ links: [first, first, last] })).toBe("CRS_CONTEXT")
    expect(await audited({ links: [first, second, flipped(last, 270)] })).toBe("CRS_PROOF")
    expect(await audited({ links: [first, second, last.subarray(1)] })).toBe("CRS_LENGTH")
    expect(await audited({ state: states[0] ?? new Uint8Array() })).toBe("CRS_PREVIOUS")
    expect(await audited({ ceremonyId: new Uint8Array(32) })).toBe("CRS_PROOF")
  })
})
