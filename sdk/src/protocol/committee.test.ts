import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  agreement,
  assertCommitteeSize,
  binomial,
  createCommittee,
  partiesOfBitmap,
  partyIndexes,
  partyOf,
  quorum,
  signerOf,
  signersBitmap,
} from "./committee.ts"
import { parseAddress, parseEpoch, parseKeyId, parsePartyIndex } from "./ids.ts"

const seat = (digit: string) => parseAddress(`0x${digit.repeat(40)}`)
const [alice, bob, carol, dave] = ["a", "b", "c", "d"].map(seat)
const parties = [alice, bob, carol, dave].map((signer) => signer ?? seat("0"))
const fields = { keyId: parseKeyId(`0x${"11".repeat(32)}`), epoch: parseEpoch(1), t: 1, parties }
const committee = createCommittee(fields)

describe("sizes", () => {
  test.each([
    [4, 1, 3, 3],
    [5, 1, 3, 4],
    [7, 2, 5, 5],
    [13, 4, 9, 9],
    [14, 4, 9, 10],
  ])("n=%i t=%i has quorum %i and agreement %i", (n, t, q, a) => {
    expect(quorum({ t })).toBe(q)
    expect(agreement({ n, t })).toBe(a)
  })

  test("two agreements share an honest party", () => {
    for (const n of [4, 5, 7, 8, 13, 15])
      for (let t = 1; 3 * t + 1 <= n; t++) expect(2 * agreement({ n, t }) - n).toBeGreaterThanOrEqual(t + 1)
  })

  test.each([
    [3, 1],
    [4, 0],
    [6, 2],
    [16, 5],
    [4.5, 1],
    [4, -1],
  ])("n=%d t=%d is refused", (n, t) => {
    expect(codeOf(() => assertCommitteeSize(n, t))).toBe("COMMITTEE_SIZE")
  })

  test("binomials", () => {
    expect([binomial(4, 1), binomial(7, 2), binomial(13, 4), binomial(15, 4)]).toEqual([4, 21, 715, 1365])
  })
})

describe("seats", () => {
  test("a signer and its position name each other", () => {
    for (const party of partyIndexes(committee))
      expect(partyOf(committee, signerOf(committee, party))).toBe(party)
    expect(partyOf(committee, seat("e"))).toBeNull()
    expect(codeOf(() => signerOf(committee, parsePartyIndex(5, 5)))).toBe("BAD_PARTY_INDEX")
  })

  test("a signer with two seats or the zero address is refused", () => {
    const [first = seat("a"), , third = seat("c"), fourth = seat("d")] = parties
    expect(codeOf(() => createCommittee({ ...fields, parties: [first, first, third, fourth] }))).toBe(
      "COMMITTEE_PARTIES",
    )
    expect(codeOf(() => createCommittee({ ...fields, parties: [seat("0"), first, third, fourth] }))).toBe(
      "COMMITTEE_PARTIES",
    )
  })
})

describe("bitmap", () => {
  test("round trip", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 13 - 1), (bits) => {
        expect(signersBitmap(partiesOfBitmap(BigInt(bits), 13))).toBe(BigInt(bits))
      }),
    )
  })

  test("a bit above n is refused", () => {
    expect(codeOf(() => partiesOfBitmap(16n, 4))).toBe("COMMITTEE_BITMAP")
    expect(codeOf(() => partiesOfBitmap(-1n, 4))).toBe("COMMITTEE_BITMAP")
  })
})
