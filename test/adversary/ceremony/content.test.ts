import { dkgSessionOf } from "@twinlock/node/ceremony/dkgRounds"
import { decodeDigestList, encodeDigestList } from "@twinlock/node/ceremony/keyRounds"
import { attemptOfParty, COMMITTEE } from "@twinlock/node/ceremony/party.fixture"
import { publicMessage } from "@twinlock/node/ceremony/rounds"
import { xwingSealing } from "@twinlock/node/ceremony/shareSealing"
import { createWorld, type World } from "@twinlock/node/ceremony/world.fixture"
import { fromHex, taggedHash } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { describe, expect, test } from "vitest"
import { lieInRound } from "./lying.ts"
import { runToAbort } from "./outcome.ts"
import { flip } from "./tampering.ts"

const CHUNKS = 6
const SEED_BYTES = 32
/** Another sum, or one that is no value at all. */
const WRONG_RESULT = /SELF_TEST_WRONG|PLAINTEXT_RANGE/

describe("a lie that everybody sees the same is found by everybody's own check, which names the liar", () => {
  test.each([
    { round: "standing", liar: 4, check: "QUOTE_SIGNATURE", at: 0 },
    { round: "seed-open", liar: 2, check: "COMMIT_MISMATCH", at: 0 },
    { round: "confirm", liar: 1, check: "CONFIRM_MISMATCH", at: 0 },
    { round: "row-coin", liar: 2, check: "COMMIT_MISMATCH", at: 0 },
    { round: "public-key", liar: 3, check: "PUBLIC_KEY_DIFFERS", at: 0 },
    { round: "crs-2", liar: 2, check: "CRS_PROOF", at: 20 },
    { round: "self-test-verdicts", liar: 3, check: "SIGNATURE_SIGNER", at: 100 },
    { round: "self-test-shares", liar: 4, check: "SELF_TEST_SHARE", at: 0 },
    { round: "dkg-commit", liar: 2, check: "DKG_POSSESSION", at: 140 },
    { round: "dkg-confirm", liar: 3, check: "DKG_PACKAGE_DIFFERS", at: 40 },
  ])("$round: $check", async ({ round, liar, check, at }) => {
    const lie = lieInRound(liar, round, ({ broadcast }) => publicMessage(flip(broadcast, at)))
    const world = createWorld({ prepare: lie })
    const causes = await runToAbort(world)
    const honest = causes.filter((_, index) => index + 1 !== liar)
    for (const cause of honest) expect([cause.culprits, cause.claimed].flat()).toEqual([liar])
    expect(honest.map((cause) => cause.check)).toContain(check)
    if (liar !== 1) expect(world.progress.at(-1)).toBe(round)
  })
})

describe("what fails at a node that checks names nobody", () => {
  const failing = (code: string) => () => Promise.reject(new ProtocolError({ code, message: "out" }))

  test.each([
    "CHAIN_UNAVAILABLE",
    "CHAIN_DISAGREEMENT",
    "COLLATERAL_STALE",
    "TCB_INFO_EXPIRED",
    "EVIDENCE_AHEAD",
  ])("its chain or its service of collateral: %s", async (code) => {
    const world = createWorld({
      deps: (index, deps) => (index === 2 ? { ...deps, checkEvidence: failing(code) } : deps),
    })
    const causes = await runToAbort(world)
    expect(causes[1]).toMatchObject({ round: "standing", check: code, culprits: [], suspects: [] })
    for (const cause of causes) expect([cause.culprits, cause.claimed].flat()).toEqual([])
  })

  test("its addon", async () => {
    const world = createWorld({
      engine: (index, engine) =>
        index === 3 ? { ...engine, crsFollow: failing("NATIVE_INTERNAL") } : engine,
    })
    const causes = await runToAbort(world)
    expect(causes[2]).toMatchObject({ round: "crs-1", check: "NATIVE_INTERNAL", culprits: [] })
    for (const cause of causes) expect([cause.culprits, cause.claimed].flat()).toEqual([])
  })
})

test("a self-test list without its proof names party 1, which made it", async () => {
  const world = createWorld({
    engine: (index, engine) => ({
      ...engine,
      encryptSelfTest: async (...args) => flip(await engine.encryptSelfTest(...args), 0),
      verifyInputList: (...args) => (index === 1 ? Promise.resolve([2, 2]) : engine.verifyInputList(...args)),
    }),
  })
  const causes = await runToAbort(world)
  for (const cause of causes.slice(1)) expect([cause.culprits, cause.claimed].flat()).toEqual([1])
  expect(causes.slice(1).map((cause) => cause.check)).toContain("INPUT_PROOF_INVALID")
})

