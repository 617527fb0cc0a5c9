/**
 * First round of an attempt: every party shows the evidence of its standing, a fresh quote over its registration, so
 * that the transcript can be verified offline. Channels are attested before any of this.
 */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { CollateralSourceErrorCode } from "../attestation/collateralSource.ts"
import type { PccsErrorCode } from "../attestation/pccs.ts"
import type { ChainErrorCode } from "../chain/chainView.ts"
import type { Attempt } from "./attempt.ts"
import { eachParty, publicMessage, type Round } from "./rounds.ts"
import { MAX_STANDING_BYTES } from "./standingProof.ts"
import type { StandingErrorCode } from "./standingRule.ts"

export type StandingDeps = {
  /** Evidence of this node's own standing, public. */
  evidence(): Promise<Uint8Array>
  /** @param signal ends waiting for the chain @throws where `evidence` does not stand for `signer` under this node's policy */
  checkEvidence(signer: Address, evidence: Uint8Array, signal: AbortSignal): Promise<void>
}

export type StandingOptions = { readonly timeoutMs: number; readonly signal: AbortSignal }

/** What keeps this node from judging, whoever showed the evidence: its own chain and its own collateral service. */
const OWN_TROUBLE: readonly string[] = [
  "EVIDENCE_AHEAD" satisfies StandingErrorCode,
  ...(["CHAIN_DISAGREEMENT", "CHAIN_UNAVAILABLE", "CHAIN_MALFORMED"] satisfies readonly ChainErrorCode[]),
  ...(["COLLATERAL_UNREACHABLE", "COLLATERAL_RESPONSE"] satisfies readonly PccsErrorCode[]),
  ...([
    "COLLATERAL_STALE",
    "COLLATERAL_OTHER_PLATFORM",
    "COLLATERAL_OLDER",
  ] satisfies readonly CollateralSourceErrorCode[]),
]

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
    eachParty(
      incoming,
      (party, evidence) => deps.checkEvidence(signerOf(committee, party), evidence, signal),
      ({ code }) => !OWN_TROUBLE.includes(code),
    ),
})
