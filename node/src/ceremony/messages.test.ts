import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { createHeaderVerifier } from "./header.ts"
import { type AbortWord, decodeAbort, type Expectation, encodeAbort, signAbort } from "./messages.ts"
import { attemptOfParty, COMMITTEE, party, partyAt } from "./party.fixture.ts"

const expected: Expectation = {
  attempt: attemptOfParty(1),
  from: party(2),
  verifyHeader: createHeaderVerifier(COMMITTEE, 1),
  limitsOf: () => null,
}

describe("a party's last word", () => {
  const word: AbortWord = {
    round: 3,
    code: "CEREMONY_CHECK_FAILED",
    culprits: [party(1)],
    suspects: [party(3), party(4)],
    evidence: [],
  }

  test("is read as it was signed, culprits and suspects apart", async () => {
    const abort = await signAbort(attemptOfParty(2), word, partyAt(2).sign)
    expect(decodeAbort(encodeAbort(attemptOfParty(2), abort), expected)).toEqual({
      ...abort,
      ...word,
      party: 2,
    })
  })

  test.each([
    ["a suspect for a culprit", { culprits: [party(1), party(3)], suspects: [party(4)] }],
    ["a culprit for a suspect", { culprits: [], suspects: [party(1), party(3), party(4)] }],
    ["another suspect", { suspects: [party(3)] }],
  ])("cannot be changed to name %s", async (_, change) => {
    const abort = await signAbort(attemptOfParty(2), word, partyAt(2).sign)
    const bytes = encodeAbort(attemptOfParty(2), { ...abort, ...change })
    expect(codeOf(() => decodeAbort(bytes, expected))).toBe("CEREMONY_BAD_SIGNATURE")
  })
})
