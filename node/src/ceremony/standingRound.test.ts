import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { expect, test } from "vitest"
import { attemptOfParty, party, partyAt } from "./party.fixture.ts"
import { standingRound } from "./standingRound.ts"
import type { Incoming } from "./state.ts"

const incoming: Incoming = {
  round: 0,
  digest: attemptOfParty(1).proposalDigest,
  broadcasts: new Map([1, 2, 3].map((index) => [party(index), Uint8Array.of(index)])),
  sealed: new Map(),
}

/** @returns whom this node names where checking the evidence of party 2 ends with `code` */
async function culpritsOf(code: string): Promise<unknown> {
  const round = standingRound(
    attemptOfParty(1),
    {
      evidence: async () => new Uint8Array(),
      async checkEvidence(signer) {
        if (signer === partyAt(2).address) throw new ProtocolError({ code, message: "" })
      },
    },
    { timeoutMs: 1, signal: new AbortController().signal },
  )
  const failure: unknown = await round.consume(incoming).catch((error: unknown) => error)
  return failure instanceof ProtocolError && failure.detail.code === code ? failure.detail.culprits : failure
}

test.each([
  "EVIDENCE_STALE",
  "EVIDENCE_OTHER_BLOCK",
  "EVIDENCE_NO_STANDING",
  "POLICY_IMAGE",
  "QUOTE_SIGNATURE",
])("%s names the party that showed it", async (code) => {
  expect(await culpritsOf(code)).toEqual([2])
})

test.each([
  "EVIDENCE_AHEAD",
  "CHAIN_UNAVAILABLE",
  "CHAIN_DISAGREEMENT",
  "COLLATERAL_UNREACHABLE",
  "COLLATERAL_STALE",
])("%s is this node's own trouble and names nobody", async (code) => {
  expect(await culpritsOf(code)).toEqual([])
})
