import { concatBytes, taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { encode, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { share } from "@twinlock/sdk/threshold/shamir"
import { describe, expect, test } from "vitest"
import { COMMITTEE, party } from "./party.fixture.ts"
import {
  expectedResults,
  openSelfTest,
  SELF_TEST_RESULT_BYTES,
  SELF_TEST_SHARE_BYTES,
  shareWorkOf,
} from "./selfTestResults.ts"
import { selfTestValues } from "./verdict.ts"

const names = {
  keyId: COMMITTEE.keyId,
  serverKeyDigest: taggedHash("server key"),
  publicKeyDigest: taggedHash("public key"),
  crsDigest: taggedHash("crs"),
}
const { n, t } = COMMITTEE

/** By party: its shares of blocks with these digits. */
function sharesOf(digits: readonly number[]): readonly Uint8Array[] {
  const blocks = digits.map((digit) => share(scalar(BigInt(digit) << 123n), n, t, systemRng))
  return partyIndexes(COMMITTEE).map((_, at) =>
    concatBytes(...blocks.map((shares) => encode(shares[at]?.value ?? scalar(0n)))),
  )
}

function outcomeOf(broadcasts: readonly Uint8Array[]) {
  const opening = openSelfTest(COMMITTEE)
  for (const [at, broadcast] of broadcasts.entries()) opening.add(party(at + 1), broadcast)
  return opening.outcome()
}

const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

describe("the results of the self-test", () => {
  test("are the sum of the two values, and both in every block of a wide one", () => {
    const [a, b] = selfTestValues(names)
    const [sum, wide = 0n] = expectedResults(names)
    expect(sum).toBe(BigInt((a + b) & 255))
    expect(Number(wide & 255n)).toBe((a + 3 * b) & 255)
    expect(wide).toBeLessThan(1n << 32n)
    expect(expectedResults({ ...names, crsDigest: taggedHash("other") })).not.toEqual([sum, wide])
  })

  test("have a session each, in the format of their type", () => {
    const words = new Uint8Array(SELF_TEST_RESULT_BYTES)
    const [narrow, wide] = shareWorkOf(COMMITTEE, words)
    expect([narrow?.format, wide?.format]).toEqual(["raw", "packed"])
    expect((narrow?.words.length ?? 0) + (wide?.words.length ?? 0)).toBe(SELF_TEST_RESULT_BYTES)
    expect(narrow?.session).not.toBe(wide?.session)
    const [changed] = shareWorkOf(COMMITTEE, flip(words, 5))
    expect(changed?.session).not.toBe(narrow?.session)
  })

  test("open from the shares of all", () => {
    const broadcasts = sharesOf([7, 8, 1, 2, 3, 4, 5, 6, 7, 15])
    expect(outcomeOf(broadcasts)).toEqual({ opened: true, values: [0x87n, 0xf7654321n] })
  })

  test.each([
    ["the first", 0],
    ["the second", 2 * 64],
  ])("name a party whose share of %s result is off", (_, at) => {
    const broadcasts = sharesOf(Array.from({ length: 10 }, () => 1))
    const lie = broadcasts.map((bytes, index) => (index === 2 ? flip(bytes, at) : bytes))
    expect(outcomeOf(lie)).toEqual({ opened: false, culprits: [3] })
  })

  test("do not open where a party is missing or too many lie", () => {
    const broadcasts = sharesOf(Array.from({ length: 10 }, () => 1))
    expect(outcomeOf(broadcasts.slice(0, 2))).toEqual({ opened: false, culprits: [] })
    const two = broadcasts.map((bytes, index) => (index < 2 ? flip(bytes, 0) : bytes))
    expect(outcomeOf(two)).toEqual({ opened: false, culprits: [] })
  })

  test.each([SELF_TEST_SHARE_BYTES - 64, SELF_TEST_SHARE_BYTES + 64, 0])(
    "are not read from %i bytes",
    (length) => {
      const add = () => openSelfTest(COMMITTEE).add(party(2), new Uint8Array(length))
      expect(add).toThrow(/want 640 bytes/)
      try {
        add()
      } catch (error) {
        expect(isProtocolError(error, "SELF_TEST_SHARE_LENGTH") && error.detail.culprits).toEqual([2])
      }
    },
  )
})
