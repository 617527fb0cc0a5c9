/** Tells the other parties that this node will not go on with an attempt, so that they need not wait for it. */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import type { Network } from "../p2p/network.ts"
import type { Attempt, CeremonyErrorCode, SeatSigner } from "./attempt.ts"
import { encodeAbort, signAbort } from "./messages.ts"
import { CEREMONY_PROTOCOLS } from "./router.ts"

/** Best effort: whoever cannot be reached will see the silence. */
export async function announceStopped(
  attempt: Attempt,
  { network, sign }: { readonly network: Network; readonly sign: SeatSigner },
): Promise<void> {
  const { committee, self } = attempt
  const code: CeremonyErrorCode = "CEREMONY_STOPPED"
  const abort = await signAbort(attempt, { round: 0, code, culprits: [], suspects: [], evidence: [] }, sign)
  const bytes = encodeAbort(attempt, abort)
  const others = partyIndexes(committee).filter((party) => party !== self)
  await Promise.allSettled(
    others.map((party) => network.send(signerOf(committee, party), CEREMONY_PROTOCOLS.abort.id, bytes)),
  )
}
