import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { generateFrostGroup } from "../../../test/support/frostGroup.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { tagHash, toHex } from "../protocol/codec.ts"
import { partyIndexes } from "../protocol/committee.ts"
import { culprits } from "../protocol/errors.ts"
import { type Digest, type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import { Point, parsePoint } from "./curve.ts"
import { frostSuite, groupKey, identifierOf } from "./frost.ts"
import {
  agreeOnDealers,
  badDealers,
  checkShare,
  type DkgBroadcast,
  decodeDkgBroadcast,
  echoDigest,
  encodeDkgBroadcast,
  finishDkg,
  makeShares,
  startDkg,
} from "./frostDkg.ts"

const session = { session: tagHash("dkg"), n: 4, quorum: 3 }
const parties = partyIndexes(session)
const [alice, bob, carol, dave] = [1, 2, 3, 4].map((i) => parsePartyIndex(i, 4)) as [
  PartyIndex,
  PartyIndex,
  PartyIndex,
  PartyIndex,
]
const dealings = parties.map((party) => startDkg(session, party, seededRng(`dkg ${party}`)))
const broadcasts = dealings.map(({ broadcast }) => broadcast)
const echoesOf = (echo: Digest, who: readonly PartyIndex[] = parties) =>
  new Map(who.map((party) => [party, echo]))
const agreed = agreeOnDealers(session, broadcasts, echoesOf(echoDigest(session, broadcasts)))
const made = new Map(dealings.map((dealing) => [dealing.broadcast.party, makeShares(agreed, dealing)]))
const received = (party: PartyIndex) =>
  new Map([...made].map(([dealer, shares]) => [dealer, shares.get(party) ?? new Uint8Array()]))
const replace = (party: PartyIndex, change: Partial<DkgBroadcast>) =>
  broadcasts.map((broadcast) => (broadcast.party === party ? { ...broadcast, ...change } : broadcast))
const blamed = (run: () => unknown): readonly PartyIndex[] => {
  try {
    run()
  } catch (error) {
    return culprits(error)
  }
  return []
}

describe("an honest run", () => {
  test("gives all parties one key, and shares that verify", () => {
    const results = parties.map((party) => finishDkg(agreed, party, received(party)))
    for (const [i, { keyShare, publicKey }] of results.entries()) {
      expect(publicKey).toEqual(results[0]?.publicKey)
      keyShare.use((share) => {
        const point = Point.BASE.multiply(BigInt(toHex(share)))
        expect(point.toBytes()).toEqual(publicKey.verificationShares[i])
      })
      expect(() =>
        keyShare.use((signingShare) =>
          frostSuite("").validateSecret(
            { identifier: identifierOf(keyShare.party), signingShare },
            {
              signers: { min: 3, max: 4 },
              commitments: publicKey.commitments.map((point) => Uint8Array.from(point)),
              verifyingShares: {},
            },
          ),
        ),
      ).not.toThrow()
    }
  })

  test.each([
    [5, 1],
    [7, 2],
  ])("n=%i t=%i", (n, t) => {
    expect(groupKey(generateFrostGroup(n, t, "sizes").publicKey).groupX).toBeGreaterThan(0n)
  })

  test("the proofs are those of noble's key generation", () => {
    const suite = frostSuite(session.session)
    const own = suite.DKG.round1(identifierOf(alice), { min: 3, max: 4 })
    const others = broadcasts.slice(1).map(({ party, commitments, possession }) => ({
      identifier: identifierOf(party),
      commitment: commitments.map((point) => Uint8Array.from(point)),
      proofOfKnowledge: Uint8Array.from(possession),
    }))
    expect(() => suite.DKG.round2(own.secret, others)).not.toThrow()
  })

  test("three of four dealers are enough, and the key then is another one", () => {
    const three = finishDkg(agreed, dave, received(dave), [alice, bob, carol])
    const four = finishDkg(agreed, dave, received(dave))
    expect(groupKey(three.publicKey)).not.toEqual(groupKey(four.publicKey))
    expect(codeOf(() => finishDkg(agreed, dave, received(dave), [alice, bob]))).toBe("DKG_FORM")
    expect(codeOf(() => finishDkg(agreed, dave, received(dave), [alice, alice, bob]))).toBe("DKG_FORM")
  })
})

describe("broadcasts", () => {
  test("survive a round trip", () => {
    for (const broadcast of broadcasts)
      expect(decodeDkgBroadcast(session, broadcast.party, encodeDkgBroadcast(broadcast))).toEqual(broadcast)
  })

  test("of another length name their sender", () => {
    const bytes = encodeDkgBroadcast(broadcasts[1] as DkgBroadcast)
    for (const wrong of [bytes.slice(1), Uint8Array.of(...bytes, 0), new Uint8Array()]) {
      expect(codeOf(() => decodeDkgBroadcast(session, bob, wrong))).toBe("DKG_BROADCAST")
      expect(blamed(() => decodeDkgBroadcast(session, bob, wrong))).toEqual([bob])
    }
  })

  const agree = (seen: readonly DkgBroadcast[]) => () =>
    agreeOnDealers(session, seen, echoesOf(echoDigest(session, seen)))
  const bobs = broadcasts[1] as DkgBroadcast
  const [first = new Uint8Array(33), second = new Uint8Array(33)] = bobs.commitments

  test.each([
    ["a point off the curve", { commitments: [first, second, new Uint8Array(33).fill(5)] }, "DKG_BROADCAST"],
    ["too few points", { commitments: [first, second] }, "DKG_BROADCAST"],
    ["the identity", { commitments: [first, second, new Uint8Array(33)] }, "DKG_BROADCAST"],
    [
      "an uncompressed point",
      { commitments: [first, second, parsePoint(second)?.toBytes(false) ?? second] },
      "DKG_BROADCAST",
    ],
    ["another constant term", { commitments: [second, first, second] }, "DKG_POSSESSION"],
    ["another dealer's proof", { possession: broadcasts[0]?.possession ?? first }, "DKG_POSSESSION"],
    ["no proof", { possession: new Uint8Array(65) }, "DKG_POSSESSION"],
  ] as const)("with %s are refused and blamed on the dealer", (_, change, code) => {
    const run = agree(replace(bob, change))
    expect(codeOf(run)).toBe(code)
    expect(blamed(run)).toEqual([bob])
  })

  test("of another session are refused", () => {
    const replayed = startDkg({ ...session, session: tagHash("other") }, bob, seededRng("dkg 2")).broadcast
    const run = agree(replace(bob, replayed))
    expect(codeOf(run)).toBe("DKG_POSSESSION")
    expect(blamed(run)).toEqual([bob])
  })

  test("of one dealer twice, or of two dealers only, are refused", () => {
    expect(codeOf(agree([...broadcasts, bobs]))).toBe("DKG_FORM")
    expect(codeOf(agree(broadcasts.slice(0, 2)))).toBe("DKG_FORM")
  })
})

describe("echo", () => {
  test("does not depend on the order, and covers every byte", () => {
    const echo = echoDigest(session, broadcasts)
    expect(echoDigest(session, broadcasts.toReversed())).toBe(echo)
    const other = startDkg(session, bob, seededRng("another face")).broadcast
    expect(echoDigest(session, replace(bob, other))).not.toBe(echo)
    expect(echoDigest({ ...session, session: tagHash("other") }, broadcasts)).not.toBe(echo)
    expect(echoDigest(session, broadcasts.slice(0, 3))).not.toBe(echo)
  })

  test("a dealer with two faces is caught before any share is made", () => {
    const twoFaced = replace(bob, startDkg(session, bob, seededRng("another face")).broadcast)
    const honest = echoDigest(session, broadcasts)
    const fooled = echoDigest(session, twoFaced)
    const echoes = new Map([
      [alice, honest],
      [bob, honest],
      [carol, fooled],
      [dave, fooled],
    ])
    expect(codeOf(() => agreeOnDealers(session, broadcasts, echoes))).toBe("DKG_ECHO")
    expect(codeOf(() => agreeOnDealers(session, twoFaced, echoes))).toBe("DKG_ECHO")
  })

  test("one lying or silent echo vetoes nothing", () => {
    const echo = echoDigest(session, broadcasts)
    const lying = new Map([...echoesOf(echo, [alice, bob, carol]), [dave, tagHash("lie")]])
    expect(codeOf(() => agreeOnDealers(session, broadcasts, lying))).toBe("none")
    expect(codeOf(() => agreeOnDealers(session, broadcasts, echoesOf(echo, [alice, bob, carol])))).toBe(
      "none",
    )
    expect(codeOf(() => agreeOnDealers(session, broadcasts, echoesOf(echo, [alice, bob])))).toBe("DKG_ECHO")
  })
})

describe("shares", () => {
  test("a dealing that was not agreed on makes no shares", () => {
    const other = startDkg(session, bob, seededRng("another face"))
    expect(codeOf(() => makeShares(agreed, other))).toBe("DKG_FORM")
  })

  test.each([
    ["altered", (share: Uint8Array) => Uint8Array.of(...share.slice(0, 31), (share[31] ?? 0) ^ 1)],
    ["above n", () => new Uint8Array(32).fill(255)],
    ["short", (share: Uint8Array) => share.slice(1)],
    ["zero", () => new Uint8Array(32)],
  ])("a dealer whose share is %s is named", (_, mutate) => {
    const shares = received(dave)
    shares.set(bob, mutate(shares.get(bob) ?? new Uint8Array()))
    expect(badDealers(agreed, dave, shares)).toEqual([bob])
    const run = () => finishDkg(agreed, dave, shares)
    expect(codeOf(run)).toBe("DKG_SHARE")
    expect(blamed(run)).toEqual([bob])
    expect(codeOf(() => finishDkg(agreed, dave, shares, [alice, carol, dave]))).toBe("none")
  })

  test("a missing share names its dealer", () => {
    const shares = received(alice)
    shares.delete(carol)
    expect(badDealers(agreed, alice, shares)).toEqual([carol])
    expect(checkShare(agreed, bob, alice, shares.get(bob))).toBe(true)
    expect(checkShare(agreed, bob, carol, shares.get(bob))).toBe(false)
  })
})

test("secrets do not appear in JSON", () => {
  const { keyShare } = finishDkg(agreed, alice, received(alice))
  expect(JSON.stringify({ keyShare })).toBe('{"keyShare":"[FrostKeyShare]"}')
  expect(JSON.stringify(dealings[0])).toBe('"[DkgDealing]"')
})

test.each([
  [4, 1],
  [4, 5],
  [16, 3],
  [4, 2.5],
])("n=%d quorum=%d is refused", (n, quorum) => {
  expect(codeOf(() => startDkg({ ...session, n, quorum }, alice, seededRng("x")))).toBe("DKG_FORM")
})
