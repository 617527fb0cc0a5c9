/**
 * What a node believes about the chain (protocol §8). Every read names the agreed block at which it is true; nothing
 * is read "at latest". Implementations fail closed: a read that the endpoints do not agree on throws.
 */
import type { AcceptancePolicy } from "@twinlock/sdk/protocol/certificate"
import type { Commitment as AnchoredCommitment } from "@twinlock/sdk/protocol/commitment"
import type { Committee } from "@twinlock/sdk/protocol/committee"
import type {
  Address,
  Digest,
  Epoch,
  Handle,
  Hex,
  KeyId,
  PartyIndex,
  RequestId,
} from "@twinlock/sdk/protocol/ids"
import type { Cancel } from "../clock.ts"

export type ChainErrorCode =
  /** fewer endpoints than a majority gave the same answer. */
  | "CHAIN_DISAGREEMENT"
  /** fewer endpoints than a majority answered at all. */
  | "CHAIN_UNAVAILABLE"
  /** an endpoint serves another chain id than the configured one. */
  | "CHAIN_WRONG_ID"
  /** an agreed answer does not have the form that the contract's interface promises. */
  | "CHAIN_MALFORMED"

/** `timestamp` is chain time in seconds. */
export type BlockRef = { readonly number: bigint; readonly hash: Digest; readonly timestamp: bigint }

export type NodeRole = "keyholder" | "executor"

/** One registration of NodeRegistry. */
export type NodeRecord = {
  readonly signer: Address
  readonly operator: Address
  readonly role: NodeRole
  /** keccak256 of the libp2p peer id's multihash bytes. */
  readonly peerIdHash: Digest
  readonly configHash: Digest
  /** Platform of the quote: hash or 16-byte value as the registry keeps it. */
  readonly ppid: Hex
  /** Chain time in seconds until which the registration stands; zero where it was zeroed. */
  readonly liveUntil: bigint
  readonly revoked: boolean
}

/** Live standing at a block: unexpired and not revoked (protocol §7). */
export const isLive = (node: NodeRecord, at: BlockRef): boolean =>
  !node.revoked && node.liveUntil > at.timestamp

/** The host chain that a key serves; fixed in the key id. */
export type HostBinding = {
  readonly chainId: bigint
  readonly coprocessor: Address
  readonly gateway: Address
}

export type KeyProposal = {
  readonly n: number
  readonly t: number
  /** Executors that must commit bit-equal ciphertexts. */
  readonly k: number
  /** Signers by party index − 1. */
  readonly parties: readonly Address[]
  readonly executors: readonly Address[]
  readonly parametersHash: Digest
  readonly host: HostBinding
  /** Chain time in seconds. */
  readonly deadline: bigint
}

export type KeyActivation = {
  readonly publicKeyDigest: Digest
  readonly serverKeyDigest: Digest
  readonly crsDigest: Digest
  readonly transcriptDigest: Digest
  readonly groupX: bigint
  readonly groupV: number
}

export type KeyRecord = {
  readonly keyId: KeyId
  /** Ceremony nonce of the registry, part of the key id. */
  readonly nonce: bigint
  readonly epoch: Epoch
  readonly proposal: KeyProposal
} & (
  | { readonly status: "proposed" | "discarded"; readonly activation: null }
  | { readonly status: "active"; readonly activation: KeyActivation }
)

/** What k executors anchored for a handle (protocol §8). */
export type Commitment = AnchoredCommitment

export type CommitmentState = {
  /** Zero where nothing is final. */
  readonly leaf: Digest
  readonly status: "none" | "pending" | "final" | "frozen"
}

export type DecryptionRequest = {
  readonly requestId: RequestId
  readonly requester: Address
  readonly keyId: KeyId
  readonly handles: readonly Handle[]
  /** Host block that holds the request. */
  readonly blockNumber: bigint
  readonly blockHash: Digest
  /** Chain time in seconds from which the requester can no longer cancel. */
  readonly uncancellableFrom: bigint
  /** Chain time in seconds. */
  readonly deadline: bigint
  readonly status: "open" | "cancelled" | "fulfilled" | "refunded"
  /** What the requester demands before the result counts. */
  readonly policy: AcceptancePolicy
}