describe("contributions", () => {
  test("what a party says it contributed must be what it sent", async () => {
    const lie = lieInRound(3, "chunk-digests", ({ broadcast }) => {
      const { sums, contributed } = decodeDigestList(broadcast, 1, CHUNKS)
      const other = contributed.map((digest, chunk) => (chunk === 1 ? taggedHash("other") : digest))
      return publicMessage(encodeDigestList({ sums, contributed: other }))
    })
    const causes = await runToAbort(createWorld({ chunks: CHUNKS, prepare: lie }))
    expect(causes[1]).toMatchObject({ check: "CHUNK_MISMATCH", culprits: [3] })
  })

  test("a list of another length is refused", async () => {
    const lie = lieInRound(3, "chunk-digests", ({ broadcast }) => {
      const { sums, contributed } = decodeDigestList(broadcast, 1, CHUNKS)
      return publicMessage(encodeDigestList({ sums: [], contributed: [...contributed, ...sums] }))
    })
    const causes = await runToAbort(createWorld({ chunks: CHUNKS, prepare: lie }))
    for (const cause of [causes[0], causes[1], causes[3]])
      expect([cause?.culprits, cause?.claimed].flat()).toEqual([3])
  })

  /** Another digest for the sum of one chunk than what was published. */
  const otherSum = (liar: number, at: number) =>
    lieInRound(liar, "chunk-digests", ({ broadcast }) => {
      const own = liar <= CHUNKS % 4 ? 2 : 1
      const { sums, contributed } = decodeDigestList(broadcast, own, CHUNKS)
      const changed = sums.map((digest, chunk): Digest => (chunk === at ? taggedHash("other") : digest))
      return publicMessage(encodeDigestList({ sums: changed, contributed }))
    })

  test("a digest without a published public key chunk names its summing party", async () => {
    const causes = await runToAbort(createWorld({ chunks: CHUNKS, prepare: otherSum(1, 0) }))
    const honest = causes.slice(1)
    for (const cause of honest) expect([cause.culprits, cause.claimed].flat()).toEqual([1])
    expect(honest.map((cause) => cause.check)).toContain("CHUNK_UNAVAILABLE")
  })

  test("a digest without a published chunk of the server key names its summing party", async () => {
    const world = createWorld({ chunks: CHUNKS, prepare: otherSum(4, 0) })
    const causes = await runToAbort(world)
    const honest = causes.slice(0, 3)
    for (const cause of honest) expect([cause.culprits, cause.claimed].flat()).toEqual([4])
    expect(honest.map((cause) => cause.check)).toContain("CHUNK_UNAVAILABLE")
    expect(world.progress.at(-1)).toBe("row-points")
  })
})

describe("the row check", () => {
  /** Every party refuses with the code, nobody is named, and it happens in the round of the points. */
  async function refusedBySums(world: World, check: string): Promise<void> {
    const causes = await runToAbort(world)
    expect(causes.map((cause) => cause.check)).toContain(check)
    for (const cause of causes) expect([cause.culprits, cause.claimed].flat()).toEqual([])
    expect(world.progress.at(-1)).toBe("row-points")
    // The toy's public key is the seed and a chunk: nobody has published one.
    const blobs = [...world.blobs.values()]
    const isKey = (blob: Uint8Array) =>
      blobs.some((chunk) => Buffer.compare(blob.subarray(SEED_BYTES), chunk) === 0)
    expect(blobs.filter(isKey)).toEqual([])
  }

  test("a wrong sum that everybody agrees on is refused", async () => {
    const world = createWorld({
      engine: (index, engine) => ({
        ...engine,
        addInto(accumulator, contribution, wordBytes) {
          engine.addInto(accumulator, contribution, wordBytes)
          if (index === 1) accumulator[accumulator.length - 1] = (accumulator.at(-1) ?? 0) ^ 0x40
        },
      }),
    })
    await refusedBySums(world, "ROW_SUM")
  })

  test("a contribution to a chunk that another party sums is refused where it is wrong", async () => {
    const world = createWorld({
      chunks: CHUNKS,
      engine: (index, engine) => ({
        ...engine,
        createParty: (config) => {
          const party = engine.createParty(config)
          if (index !== 3) return party
          const contribution = party.contribution.bind(party)
          return Object.assign(party, {
            contribution: async (chunk: number) => {
              const own = await contribution(chunk)
              return chunk === 5 ? flip(own, 0) : own
            },
          })
        },
      }),
    })
    await refusedBySums(world, "ROW_SUM")
  })

  test("points that fit no honest sum are refused", async () => {
    const lie = lieInRound(3, "row-points", ({ broadcast }) => publicMessage(flip(broadcast, 70)))
    await refusedBySums(createWorld({ prepare: lie }), "ROW_POINTS")
  })

  test("points open only after the coin: a party without it has nothing to say", async () => {
    const world = createWorld({ prepare: lieInRound(2, "row-coin", () => publicMessage(new Uint8Array(32))) })
    const causes = await runToAbort(world)
    for (const cause of causes.filter((_, index) => index !== 1))
      expect([cause.culprits, cause.claimed].flat()).toEqual([2])
    expect(world.progress.at(-1)).toBe("row-coin")
  })
})

