/**
 * Step "chain": the registry holds this proposal and this activation, and every party had live standing with the very
 * registration that its quote binds, at the block that its quote names.
 */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, KeyId } from "@twinlock/sdk/protocol/ids"
import type { BlockRef, KeyRecord } from "../../chain/chainView.ts"
import { proposalDigestOf } from "../attempt.ts"
import { sameActivation } from "../chainWatch.ts"
import { decodeStandingProof } from "../standingProof.ts"
import { checkStanding, type StandingChain, type StandingErrorCode } from "../standingRule.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

/** What the verification asks of a chain. */
export type ChainAudit = StandingChain & {
  chainId(): Promise<bigint>
  head(): Promise<BlockRef>
  /** The registry of nodes on which the key's verifier stands. */
  nodeRegistry(at: BlockRef): Promise<Address>
  key(keyId: KeyId, at: BlockRef): Promise<KeyRecord | null>
}

const REFUSED: readonly StandingErrorCode[] = [
  "EVIDENCE_OTHER_BLOCK",
  "EVIDENCE_UNREGISTERED",
  "EVIDENCE_OTHER_REGISTRATION",
  "EVIDENCE_NO_STANDING",
]

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
    if (proof.challengeBlock > head.number)
      throw refuse(
        `the quote of party ${party} is over block ${proof.challengeBlock}, the chain ends at ${head.number}`,
      )
    try {
      await checkStanding(proof, signerOf(committee, party), nodeRegistry, chain)
    } catch (error) {
      if (!isProtocolError(error, ...REFUSED)) throw error
      throw refuse(`party ${party}: ${error.detail.message}`)
    }
  }
  return `active at block ${head.number}; all ${committee.n} parties were live when they were quoted`
}