/** What the chain says about one handle of a request. `details` come from events: see `commitmentDetails`. */
export type HandleFacts = {
  readonly handle: Handle
  readonly allowedForDecryption: boolean
  readonly commitment: CommitmentState
  /** Null unless the commitment is final and an event carries it. */
  readonly details: Commitment | null
}

/** A request and its handles, in the request's order, all at one agreed block. */
export type RequestFacts = { readonly request: DecryptionRequest; readonly handles: readonly HandleFacts[] }

/** Whether a request still waits for its result. */
export type RequestStatus = Pick<DecryptionRequest, "status" | "deadline">

export type Executors = { readonly members: readonly Address[]; readonly k: number }

export type PermitFloor = { readonly nonce: bigint; readonly invalidBefore: bigint }

export type ChainView = {
  /** Newest agreed finalised block. @throws ChainErrorCode */
  head(): Promise<BlockRef>
  /** A final block. @param number not above an agreed head @throws ChainErrorCode */
  block(number: bigint): Promise<BlockRef>
  /**
   * Calls `listener` when there may be a new head, until cancelled. An endpoint's unproven word: early, late, false or
   * missing calls must cost nothing but latency, so that whoever listens also polls.
   */
  onHead(listener: () => void): Cancel
  node(signer: Address, at: BlockRef): Promise<NodeRecord | null>
  /** As `node`, for all of `signers` in one agreed read. */
  nodes(signers: readonly Address[], at: BlockRef): Promise<ReadonlyMap<Address, NodeRecord | null>>
  key(keyId: KeyId, at: BlockRef): Promise<KeyRecord | null>
  committee(keyId: KeyId, epoch: Epoch, at: BlockRef): Promise<Committee | null>
  executors(keyId: KeyId, at: BlockRef): Promise<Executors>
  commitment(handle: Handle, at: BlockRef): Promise<CommitmentState>
  /** From events: the caller checks its leaf hash against `commitment().leaf`. */
  commitmentDetails(handle: Handle, at: BlockRef): Promise<Commitment | null>
  request(requestId: RequestId, at: BlockRef): Promise<DecryptionRequest | null>
  /**
   * Everything that the chain says about these requests, in one agreed read. Null: the gateway knows no such request. An
   * id is missing from the map where its own facts could not be had; the others stand nevertheless.
   * @throws ChainErrorCode where nothing could be read at all
   */
  requestFacts(
    requestIds: readonly RequestId[],
    at: BlockRef,
  ): Promise<ReadonlyMap<RequestId, RequestFacts | null>>
  /** As `requestFacts`, but no more than their statuses: one cheap read for many. */
  requestStatuses(
    requestIds: readonly RequestId[],
    at: BlockRef,
  ): Promise<ReadonlyMap<RequestId, RequestStatus | null>>
  /** Requests made in blocks `fromBlock`..`to`, in chain order. */
  requestsSince(fromBlock: bigint, to: BlockRef): Promise<readonly RequestId[]>
  /** Keys proposed in blocks `fromBlock`..`to`, in chain order. */
  proposalsSince(fromBlock: bigint, to: BlockRef): Promise<readonly KeyId[]>
  isAllowedForDecryption(handle: Handle, at: BlockRef): Promise<boolean>
  isAllowed(handle: Handle, account: Address, at: BlockRef): Promise<boolean>
  permitFloor(user: Address, at: BlockRef): Promise<PermitFloor>
  /** ERC-1271 by call with a gas cap; false where the account has no code or does not answer the magic value. */
  isValidContractSignature(
    user: Address,
    digest: Digest,
    signature: Uint8Array,
    at: BlockRef,
  ): Promise<boolean>
}

/** The part that follows proposals. */
export type ProposalFeed = Pick<ChainView, "proposalsSince">

/** A seat of a key's epoch, as the registry and the verifier name it. */
export type Seat = { readonly keyId: KeyId; readonly epoch: Epoch; readonly party: PartyIndex }
