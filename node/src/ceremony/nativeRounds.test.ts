import { fromHex } from "@twinlock/sdk/protocol/codec"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { createManualClock } from "../clock.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { nativeEngine } from "../threshold/nativeEngine.ts"
import { bytesDigest } from "./digest.ts"
import type { CeremonyParty } from "./engine.ts"
import { createHeaderVerifier, sealedHashOf, signHeader } from "./header.ts"
import { decodeRoundMessage, type Expectation, encodeRoundMessage } from "./messages.ts"
import { nativeRounds } from "./nativeRounds.ts"
import {
  attemptOfParty,
  COMMITTEE,
  honest,
  PARTIES,
  partyAt,
  type Tamper,
  tamperedNetworks,
} from "./party.fixture.ts"
import type { Outgoing, Round } from "./rounds.ts"
import { createRouter } from "./router.ts"
import { rowRounds } from "./rowRounds.ts"
import { type EndState, startRunner } from "./runner.ts"

/** A few shared bits: the same rounds and checks as a real key. */
const BITS = 24

type Outcome = {
  readonly seeds: readonly string[]
  readonly causes: readonly (Extract<EndState, { readonly status: "aborted" }>["cause"] | null)[]
}

/** The addon's rounds among four parties in this process; `change` lets party 4 send something else. */
async function run(
  change: (name: string, honest: Outgoing) => Outgoing = (_, outgoing) => outgoing,
  tamper: Tamper = honest,
): Promise<Outcome> {
  const networks = tamperedNetworks(tamper)
  const parties: CeremonyParty[] = []
  const over = Promise.withResolvers<void>()
  let waiting = 0
  const runners = PARTIES.map(({ address, sign }, at) => {
    const network = networks.get(address)
    if (network === undefined) throw new Error("no network")
    const attempt = attemptOfParty(at + 1)
    const { n, t, keyId } = COMMITTEE
    const party = nativeEngine.createParty({
      ...{ n, t, bits: BITS, attempt: 1 },
      ceremonyId: fromHex(keyId),
      index: at + 1,
    })
    parties.push(party)
    const rows = rowRounds(attempt, {
      ...{ party, timeoutMs: 60_000, chunksTimeoutMs: 60_000 },
      // So few bits make no key: there is no chunk to check.
      engine: { keyLayout: () => ({ chunks: [], byteLength: 0 }) },
      chunks: { fetch: async () => new Uint8Array() },
      signal: new AbortController().signal,
      material: { get: () => ({ chunkDigests: [] }) },
      onAbsorbed: () => {},
    })
    const rounds = [...nativeRounds(attempt, party, 60_000), ...rows].map((round): Round => {
      const produce = async (...args: Parameters<Round["produce"]>) => {
        const outgoing = await round.produce(...args)
        return at === 3 ? change(round.spec.name, outgoing) : outgoing
      }
      return { ...round, produce }
    })
    return startRunner(
      {
        attempt,
        rounds,
        lifetime: new AbortController(),
        receive: async () => {},
        answer: async () => new Uint8Array(),
        submit: async () => {
          waiting++
          if (waiting === PARTIES.length) over.resolve()
        },
        watchChain: () => () => {},
        release: async () => {},
      },
      {
        network,
        sign,
        router: createRouter(network),
        scheduler: createManualClock(),
        logger: silentLogger,
        onProgress: () => {},
      },
    )
  })
  await Promise.race([over.promise, Promise.all(runners.map((runner) => runner.ended))])
  const ends = runners.map((runner) => runner.state())
  const seeds = ends.flatMap((state, at) =>
    state.status === "awaiting-chain" ? [Buffer.from(parties[at]?.publicSeed() ?? []).toString("hex")] : [],
  )
  const causes = ends.map((state) => (state.status === "aborted" ? state.cause : null))
  await Promise.all(runners.map((runner) => runner.stop()))
  for (const party of parties) party.destroy()
  return { seeds, causes }
}

const flipBroadcast =
  (round: string, at: number) =>
  (name: string, outgoing: Outgoing): Outgoing =>
    name === round
      ? {
          ...outgoing,
          broadcast: outgoing.broadcast.map((byte, offset) => (offset === at ? byte ^ 1 : byte)),
        }
      : outgoing

