/**
 * Step "crs": every party put a factor of its own into the CRS, it is well formed, and the file it makes is the activated
 * one. One link per party and the final state prove all updates.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { auditCrs } from "../auditCrs.ts"
import type { CrsAuditor } from "../engine.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export async function checkCrs({ bundle, attempt, round }: Transcript, auditor: CrsAuditor): Promise<string> {
  const parties = partyIndexes(attempt.committee)
  for (const party of parties) {
    const [signed] = round(`crs-${party}`).headers
    if (signed?.header.party !== party || signed.header.broadcastBytes === 0)
      throw refuse(`party ${party} made no update of the CRS`)
  }
  await auditCrs(bundle, auditor)
  return `updates of all ${parties.length} parties make ${bundle.signed.activation.crsDigest}`
}
