/**
 * First round of an attempt: every party shows the evidence of its standing, a fresh quote over its registration, so
 * that the transcript can be verified offline. Channels are attested before any of this.
 */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Attempt } from "./attempt.ts"
import { eachParty, publicMessage, type Round } from "./rounds.ts"
import { MAX_STANDING_BYTES } from "./standingProof.ts"

export type StandingDeps = {
  /** Evidence of this node's own standing, public. */
  evidence(): Promise<Uint8Array>
  /** @param signal ends waiting for the chain @throws where `evidence` does not stand for `signer` under this node's policy */
  checkEvidence(signer: Address, evidence: Uint8Array, signal: AbortSignal): Promise<void>
}

export type StandingOptions = { readonly timeoutMs: number; readonly signal: AbortSignal }

export const standingRound = (
  { committee }: Attempt,
  deps: StandingDeps,
  { timeoutMs, signal }: StandingOptions,
): Round => ({
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
    eachParty(incoming, (party, evidence) =>
      deps.checkEvidence(signerOf(committee, party), evidence, signal),
    ),
})
