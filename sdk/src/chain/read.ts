/**
 * Typed reads of the contracts (protocol §7, §8, §10), each at one agreed block. A value outside the form that the contract's
 * interface promises is an error of the deployment, not of the caller.
 */
import type { Result } from "ethers"
import type { AcceptancePolicy, AcceptanceRule } from "../protocol/certificate.ts"
import { abiEncode } from "../protocol/codec.ts"
import { type Commitment, commitmentLeaf } from "../protocol/commitment.ts"
import { type Committee, createCommittee } from "../protocol/committee.ts"
import type { DecryptionResult } from "../protocol/eip712.ts"
import { ProtocolError } from "../protocol/errors.ts"
import { parseFheType } from "../protocol/fheType.ts"
import {
  type Address,
  type Digest,
  type Epoch,
  type Handle,
  type KeyId,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseSessionId,
  type RequestId,
} from "../protocol/ids.ts"
import type { HostBinding } from "../protocol/keyId.ts"
import type { GroupKey } from "../threshold/frost.ts"
import { ACCEPTANCE_RULE, KEY_STATUS, REQUEST_STATUS } from "./abi.ts"
import { addresses, type Chain, INTERFACES, integer, view, wide } from "./contracts.ts"
import { handleDomainOf } from "./deployments.ts"
import type { ChainBlock } from "./endpoints.ts"

export type ReadErrorCode =
  /** the registry knows no such key, or no key for this coprocessor. */
  | "KEY_UNKNOWN"
  /** the key is proposed or discarded. */
  | "KEY_NOT_ACTIVE"
  /** the verifier has no such epoch of the key. */
  | "EPOCH_UNKNOWN"
  /** no k executors have committed the ciphertext of the handle. */
  | "COMMITMENT_MISSING"
  /** executors committed conflicting ciphertexts: the handle is frozen. */
  | "COMMITMENT_FROZEN"

const bad = (code: ReadErrorCode, message: string): ProtocolError => new ProtocolError({ code, message })

/** A key as the registry holds it. Digests are SHA-256 of files; zero before activation. */
export type KeyRecord = {
  readonly keyId: KeyId
  readonly status: "proposed" | "active" | "discarded"
  readonly epoch: number
  readonly ceremonyNonce: bigint
  readonly host: HostBinding
  readonly parametersHash: Digest
  readonly publicKeyDigest: Digest
  readonly serverKeyDigest: Digest
  readonly crsDigest: Digest
  readonly transcriptDigest: Digest
}

/** @throws KEY_UNKNOWN, EndpointErrorCode */
export async function readKey(chain: Chain, keyId: KeyId, at: ChainBlock): Promise<KeyRecord> {
  const [key] = await view(chain, at, "keyRegistry", "keyOf", keyId)
  const status = integer(key.status)
  if (status === KEY_STATUS.none) throw bad("KEY_UNKNOWN", `the registry knows no key ${keyId}`)
  return {
    keyId,
    status:
      status === KEY_STATUS.active ? "active" : status === KEY_STATUS.discarded ? "discarded" : "proposed",
    epoch: integer(key.epoch),
    ceremonyNonce: wide(key.ceremonyNonce),
    host: {
      chainId: wide(key.host.chainId),
      coprocessor: parseAddress(key.host.coprocessor),
      gateway: parseAddress(key.host.gateway),
    },
    parametersHash: parseDigest(key.parametersHash),
    publicKeyDigest: parseDigest(key.publicKeyDigest),
    serverKeyDigest: parseDigest(key.serverKeyDigest),
    crsDigest: parseDigest(key.crsDigest),
    transcriptDigest: parseDigest(key.transcriptDigest),
  }
}

