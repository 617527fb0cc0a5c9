/**
 * Who stands on chain now (protocol §7): read at a fresh agreed block, so that a revocation counts as soon as its block is
 * agreed. The committee is read once per block, and the newest block looked up again only after a moment.
 */
import { type Committee, signerOf } from "@twinlock/sdk/protocol/committee"
import type { Address, Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { type BlockRef, type ChainView, isLive, type NodeRecord } from "../chain/chainView.ts"
import type { Clock } from "../clock.ts"

/**
 * Those of `parties` whose seat signer is registered, unexpired and not revoked, and stays so for `marginSeconds` more.
 * @throws ChainErrorCode
 */
export type Standing = (
  parties: readonly PartyIndex[],
  marginSeconds?: number,
) => Promise<ReadonlySet<PartyIndex>>

type Nodes = ReadonlyMap<Address, NodeRecord | null>

/** Milliseconds for which the newest block counts as new. */
const FRESH_MS = 100

export function createStanding(
  view: Pick<ChainView, "head" | "nodes">,
  committee: Committee,
  clock: Clock,
): Standing {
  let head: { readonly block: Promise<BlockRef>; readonly readAt: number } | null = null
  let known: { readonly block: Digest; readonly nodes: Promise<Nodes> } | null = null

  function newestBlock(): Promise<BlockRef> {
    const now = clock.now()
    if (head !== null && now - head.readAt < FRESH_MS && now >= head.readAt) return head.block
    const reading = { block: view.head(), readAt: now }
    head = reading
    reading.block.catch(() => {
      if (head === reading) head = null
    })
    return reading.block
  }

  function nodesAt(at: BlockRef): Promise<Nodes> {
    if (known?.block === at.hash) return known.nodes
    const reading = { block: at.hash, nodes: view.nodes(committee.parties, at) }
    known = reading
    const forget = () => {
      if (known === reading) known = null
    }
    // A seat without an agreed answer does not stand now, and is asked about again: one slow endpoint does not outlaw it
    // for as long as the block is the newest.
    reading.nodes.then((nodes) => {
      if (committee.parties.some((signer) => !nodes.has(signer))) forget()
    }, forget)
    return reading.nodes
  }

  return async (parties, marginSeconds = 0) => {
    const at = await newestBlock()
    const nodes = await nodesAt(at)
    const then = { ...at, timestamp: at.timestamp + BigInt(marginSeconds) }
    return new Set(
      parties.filter((party) => {
        const node = nodes.get(signerOf(committee, party)) ?? null
        return node !== null && isLive(node, then)
      }),
    )
  }
}
