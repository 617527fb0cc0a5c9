/** Reads of the node registry: who is registered, on which measurement, and the evidence that the contract accepted. */

import type { Evidence } from "../attestation/evidence.ts"
import type { AllowListEntry } from "../attestation/policy.ts"
import type { Role } from "../attestation/role.ts"
import { fromHex } from "../protocol/codec.ts"
import { type Address, type Digest, parseAddress, parseDigest } from "../protocol/ids.ts"
import { ROLE } from "./abi.ts"
import { type Chain, INTERFACES, integer, view, wide } from "./contracts.ts"
import type { ChainBlock } from "./endpoints.ts"

/** One registration; null where the signer is unknown. */
export type NodeRecord = {
  readonly signer: Address
  readonly operator: Address
  readonly role: Role
  readonly revoked: boolean
  /** Its newest quote rests on collateral past its date, which Intel did not renew. */
  readonly inGrace: boolean
  /** Chain time in seconds, exclusive; 0 once standing was removed. */
  readonly expiresAt: bigint
  readonly challengeBlock: bigint
  readonly peerIdHash: Digest
  readonly configHash: Digest
  readonly entryId: number
}

export async function readNode(chain: Chain, signer: Address, at: ChainBlock): Promise<NodeRecord | null> {
  const [node] = await view(chain, at, "nodeRegistry", "nodeOf", signer)
  const role = integer(node.role)
  if (role === ROLE.none) return null
  return {
    signer,
    operator: parseAddress(node.operator),
    role: role === ROLE.keyholder ? "keyholder" : "executor",
    revoked: Boolean(node.revoked),
    inGrace: Boolean(node.inGrace),
    expiresAt: wide(node.expiresAt),
    challengeBlock: wide(node.challengeBlock),
    peerIdHash: parseDigest(node.peerIdHash),
    configHash: parseDigest(node.configHash),
    entryId: integer(node.entryId),
  }
}

/** Chain time until which a signer has standing; 0 for none. */
export async function readLiveUntil(chain: Chain, signer: Address, at: ChainBlock): Promise<bigint> {
  const [until] = await view(chain, at, "nodeRegistry", "liveUntil", signer)
  return wide(until)
}

/** An entry of the allow-list. */
export async function readEntry(chain: Chain, entryId: number, at: ChainBlock): Promise<AllowListEntry> {
  const [entry] = await view(chain, at, "nodeRegistry", "entryOf", entryId)
  return {
    role: integer(entry.role) === ROLE.keyholder ? "keyholder" : "executor",
    imageId: parseDigest(entry.imageId),
    composeHash: parseDigest(entry.composeHash),
    providerId: parseDigest(entry.providerId),
    version: integer(entry.version),
  }
}

/** Smallest evaluation numbers that the registry accepts. */
export async function readFloors(
  chain: Chain,
  at: ChainBlock,
): Promise<{ readonly tcb: number; readonly qe: number }> {
  const [tcb, qe] = await view(chain, at, "nodeRegistry", "floors")
  return { tcb: integer(tcb), qe: integer(qe) }
}

/**
 * What the signer's newest registration or renewal showed to the contract, from the transaction itself; null where there is
 * none, or it was sent through another contract. Nothing is verified.
 */
export async function readEvidence(chain: Chain, signer: Address, at: ChainBlock): Promise<Evidence | null> {
  const codec = INTERFACES.nodeRegistry
  const { nodeRegistry: address, startBlock: fromBlock } = chain.deployment
  const topics = codec.encodeFilterTopics("NodeAttested", [signer]) as string[]
  const newest = (await chain.endpoints.logs({ address, topics, fromBlock }, at)).at(-1)
  if (newest === undefined) return null
  const input = await chain.endpoints.input(parseDigest(newest.transactionHash))
  const call = codec.parseTransaction({ data: input })
  if (call === null || (call.name !== "register" && call.name !== "renew")) return null
  const { quote, auth, pckLeaf, caId, configDocument } = call.args["evidence"]
  return {
    quote: fromHex(quote),
    auth: fromHex(auth),
    pckLeaf: fromHex(pckLeaf),
    caId: parseDigest(caId),
    configDocument: fromHex(configDocument),
  }
}
