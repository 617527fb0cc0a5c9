/**
 * When evidence of standing stands: the rules of the live round and of whoever reads the transcript later. They are one,
 * so that a party cannot show what its peers accept and every later reader refuses.
 */
import { DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import { checkStatus, type JudgedStatus } from "@twinlock/sdk/attestation/statusPolicy"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { type BlockRef, type ChainView, isLive, type NodeRecord } from "../chain/chainView.ts"
import type { StandingProof } from "./standingProof.ts"

export type StandingErrorCode =
  /** this node's agreed head has not reached the block in time: the peer may have been early, or this node is late. */
  | "EVIDENCE_AHEAD"
  /** the quote is over a block of long ago: made for another occasion. */
  | "EVIDENCE_STALE"
  /** the chain has another block of that number, or of another time. */
  | "EVIDENCE_OTHER_BLOCK"
  /** the signer was not registered at that block. */
  | "EVIDENCE_UNREGISTERED"
  /** the evidence names another registration than the chain has. */
  | "EVIDENCE_OTHER_REGISTRATION"
  /** the registration did not count at that block: expired, revoked, or of another role. */
  | "EVIDENCE_NO_STANDING"

/** Chain time between the block in a quote and the head of a peer that accepts it. */
export const MAX_AGE_SECONDS = 86_400
/** Longest chain time between a proposal and its deadline: the registry's maximum. */
const MAX_CEREMONY_SECONDS = 30 * 86_400
/** What a network's registry demands of a machine; a reader's policy may demand something else. */
export const ADMITTED: Pick<typeof DEFAULT_POLICY, "status" | "tdAttributes" | "xfam"> = DEFAULT_POLICY

export const refuseEvidence = (code: StandingErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

/** What is asked of a chain. */
export type StandingChain = Pick<ChainView, "block" | "node">

/** At `at` the signer is registered as its quote says, and counts. @throws EVIDENCE_* @returns the registration */
export function checkRegistration(
  { operator, peerIdHash, configHash }: StandingProof,
  signer: Address,
  record: NodeRecord | null,
  at: BlockRef,
): NodeRecord {
  if (record === null)
    throw refuseEvidence("EVIDENCE_UNREGISTERED", `${signer} is not registered at block ${at.number}`)
  if (record.role !== "keyholder" || !isLive(record, at))
    throw refuseEvidence(
      "EVIDENCE_NO_STANDING",
      `${signer} has no live standing as keyholder at block ${at.number}`,
    )
  if (record.operator !== operator || record.peerIdHash !== peerIdHash || record.configHash !== configHash)
    throw refuseEvidence(
      "EVIDENCE_OTHER_REGISTRATION",
      `${signer} is registered with other facts than its quote binds`,
    )
  return record
}

/**
 * The block that the quote names is one of the chain, of the time that judges the collateral, and the signer had its
 * standing there. @param chain must have reached that block @throws EVIDENCE_*, ChainErrorCode
 */
export async function checkStanding(
  proof: StandingProof,
  signer: Address,
  nodeRegistry: Address,
  chain: StandingChain,
): Promise<NodeRecord> {
  const { challengeBlock, challengeBlockHash, time } = proof
  if (proof.nodeRegistry !== nodeRegistry)
    throw refuseEvidence(
      "EVIDENCE_OTHER_REGISTRATION",
      `${signer} was registered with ${proof.nodeRegistry}, the network's registry is ${nodeRegistry}`,
    )
  const block = await chain.block(challengeBlock)
  if (block.hash !== challengeBlockHash || Number(block.timestamp) !== time)
    throw refuseEvidence(
      "EVIDENCE_OTHER_BLOCK",
      `the quote of ${signer} is over block ${challengeBlock} with hash ${challengeBlockHash} of time ${time}, the chain's has ${block.hash} of ${block.timestamp}`,
    )
  return checkRegistration(proof, signer, await chain.node(signer, block), block)
}

/** The machine's status by the collateral that came along. @throws POLICY_TCB_STATUS */
export const checkMachine = (judged: JudgedStatus): void => checkStatus(judged, ADMITTED.status)

/** Whether a quote of that chain time can have been made for a proposal with this deadline. */
export const isTimely = (time: number, deadline: number): boolean =>
  time <= deadline && time >= deadline - MAX_CEREMONY_SECONDS - MAX_AGE_SECONDS
