/** Step "crs": every party made its update of the CRS, and the activated digest is the one that was tested. */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export function checkCrs({ bundle, attempt, round }: Transcript): string {
  const parties = partyIndexes(attempt.committee)
  for (const party of parties) {
    const [signed] = round(`crs-${party}`).headers
    if (signed?.header.party !== party || signed.header.broadcastBytes === 0)
      throw refuse(`party ${party} made no update of the CRS`)
  }
  return `${parties.length} updates, each checked by all parties, make ${bundle.signed.activation.crsDigest}`
}
