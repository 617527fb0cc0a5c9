/**
 * First round of an attempt: every party shows the evidence of its standing (the quote that registered its signer), so
 * that the transcript can be verified offline with the quotes that were used. Channels are attested before any of this.
 */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Attempt } from "./attempt.ts"
import { eachParty, publicMessage, type Round } from "./rounds.ts"
import { MAX_STANDING_BYTES } from "./standingProof.ts"

export type StandingDeps = {
  /** Registration evidence of this node, public. */
  evidence(): Promise<Uint8Array>
  /** @throws where `evidence` does not stand for `signer` under this node's policy */
  checkEvidence(signer: Address, evidence: Uint8Array): Promise<void>
}

export const standingRound = ({ committee }: Attempt, deps: StandingDeps, timeoutMs: number): Round => ({
  spec: {
    name: "standing",
    speakers: partyIndexes(committee),
    maxBroadcast: MAX_STANDING_BYTES,
    maxSealed: 0,
    timeoutMs,
    binding: false,
    kept: true,
  },
  produce: async () => publicMessage(await deps.evidence()),
  consume: (incoming) =>
    eachParty(incoming, (party, evidence) => deps.checkEvidence(signerOf(committee, party), evidence)),
})