describe("the addon's rounds under the echo broadcast", () => {
  test("honest parties end with one public seed", async () => {
    const { seeds, causes } = await run()
    expect(causes).toEqual([null, null, null, null])
    expect(seeds.length).toBe(4)
    expect(new Set(seeds).size).toBe(1)
  })

  test("every round has a name of its own", () => {
    const { n, t, keyId } = COMMITTEE
    const party = nativeEngine.createParty({
      ceremonyId: fromHex(keyId),
      attempt: 1,
      n,
      t,
      index: 1,
      bits: BITS,
    })
    const names = [...party.rounds(), ...party.rowRounds()]
    party.destroy()
    expect(names.slice(-4)).toEqual(["product-points", "row-noise", "row-coin", "row-points"])
    expect(new Set(names).size).toBe(names.length)
    expect(names.every((name) => /^[a-z][a-z0-9-]*$/.test(name) && name.length <= 64)).toBe(true)
  })

  test.each([
    // The liar speaks of party 1's dealing: one of the two lies, and nobody else can know which.
    { round: "degree-points", check: "KEYGEN_DEGREE_CHECK", suspects: [1, 4] },
    { round: "product-points", check: "KEYGEN_PRODUCT_POINTS", suspects: [] },
  ])("a lie in the $round is found by the addon, and proves nobody", async ({ round, check, suspects }) => {
    const { seeds, causes } = await run(flipBroadcast(round, 40))
    expect(seeds).toEqual([])
    const honest = causes.slice(0, 3)
    const found = honest.filter((cause) => cause?.code === "CEREMONY_CHECK_FAILED")
    expect(found.length).toBeGreaterThan(0)
    for (const cause of found) expect(cause).toMatchObject({ round, check, culprits: [], suspects })
    for (const cause of honest) expect([cause?.culprits, cause?.claimed]).toEqual([[], []])
  })

  test("a sealed dealing that does not open names its dealer", async () => {
    const { seeds, causes } = await run((name, outgoing) =>
      name === "inputs"
        ? {
            ...outgoing,
            sealed: outgoing.sealed.map((box) =>
              box === null ? null : box.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
            ),
          }
        : outgoing,
    )
    expect(seeds).toEqual([])
    const found = causes.filter((cause) => cause?.check === "KEYGEN_SEALED_BOX")
    expect(found.length).toBeGreaterThan(0)
    for (const cause of found) expect(cause?.culprits).toEqual([4])
  })

  test("a coin of the rows that was not committed names its party", async () => {
    const { seeds, causes } = await run(flipBroadcast("row-coin", 3))
    expect(seeds).toEqual([])
    const found = causes.filter((cause) => cause?.check === "KEYGEN_COMMITMENT_MISMATCH")
    expect(found.length).toBeGreaterThan(0)
    for (const cause of found) expect(cause).toMatchObject({ round: "row-coin", culprits: [4] })
  })

  const longer = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...bytes, 0])

  test.each<[round: string, before: string, change: (outgoing: Outgoing) => Outgoing]>([
    ["hello", "hello", (outgoing) => ({ ...outgoing, broadcast: longer(outgoing.broadcast) })],
    [
      "inputs",
      "prss-confirm",
      (outgoing) => ({
        ...outgoing,
        sealed: outgoing.sealed.map((box) => (box === null ? null : longer(box))),
      }),
    ],
    ["coin", "level-1", (outgoing) => ({ ...outgoing, sealed: outgoing.sealed.map(() => Uint8Array.of(0)) })],
  ])("one byte too many in %s is refused before the addon sees it", async (round, before, change) => {
    const { causes } = await run((name, outgoing) => (name === round ? change(outgoing) : outgoing))
    const found = causes.filter((cause) => cause?.code === "CEREMONY_GARBLED")
    expect(found.length).toBeGreaterThan(0)
    for (const cause of found) {
      expect(cause?.culprits).toEqual([4])
      // Who is a round behind finds it there.
      expect([before, round]).toContain(cause?.round)
    }
  })

  test("an oversized hello is refused at the cap of its round", async () => {
    const { n, t, keyId } = COMMITTEE
    const ceremonyId = fromHex(keyId)
    const party = nativeEngine.createParty({ ...{ n, t, ceremonyId }, attempt: 1, index: 1 })
    const specs = nativeRounds(attemptOfParty(1), party, 60_000).map(({ spec }) => spec)
    party.destroy()
    expect(specs[0]).toMatchObject({ name: "hello", maxBroadcast: 1312, maxSealed: 0 })
    const broadcast = new Uint8Array(7 * 1024 * 1024)
    const [dave, attempt] = [partyAt(4), attemptOfParty(4)]
    const { proposalDigest: previous, self } = attempt
    const header = {
      ...{ keyId, previous, attempt: 1, round: 0, party: self },
      ...{ broadcastBytes: broadcast.length, broadcastHash: bytesDigest(broadcast) },
      sealedHashes: [null, null, null, null].map(sealedHashOf),
    }
    const payload = encodeRoundMessage(await signHeader(header, dave.sign), broadcast, null)
    const expected: Expectation = {
      attempt: attemptOfParty(1),
      from: self,
      verifyHeader: createHeaderVerifier(COMMITTEE, 1),
      limitsOf: (round) => specs[round] ?? null,
    }
    expect(codeOf(() => decodeRoundMessage(payload, expected))).toBe("CODEC_LIMIT")
  })

  test("broadcasts that do not decode name their sender", async () => {
    const { causes } = await run((name, outgoing) =>
      name === "hello" ? { ...outgoing, broadcast: new Uint8Array(3) } : outgoing,
    )
    const found = causes.filter((cause) => cause?.check === "KEYGEN_MESSAGE_MALFORMED")
    expect(found.length).toBeGreaterThan(0)
    for (const cause of found) expect(cause?.culprits).toEqual([4])
  })
})
