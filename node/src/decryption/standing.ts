/** Who stands on chain now (protocol §7): read at a fresh agreed block, so that a revocation counts at once. */
import { type Committee, signerOf } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { type ChainView, isLive } from "../chain/chainView.ts"

/**
 * Those of `parties` whose seat signer is registered, unexpired and not revoked, and stays so for `marginSeconds` more.
 * @throws ChainErrorCode
 */
export type Standing = (
  parties: readonly PartyIndex[],
  marginSeconds?: number,
) => Promise<ReadonlySet<PartyIndex>>

export function createStanding(view: Pick<ChainView, "head" | "node">, committee: Committee): Standing {
  return async (parties, marginSeconds = 0) => {
    const at = await view.head()
    const then = { ...at, timestamp: at.timestamp + BigInt(marginSeconds) }
    const nodes = await Promise.all(parties.map((party) => view.node(signerOf(committee, party), at)))
    return new Set(
      parties.filter((_, i) => {
        const node = nodes[i] ?? null
        return node !== null && isLive(node, then)
      }),
    )
  }
}