/** The active key of the deployment's coprocessor. @throws KEY_UNKNOWN, KEY_NOT_ACTIVE, EndpointErrorCode */
export async function readActiveKey(
  chain: Chain,
  at: ChainBlock,
): Promise<KeyRecord & { readonly epoch: Epoch }> {
  const { coprocessor } = chain.deployment
  const [found] = await view(chain, at, "keyRegistry", "keyOfHost", coprocessor)
  const keyId = parseKeyId(found)
  if (/^0x0+$/.test(keyId)) throw bad("KEY_UNKNOWN", `no key serves coprocessor ${coprocessor}`)
  const key = await readKey(chain, keyId, at)
  if (key.status !== "active") throw bad("KEY_NOT_ACTIVE", `key ${keyId} is ${key.status}`)
  return { ...key, epoch: parseEpoch(key.epoch) }
}

/** Seat signers at an epoch. @throws EPOCH_UNKNOWN, EndpointErrorCode */
export async function readCommittee(
  chain: Chain,
  keyId: KeyId,
  epoch: Epoch,
  at: ChainBlock,
): Promise<Committee> {
  const [found] = await view(chain, at, "keyRegistry", "committeeOf", keyId, epoch)
  const parties = addresses(found.parties)
  if (parties.length === 0) throw bad("EPOCH_UNKNOWN", `the registry knows no epoch ${epoch} of ${keyId}`)
  return createCommittee({ keyId, epoch, t: integer(found.t), parties })
}

/** Executors of a key and how many of them must agree. */
export async function readExecutors(
  chain: Chain,
  keyId: KeyId,
  at: ChainBlock,
): Promise<{ readonly members: readonly Address[]; readonly k: number }> {
  const [members, k] = await view(chain, at, "keyRegistry", "executorsOf", keyId)
  return { members: addresses(members), k: integer(k) }
}

/** What the verifier accepts results with. */
export type EpochHeader = {
  readonly groupKey: GroupKey
  readonly n: number
  readonly quorum: number
  readonly gateway: Address
}

/** @throws EPOCH_UNKNOWN, EndpointErrorCode */
export async function readEpochHeader(
  chain: Chain,
  keyId: KeyId,
  epoch: Epoch,
  at: ChainBlock,
): Promise<EpochHeader> {
  const [header] = await view(chain, at, "decryptionVerifier", "headerOf", keyId, epoch)
  const groupV = integer(header.groupV)
  if (groupV !== 27 && groupV !== 28)
    throw bad("EPOCH_UNKNOWN", `the verifier has no group key for epoch ${epoch} of ${keyId}`)
  return {
    groupKey: { groupX: wide(header.groupX), groupV },
    n: integer(header.n),
    quorum: integer(header.quorum),
    gateway: parseAddress(header.gateway),
  }
}

/** Signers of an epoch's seats, by party index − 1, as the verifier holds them; empty where unknown. */
export async function readSeats(
  chain: Chain,
  keyId: KeyId,
  epoch: Epoch,
  at: ChainBlock,
): Promise<readonly Address[]> {
  const [signers] = await view(chain, at, "decryptionVerifier", "seatsOf", keyId, epoch)
  return addresses(signers)
}

/** Chain time until which a seat has standing, as the verifier holds it. */
export async function readExpiry(
  chain: Chain,
  keyId: KeyId,
  epoch: Epoch,
  party: number,
  at: ChainBlock,
): Promise<bigint> {
  const [expiry] = await view(chain, at, "decryptionVerifier", "expiryOf", keyId, epoch, party)
  return wide(expiry)
}

/**
 * The final commitment of a handle. Its fields come from events; they are believed because they hash to the leaf that the
 * contract holds.
 * @throws COMMITMENT_MISSING, COMMITMENT_FROZEN, EndpointErrorCode
 */
