/**
 * Step "chain": the registry holds this proposal and this activation, and every party had live standing with the very
 * registration that its quote binds, at the block that its quote names.
 */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import type { Address, KeyId } from "@twinlock/sdk/protocol/ids"
import { type BlockRef, isLive, type KeyRecord, type NodeRecord } from "../../chain/chainView.ts"
import { proposalDigestOf } from "../attempt.ts"
import { sameActivation } from "../chainWatch.ts"
import { decodeStandingProof } from "../standingProof.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

/** What the verification asks of a chain. */
export type ChainAudit = {
  chainId(): Promise<bigint>
  head(): Promise<BlockRef>
  /** @throws AUDIT_UNREACHABLE where no endpoint has it, CHAIN_* */
  block(number: bigint): Promise<BlockRef>
  /** The registry of nodes on which the key's verifier stands. */
  nodeRegistry(at: BlockRef): Promise<Address>
  key(keyId: KeyId, at: BlockRef): Promise<KeyRecord | null>
  node(signer: NodeRecord["signer"], at: BlockRef): Promise<NodeRecord | null>
}

export async function checkChain(
  { bundle, attempt, broadcasts }: Transcript,
  chain: ChainAudit,
): Promise<string> {
  const { keyId, proposal, signing, signed } = bundle
  const { committee } = attempt
  const chainId = await chain.chainId()
  if (chainId !== signing.chainId)
    throw refuse(`the activation is for chain ${signing.chainId}, the endpoint serves chain ${chainId}`)
  const head = await chain.head()
  const record = await chain.key(keyId, head)
  if (record === null) throw refuse(`the registry knows no key ${keyId}`)
  if (proposalDigestOf(keyId, record.proposal) !== proposalDigestOf(keyId, proposal))
    throw refuse("the registry holds another proposal of this key")
  if (record.status !== "active") throw refuse(`the registry says that the key is ${record.status}`)
  if (record.epoch !== signed.activation.epoch)
    throw refuse(`the key is at epoch ${record.epoch}, the transcript of epoch ${signed.activation.epoch}`)
  if (!sameActivation(record.activation, signed.activation))
    throw refuse("the registry holds another activation of this key")
  const nodeRegistry = await chain.nodeRegistry(head)
  const standing = broadcasts("standing")
  for (const party of partyIndexes(committee)) {
    const proof = decodeStandingProof(standing.get(party) ?? new Uint8Array())
    if (proof.nodeRegistry !== nodeRegistry)
      throw refuse(
        `party ${party} was registered with ${proof.nodeRegistry}, the key's registry is ${nodeRegistry}`,
      )
    const block = await chain.block(proof.challengeBlock)
    if (block.hash !== proof.challengeBlockHash || Number(block.timestamp) !== proof.time)
      throw refuse(`the quote of party ${party} names a block that the chain does not have`)
    const node = await chain.node(signerOf(committee, party), block)
    if (node === null || node.role !== "keyholder" || !isLive(node, block))
      throw refuse(`party ${party} had no live standing as keyholder at block ${block.number}`)
    const { operator, peerIdHash, configHash } = proof
    if (node.operator !== operator || node.peerIdHash !== peerIdHash || node.configHash !== configHash)
      throw refuse(`party ${party} was registered with other facts than its quote binds`)
  }
  return `active at block ${head.number}; all ${committee.n} parties were live when they were quoted`
}