describe("the group's signing key", () => {
  test("a dealer whose sealed share is off its commitments is named by the party that got it", async () => {
    const keys: Uint8Array[] = []
    const { session } = dkgSessionOf(attemptOfParty(4))
    const sealing = xwingSealing(COMMITTEE, systemRng)
    const context = fromHex(taggedHash("twinlock/dkg-share/v1", session, 4, 1))
    const dave = lieInRound(4, "dkg-shares", (honest) => ({
      ...honest,
      sealed: honest.sealed.map((box, at) => {
        const key = keys[0]
        return at === 0 && key !== undefined ? sealing.seal(key, context, new Uint8Array(32).fill(9)) : box
      }),
    }))
    const listen = lieInRound(1, "dkg-commit", (honest) => {
      keys.push(honest.broadcast.slice(-sealing.publicKeyBytes))
      return honest
    })
    const world = createWorld({ prepare: (index, options) => dave(index, listen(index, options)) })
    const causes = await runToAbort(world)
    expect(causes[0]).toMatchObject({ check: "DKG_SHARE", culprits: [4] })
    expect(causes[1]).toMatchObject({ code: "CEREMONY_PEER_ABORTED", reportedBy: 1, claimed: [4] })
  })

  test("a box that does not open names its dealer", async () => {
    const lie = lieInRound(4, "dkg-shares", (honest) => ({
      ...honest,
      sealed: honest.sealed.map((box, at) => (at === 1 && box !== null ? flip(box, -1) : box)),
    }))
    const causes = await runToAbort(createWorld({ prepare: lie }))
    expect(causes[1]).toMatchObject({ check: "DKG_SEAL", culprits: [4] })
  })

  test("a dealer that seals nothing is named", async () => {
    const lie = lieInRound(2, "dkg-shares", (honest) => ({ ...honest, sealed: [] }))
    const causes = await runToAbort(createWorld({ prepare: lie }))
    expect(causes[0]).toMatchObject({ check: "DKG_SEAL", culprits: [2] })
  })

  test("an ephemeral key that nothing can be sealed to names its owner", async () => {
    const size = xwingSealing(COMMITTEE, systemRng).publicKeyBytes
    const lie = lieInRound(2, "dkg-commit", ({ broadcast }) =>
      publicMessage(broadcast.map((byte, at) => (at < broadcast.length - size ? byte : 0xff))),
    )
    const causes = await runToAbort(createWorld({ prepare: lie }))
    expect(causes[0]).toMatchObject({ check: "DKG_SEAL", culprits: [2] })
  })
})

describe("executors", () => {
  test("one executor is not enough", async () => {
    const causes = await runToAbort(createWorld({ executors: [1] }))
    expect(causes[0]).toMatchObject({ check: "SELF_TEST_SILENT" })
  })

  test("two executors with different results are no agreement", async () => {
    const world = createWorld({
      executorEngine: (index, engine) => ({
        ...engine,
        evaluateSelfTest: async (...args) => {
          const words = await engine.evaluateSelfTest(...args)
          return index === 2 ? flip(words, 0) : words
        },
      }),
    })
    const causes = await runToAbort(world)
    expect(causes[0]).toMatchObject({ check: "SELF_TEST_SILENT" })
  })

  test("an executor that gives words of another length is not followed", async () => {
    const world = createWorld({
      executorEngine: (_, engine) => ({
        ...engine,
        evaluateSelfTest: async (...args) => (await engine.evaluateSelfTest(...args)).slice(0, -16),
      }),
    })
    const causes = await runToAbort(world)
    expect(causes.map((cause) => cause.check)).toContain("SELF_TEST_VERDICTS")
  })

  test("an executor that cannot use the key ends the attempt with its reason", async () => {
    const world = createWorld({
      executorEngine: (_, engine) => ({
        ...engine,
        assembleServerKey: async () => {
          throw new Error("disk full")
        },
      }),
    })
    const causes = await runToAbort(world)
    expect(causes[0]?.check).toBe("SELF_TEST_REFUSED")
    expect(causes[0]?.message).toContain("INTERNAL")
  })

  test.each([
    ["the sum", 4096 * 16 + 15],
    ["the wide result", 2 * 4097 * 16 + 6144 * 16 + 7 * 16 + 15],
  ])("executors that agree on another value of %s are found by the parties' own opening", async (_, bit) => {
    const world = createWorld({
      executorEngine: (_, engine) => ({
        ...engine,
        evaluateSelfTest: async (...args) => {
          const words = await engine.evaluateSelfTest(...args)
          return words.map((byte, at) => (at === bit ? byte ^ 0x20 : byte))
        },
      }),
    })
    const causes = await runToAbort(world)
    expect(causes.map((cause) => cause.check).join()).toMatch(WRONG_RESULT)
  })
})
