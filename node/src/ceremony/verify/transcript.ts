/** A decoded bundle as the steps read it. What it says is believed only as far as the steps before have checked it. */
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { type Attempt, proposalDigestOf } from "../attempt.ts"
import type { CeremonyBundle } from "../bundle.ts"
import type { RoundRecord } from "../state.ts"
import { refuse } from "./step.ts"

export type Transcript = {
  readonly bundle: CeremonyBundle
  /** Seen from party 1, whom nothing here distinguishes. */
  readonly attempt: Attempt
  /** @throws AUDIT_REFUSED where there is no such round */
  round(name: string): RoundRecord
  /** By speaker, ascending. @throws AUDIT_REFUSED where the round is missing or its broadcasts were not kept */
  broadcasts(name: string): ReadonlyMap<PartyIndex, Uint8Array>
}

/** @throws COMMITTEE_SIZE, COMMITTEE_PARTIES */
export function openTranscript(bundle: CeremonyBundle): Transcript {
  const { keyId, proposal, records, signed } = bundle
  const { epoch } = signed.activation
  const committee = createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
  const attempt: Attempt = {
    committee,
    self: parsePartyIndex(1, committee.n),
    attempt: bundle.attempt,
    proposalDigest: proposalDigestOf(keyId, proposal),
  }
  const round = (name: string): RoundRecord => {
    const found = records.find((record) => record.name === name)
    if (found === undefined) throw refuse(`there is no round ${name}`)
    return found
  }
  return {
    bundle,
    attempt,
    round,
    broadcasts(name) {
      const { headers, broadcasts } = round(name)
      if (broadcasts === null) throw refuse(`round ${name} has no broadcasts`)
      return new Map(
        headers.map(({ header }, at) => [header.party, broadcasts[at] ?? new Uint8Array()] as const),
      )
    },
  }
}
