/** Whether this node takes part in a proposed key (protocol §4): the rules, each with its own refusal. Fail closed. */
import { createCommittee, partyOf } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import {
  type BlockRef,
  type ChainView,
  type HostBinding,
  isLive,
  type KeyRecord,
} from "../chain/chainView.ts"

export type ProposalErrorCode =
  /** active, discarded or past its deadline. */
  | "PROPOSAL_CLOSED"
  /** names no seat for this node's signer. */
  | "PROPOSAL_NOT_MINE"
  /** a parameter set that this node has no engine for. */
  | "PROPOSAL_PARAMETERS"
  /** another host chain or other host contracts than this node is configured for. */
  | "PROPOSAL_HOST"
  /** sizes outside the protocol's bounds, or k that two disjoint groups of executors could reach. */
  | "PROPOSAL_SIZE"
  /** a named party or executor without live standing in its role. */
  | "PROPOSAL_STANDING"

const refuse = (code: ProposalErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export type ProposalPolicy = {
  readonly self: Address
  readonly host: HostBinding
  /** Hashes of the parameter sets that this node makes keys of. */
  readonly parameters: readonly Digest[]
}

/** @throws ProposalErrorCode, COMMITTEE_SIZE, COMMITTEE_PARTIES, and what the chain view throws */
export async function checkProposal(
  record: KeyRecord,
  at: BlockRef,
  { self, host, parameters }: ProposalPolicy,
  chain: Pick<ChainView, "node">,
): Promise<void> {
  const { keyId, epoch, proposal, status } = record
  // protocol §4: the proposal is open
  if (status !== "proposed") throw refuse("PROPOSAL_CLOSED", `key ${keyId} is ${status}`)
  if (proposal.deadline <= at.timestamp)
    throw refuse("PROPOSAL_CLOSED", `deadline ${proposal.deadline} is not after chain time ${at.timestamp}`)
  // protocol, words: sizes of the committee, distinct signers; this node holds a seat
  const committee = createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
  if (partyOf(committee, self) === null)
    throw refuse("PROPOSAL_NOT_MINE", `${self} holds no seat of ${keyId}`)
  if (proposal.n !== committee.n)
    throw refuse("PROPOSAL_SIZE", `n is ${proposal.n}, parties are ${committee.n}`)
  // protocol §8: k > m/2, so that no two disjoint groups of executors reach it
  const m = new Set(proposal.executors).size
  if (m !== proposal.executors.length || proposal.k > m || 2 * proposal.k <= m)
    throw refuse("PROPOSAL_SIZE", `want m/2 < k <= m distinct executors, got k=${proposal.k} m=${m}`)
  if (!parameters.includes(proposal.parametersHash))
    throw refuse(
      "PROPOSAL_PARAMETERS",
      `want one of ${parameters.join(", ")}, got ${proposal.parametersHash}`,
    )
  const { chainId, coprocessor, gateway } = proposal.host
  if (chainId !== host.chainId || coprocessor !== host.coprocessor || gateway !== host.gateway)
    throw refuse("PROPOSAL_HOST", `key ${keyId} serves chain ${chainId} coprocessor ${coprocessor}`)
  for (const signer of [...proposal.parties, ...proposal.executors]) {
    const role = proposal.parties.includes(signer) ? "keyholder" : "executor"
    const node = await chain.node(signer, at)
    if (node === null || node.role !== role || !isLive(node, at))
      throw refuse("PROPOSAL_STANDING", `${signer} has no live standing as ${role}`)
  }
}

/** Parties, and executors beyond those that may be missing, that this node has no channel to yet. */
export function missingPeers(
  { proposal }: KeyRecord,
  self: Address,
  peers: readonly Address[],
): readonly Address[] {
  const away = (signer: Address): boolean => signer !== self && !peers.includes(signer)
  const executors = proposal.executors.filter(away)
  const spare = proposal.executors.length - proposal.k
  return [...proposal.parties.filter(away), ...(executors.length > spare ? executors : [])]
}