export async function readCommitment(chain: Chain, handle: Handle, at: ChainBlock): Promise<Commitment> {
  const [found, frozen] = await view(chain, at, "ciphertextCommitments", "finalOf", handle)
  const leaf = parseDigest(found)
  if (frozen) throw bad("COMMITMENT_FROZEN", `executors committed conflicting ciphertexts for ${handle}`)
  if (/^0x0+$/.test(leaf)) throw bad("COMMITMENT_MISSING", `no quorum of executors committed ${handle}`)
  const codec = INTERFACES.ciphertextCommitments
  const topics = codec.encodeFilterTopics("CommitmentVoted", [handle, leaf]) as string[]
  const { ciphertextCommitments, startBlock } = chain.deployment
  const logs = await chain.endpoints.logs(
    { address: ciphertextCommitments, topics, fromBlock: startBlock },
    at,
  )
  for (const { data, topics: own } of logs) {
    const { commitment } = codec.decodeEventLog("CommitmentVoted", data, own)
    const parsed: Commitment = {
      handle: parseHandle(commitment.handle),
      operationDigest: parseDigest(commitment.operationDigest),
      inputsDigest: parseDigest(commitment.inputsDigest),
      ciphertextDigest: parseDigest(commitment.ciphertextDigest),
      squashedDigest: parseDigest(commitment.squashedDigest),
      fheType: parseFheType(integer(commitment.fheType)),
      blockCount: integer(commitment.blockCount),
    }
    if (commitmentLeaf(handleDomainOf(chain.deployment), parsed) === leaf) return parsed
  }
  throw bad("COMMITMENT_MISSING", `no event carries the committed fields of ${handle}`)
}

/** Permits below this nonce or start are revoked. */
export async function readPermitFloor(
  chain: Chain,
  user: Address,
  at: ChainBlock,
): Promise<{ readonly nonce: bigint; readonly invalidBefore: bigint }> {
  const [nonce, invalidBefore] = await view(chain, at, "coprocessor", "permitFloor", user)
  return { nonce: wide(nonce), invalidBefore: wide(invalidBefore) }
}

/** `rule` is what the gateway accepted it by. */
export type AcceptedResult = { readonly result: DecryptionResult; readonly rule: AcceptanceRule }

/**
 * What the gateway accepted for a request, from its own event: the contract has verified it. Null before it accepted one.
 */
export async function readAcceptedResult(
  chain: Chain,
  requestId: RequestId,
  at: ChainBlock,
): Promise<AcceptedResult | null> {
  const { chainId, decryptionGateway: gateway, startBlock } = chain.deployment
  const codec = INTERFACES.decryptionGateway
  const topics = codec.encodeFilterTopics("DecryptionFulfilled", [requestId]) as string[]
  const log = (await chain.endpoints.logs({ address: gateway, topics, fromBlock: startBlock }, at)).at(-1)
  if (log === undefined) return null
  const { openings: found, rule } = codec.decodeEventLog("DecryptionFulfilled", log.data, log.topics)
  const openings = [...(found as Result)]
  const result = {
    chainId,
    gateway,
    requestId,
    handles: openings.map(({ handle }) => parseHandle(handle)),
    sessions: openings.map(({ session }) => parseSessionId(session)),
    plaintexts: abiEncode(...openings.map(({ plaintext }) => wide(plaintext))),
  }
  return { result, rule: ruleOf(integer(rule)) }
}

const ruleOf = (code: number): AcceptanceRule =>
  code === ACCEPTANCE_RULE.endorsed ? "endorsed" : code === ACCEPTANCE_RULE.policy ? "policy" : "group"

export type RequestStatus = keyof typeof REQUEST_STATUS

export type RequestRecord = {
  readonly status: RequestStatus
  /** What the requester demands before a result counts. */
  readonly policy: AcceptancePolicy
  /** `hashWords` of the handles asked for. */
  readonly handlesHash: Digest
}

/** A request as the gateway holds it; status `none` where it knows no such request. */
export async function readRequest(
  chain: Chain,
  requestId: RequestId,
  at: ChainBlock,
): Promise<RequestRecord> {
  const [request] = await view(chain, at, "decryptionGateway", "requestOf", requestId)
  const code = integer(request.status)
  const names = Object.entries(REQUEST_STATUS) as (readonly [RequestStatus, number])[]
  return {
    status: names.find(([, value]) => value === code)?.[0] ?? "none",
    policy: {
      endorsements: integer(request.endorsements),
      freshQuotes: integer(request.freshQuotes),
      groupOnly: Boolean(request.groupOnly),
    },
    handlesHash: parseDigest(request.handlesHash),
  }
}
