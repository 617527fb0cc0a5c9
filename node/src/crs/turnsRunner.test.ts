import { sha256Digest, tagHash } from "@twinlock/sdk/protocol/codec"
import type { Address, Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { bytesDigest } from "../ceremony/digest.ts"
import { PARTIES, testParty } from "../ceremony/party.fixture.ts"
import { toyEngine, toyLayout } from "../ceremony/toyEngine.fixture.ts"
import { createManualClock } from "../clock.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"
import type { Network } from "../p2p/network.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { recoverSigner } from "../threshold/signatures.ts"
import { createStatementCheck } from "./certificate.ts"
import { crsCommittee } from "./crsCommittee.ts"
import { judgeCrsFault } from "./crsFault.ts"
import { verifyCrsRecord } from "./crsRecord.ts"
import { party, toyChecks } from "./toyCrs.fixture.ts"
import { encodeUpdateQuery } from "./turnsMessages.ts"
import { createTurnsRouter, UPDATE_PROTOCOL } from "./turnsRouter.ts"
import { runTurns, type TurnsResult, type TurnsRun } from "./turnsRunner.ts"
import type { UpdateCrs } from "./updateProcess.ts"

const COMMITTEE = crsCommittee(
  PARTIES.map(({ address }) => address),
  1,
  tagHash("test/nonce"),
)
const TIMES = { deliveryMs: 1_000, turnMs: 20_000 }
const engine = toyChecks(toyEngine(toyLayout(1)))

type Run = { readonly runs: readonly TurnsRun[]; readonly results: readonly TurnsResult[] }

/** All parties in this process, over real signatures; null stands for one that never starts. */
async function run(updates: (index: PartyIndex) => UpdateCrs | null = () => engine.crsUpdate): Promise<Run> {
  const networks = createMemoryNetworks(COMMITTEE.parties)
  const clock = createManualClock()
  const runs = PARTIES.flatMap(({ address, sign }, at) => {
    const update = updates(party(at + 1))
    const network = networks.get(address)
    if (update === null || network === undefined) return []
    const router = createTurnsRouter(network)
    const deps = {
      network,
      router,
      scheduler: clock,
      logger: silentLogger,
      sign,
      recover: recoverSigner,
      update,
      engine,
    }
    return [runTurns(COMMITTEE, party(at + 1), TIMES, deps)]
  })
  let over = false
  const results = Promise.all(runs.map(({ ended }) => ended)).finally(() => {
    over = true
  })
  while (!over) {
    for (let idle = 0; idle < 50; idle++) await new Promise(setImmediate)
    clock.advance(500)
  }
  return { runs, results: await results }
}

const recordsOf = (results: readonly TurnsResult[]) =>
  results.flatMap((result) => (result.status === "finished" ? [result] : []))

describe("parties of a CRS on its own", () => {
  test("end with one file that anybody can check", async () => {
    const { results } = await run()
    const finished = recordsOf(results)
    expect(finished.map(({ skipped }) => skipped)).toEqual([[], [], [], []])
    expect(new Set(finished.map(({ file }) => sha256Digest(file))).size).toBe(1)
    for (const { record, file } of finished)
      expect(await verifyCrsRecord(COMMITTEE, record, engine)).toBe(sha256Digest(file))
  })

  test("pass over one that never starts, and blame nobody", async () => {
    const finished = recordsOf((await run((index) => (index === 2 ? null : engine.crsUpdate))).results)
    expect(finished.map(({ skipped, faults }) => [skipped, faults])).toEqual([1, 2, 3].map(() => [[2], []]))
    expect(new Set(finished.map(({ file }) => sha256Digest(file))).size).toBe(1)
  })

  test("pass over one whose update fails", async () => {
    const failing: UpdateCrs = async () => {
      throw new Error("no memory")
    }
    const finished = recordsOf((await run((index) => (index === 4 ? failing : engine.crsUpdate))).results)
    expect(finished.map(({ skipped, faults }) => [skipped, faults])).toEqual(
      [1, 2, 3, 4].map(() => [[4], []]),
    )
  })

  test("name one whose update does not hold, with evidence", async () => {
    const wrong: UpdateCrs = (previous, context, signal) =>
      engine.crsUpdate(previous, { ...context, round: context.round + 1 }, signal)
    const { runs, results } = await run((index) => (index === 3 ? wrong : engine.crsUpdate))
    for (const [at, { skipped, faults }] of recordsOf(results).entries()) {
      expect(skipped).toEqual([3])
      expect(faults).toMatchObject([{ kind: "refused-update", refusal: "CRS_PROOF" }])
      const [fault] = faults
      const bytesOf = runs[at]?.updateBytes
      if (fault === undefined || bytesOf === undefined) throw new Error("no evidence")
      const check = createStatementCheck(COMMITTEE)
      expect(await judgeCrsFault(COMMITTEE, fault, check, bytesOf, engine)).toBe(3)
    }
  })

  test("make none where t or fewer contribute", async () => {
    const failing: UpdateCrs = async () => {
      throw new Error("no memory")
    }
    const { results } = await run((index) => (index === 1 ? engine.crsUpdate : failing))
    expect(results).toMatchObject([1, 2, 3, 4].map(() => ({ status: "failed", code: "CRS_TOO_FEW" })))
  })

  test("may be stopped", async () => {
    const [network] = createMemoryNetworks(COMMITTEE.parties).values()
    const [alice] = PARTIES
    if (network === undefined || alice === undefined) throw new Error("no network")
    const only = runTurns(COMMITTEE, party(1), TIMES, {
      ...{ network, router: createTurnsRouter(network), scheduler: createManualClock() },
      ...{ logger: silentLogger, sign: alice.sign, update: engine.crsUpdate, engine },
    })
    only.stop()
    expect(await rejectionCodeOf(() => only.ended)).toBe("CRS_STOPPED")
  })
})

test("a node gives nothing to strangers, nor what it does not have", async () => {
  const stranger = testParty("mallory")
  const networks = createMemoryNetworks([...COMMITTEE.parties, stranger.address])
  const [alice, bob] = PARTIES
  const at = (address: Address | undefined): Network => {
    const network = address && networks.get(address)
    if (network === undefined) throw new Error("no network")
    return network
  }
  if (alice === undefined || bob === undefined) throw new Error("no parties")
  const network = at(alice.address)
  const served = Promise.withResolvers<Digest>()
  const only = runTurns(COMMITTEE, party(1), TIMES, {
    ...{ network, router: createTurnsRouter(network), scheduler: createManualClock() },
    ...{ logger: silentLogger, sign: alice.sign, engine },
    update: async (previous, context, signal) => {
      const bytes = await engine.crsUpdate(previous, context, signal)
      setImmediate(() => served.resolve(bytesDigest(bytes)))
      return bytes
    },
  })
  const own = await served.promise
  const ask = (from: Address, ceremony: Digest, message: Digest) =>
    rejectionCodeOf(() =>
      at(from).request(alice.address, UPDATE_PROTOCOL, encodeUpdateQuery(ceremony, message)),
    )
  expect(await ask(bob.address, COMMITTEE.ceremony, own)).toBe("none")
  expect(await ask(stranger.address, COMMITTEE.ceremony, own)).toBe("PEER_REFUSED")
  expect(await ask(bob.address, COMMITTEE.ceremony, tagHash("test/other"))).toBe("PEER_REFUSED")
  expect(await ask(bob.address, tagHash("test/other"), own)).toBe("PEER_REFUSED")
  only.stop()
  expect(await ask(bob.address, COMMITTEE.ceremony, own)).toBe("PEER_REFUSED")
  expect(await rejectionCodeOf(() => only.ended)).toBe("CRS_STOPPED")
})
