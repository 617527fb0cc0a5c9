/** A chain that says what the test lets it say: requests, commitments, access control and standing of one test key. */

import type {
  BlockRef,
  ChainView,
  Commitment,
  CommitmentState,
  DecryptionRequest,
  HandleFacts,
  NodeRecord,
  PermitFloor,
  RequestFacts,
} from "@twinlock/node/chain/chainView"
import type { KeyContext } from "@twinlock/node/decryption/ciphertexts"
import { STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import { sha256Digest, taggedHash, tagHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import { blobBytesOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import {
  type Address,
  type Handle,
  type KeyId,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseKeyId,
  parseRequestId,
  type RequestId,
  type SessionId,
} from "@twinlock/sdk/protocol/ids"
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { committed, handleOf } from "./knownCiphertext.ts"
import { seededRng } from "./seededRng.ts"

export const KEY_ID = parseKeyId(tagHash("test key"))
export const EPOCH = parseEpoch(1)
export const DOMAIN = { chainId: 31_337n, coprocessor: parseAddress(`0x${"c0".repeat(20)}`) }
/** What a seat knows of that key. */
export const KEY: KeyContext = {
  ...{ keyId: KEY_ID, epoch: EPOCH, domain: DOMAIN },
  parametersHash: CURRENT_PARAMETERS.hash,
}
export const SIGNING: SigningDomain = {
  chainId: 31_337n,
  verifyingContract: parseAddress(`0x${"dd".repeat(20)}`),
}
export const GATEWAY = parseAddress(`0x${"9a".repeat(20)}`)
export const ZERO = parseDigest(`0x${"00".repeat(32)}`)

export type ScriptedChain = {
  head: BlockRef
  readonly requests: Map<RequestId, DecryptionRequest>
  readonly commitments: Map<Handle, { state: CommitmentState; details: Commitment }>
  readonly publiclyAllowed: Set<Handle>
  readonly allowed: Set<string>
  readonly nodes: Map<Address, NodeRecord>
  readonly headListeners: Set<() => void>
  permitFloor: PermitFloor
}

export const blockAt = (number: bigint, timestamp: bigint): BlockRef => ({
  number,
  timestamp,
  hash: taggedHash("block", number),
})

export function createScriptedChain(): ScriptedChain {
  return {
    head: blockAt(100n, 1_000_000n),
    requests: new Map(),
    commitments: new Map(),
    publiclyAllowed: new Set(),
    allowed: new Set(),
    nodes: new Map(),
    headListeners: new Set(),
    permitFloor: { nonce: 0n, invalidBefore: 0n },
  }
}

const NOTHING_COMMITTED: CommitmentState = { leaf: ZERO, status: "none" }

function handleFacts(chain: ScriptedChain, handle: Handle): HandleFacts {
  const committed = chain.commitments.get(handle)
  const allowedForDecryption = chain.publiclyAllowed.has(handle)
  if (committed === undefined)
    return { handle, allowedForDecryption, commitment: NOTHING_COMMITTED, details: null }
  return { handle, allowedForDecryption, commitment: committed.state, details: committed.details }
}

/** Wakes whoever listens for heads, as an endpoint's hint would. */
export function announceHead(chain: ScriptedChain): void {
  for (const listener of [...chain.headListeners]) listener()
}

/** The test calls `announceHead` where a listener should hear of a new head. */
export function viewOf(chain: ScriptedChain): ChainView {
  const factsOf = (request: DecryptionRequest): RequestFacts => ({
    request,
    handles: request.handles.map((handle) => handleFacts(chain, handle)),
  })
  return {
    head: async () => chain.head,
    block: async (number) => blockAt(number, chain.head.timestamp),
    onHead(listener) {
      chain.headListeners.add(listener)
      return () => void chain.headListeners.delete(listener)
    },
    node: async (signer) => chain.nodes.get(signer) ?? null,
    nodes: async (signers) => new Map(signers.map((signer) => [signer, chain.nodes.get(signer) ?? null])),
    key: async () => null,
    committee: async () => null,
    executors: async () => ({ members: [], k: 2 }),
    commitment: async (handle) => chain.commitments.get(handle)?.state ?? NOTHING_COMMITTED,
    commitmentDetails: async (handle) => chain.commitments.get(handle)?.details ?? null,
    request: async (id) => chain.requests.get(id) ?? null,
    requestFacts: async (ids) =>
      new Map(
        ids.map((id) => {
          const request = chain.requests.get(id)
          return [id, request === undefined ? null : factsOf(request)]
        }),
      ),
    requestStatuses: async (ids) => new Map(ids.map((id) => [id, chain.requests.get(id) ?? null])),
    proposalsSince: async () => [],
    requestsSince: async (from) =>
      [...chain.requests.values()]
        .filter(({ blockNumber }) => blockNumber >= from)
        .map(({ requestId }) => requestId),
    isAllowedForDecryption: async (handle) => chain.publiclyAllowed.has(handle),
    isAllowed: async (handle, account) => chain.allowed.has(`${handle}/${account}`),
    permitFloor: async () => chain.permitFloor,
    isValidContractSignature: async () => false,
  }
}

export type TestCiphertext = {
  readonly handle: Handle
  readonly words: Uint8Array
  readonly session: SessionId
  readonly value: bigint
}

/** A committed ciphertext of a known value; its canonical words are filler, since shares come from the stand-in. */
export function addCiphertext(
  chain: ScriptedChain,
  name: string,
  value: bigint,
  fheType: FheType = 3,
  length: number = blobBytesOf(fheType),
  keyId: KeyId = KEY_ID,
): TestCiphertext {
  const handle = handleOf(DOMAIN, taggedHash("test handle", sha256Digest(utf8ToBytes(name))), fheType)
  const bytes = new Uint8Array(length)
  bytes.set(seededRng(`words/${name}`)(64))
  const { details, leaf, session } = committed({ ...KEY, keyId }, handle, fheType, sha256Digest(bytes))
  chain.commitments.set(handle, { details, state: { leaf, status: "final" } })
  chain.publiclyAllowed.add(handle)
  return { handle, words: bytes, value, session }
}

export function addRequest(
  chain: ScriptedChain,
  name: string,
  handles: readonly Handle[],
  change: Partial<DecryptionRequest> = {},
): RequestId {
  const requestId = parseRequestId(taggedHash("test request", sha256Digest(utf8ToBytes(name))))
  chain.requests.set(requestId, {
    requestId,
    requester: GATEWAY,
    keyId: KEY_ID,
    handles,
    blockNumber: chain.head.number,
    blockHash: chain.head.hash,
    uncancellableFrom: chain.head.timestamp,
    policy: STANDING_POLICY,
    deadline: 2n ** 40n - 1n,
    status: "open",
    ...change,
  })
  return requestId
}

/** The handle now stands for other words: what a second k-quorum of executors would try. */
export function replaceWords(chain: ScriptedChain, handle: Handle, name: string): TestCiphertext {
  const other = addCiphertext(chain, name, 1n)
  const entry = chain.commitments.get(other.handle)
  if (entry === undefined) throw new Error("no commitment")
  const { details, leaf } = committed(KEY, handle, 3, entry.details.squashedDigest)
  chain.commitments.set(handle, { details, state: { leaf, status: "final" } })
  return other
}
