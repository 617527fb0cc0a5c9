/**
 * ChainView over the deployment's contracts: every value is an agreed answer at the given block (protocol §8).
 * Handles of a request and fields of a commitment come from events; the former are checked here against the hash that
 * the gateway stores, the latter by the caller against the anchored leaf.
 */
import { hashWords, toHex } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import {
  type Handle,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseRequestId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import { Interface, type Result } from "ethers"
import type { Logger } from "../telemetry/logger.ts"
import { chainError } from "./chainError.ts"
import type {
  BlockRef,
  ChainView,
  DecryptionRequest,
  HandleFacts,
  KeyProposal,
  RequestFacts,
} from "./chainView.ts"
import type { ContractReader } from "./contractReader.ts"
import {
  type ContractAddresses,
  ciphertextCommitmentsInterface as commitmentsAbi,
  coprocessorInterface as coprocessorAbi,
  decryptionGatewayInterface as gatewayAbi,
  keyRegistryInterface as keysAbi,
  nodeRegistryInterface as nodesAbi,
  decryptionVerifierInterface as verifierAbi,
} from "./contracts.ts"
import {
  activationOf,
  commitmentOf,
  hostOf,
  keyStatusOf,
  nodeRecordOf,
  requestFactsOf,
} from "./contractTypes.ts"
import type { ChainEvent, EventReader } from "./eventReader.ts"
import type { HeadHint } from "./headHint.ts"
import type { RpcPool } from "./rpcPool.ts"

export type ChainViewDeps = {
  readonly pool: RpcPool
  readonly reader: ContractReader
  readonly events: EventReader
  readonly contracts: ContractAddresses
  readonly hint: HeadHint
  readonly logger: Logger
  /** Block of the deployment: no event is older. */
  readonly deployedAt: bigint
}

type SeenRequest = Pick<DecryptionRequest, "handles" | "blockNumber" | "blockHash">

const MAX_SEEN = 4096

/** Epoch that the proposal's committee will have. */
const FIRST_EPOCH = parseEpoch(1)
const ZERO_DIGEST = parseDigest(`0x${"0".repeat(64)}`)
/** `isValidSignature(bytes32,bytes)` gets so much gas, and answers its own selector (ERC-1271). */
const SIGNATURE_GAS = 500_000
const SIGNATURE_MAGIC = `0x1626ba7e${"0".repeat(56)}`
const erc1271 = new Interface([
  "function isValidSignature(bytes32 digest, bytes signature) view returns (bytes4)",
])

export function createEthersChainView({
  pool,
  reader,
  events,
  contracts,
  hint,
  logger,
  deployedAt,
}: ChainViewDeps): ChainView {
  /** Requests seen in events; their handles are checked when a request is read. */
  const seen = new Map<RequestId, SeenRequest>()

  const noteRequest = ({ args, blockNumber, blockHash }: ChainEvent): RequestId => {
    const requestId = parseRequestId(String(args["requestId"]))
    seen.delete(requestId)
    const handles = [...args["handles"]].map(String).map(parseHandle)
    seen.set(requestId, { handles, blockNumber, blockHash })
    const [oldest] = seen.keys()
    if (seen.size > MAX_SEEN && oldest !== undefined) seen.delete(oldest)
    return requestId
  }

  /** The event of one request, searched back from `to` where it was not seen yet. */
  const requestEvent = async (requestId: RequestId, to: bigint): Promise<SeenRequest | undefined> => {
    if (!seen.has(requestId)) {
      const address = contracts.decryptionGateway
      const filter = { address, abi: gatewayAbi, event: "DecryptionRequested", indexed: [requestId] }
      for (const event of await events.newest(filter, deployedAt, to)) noteRequest(event)
    }
    return seen.get(requestId)
  }

  const committeeAt: ChainView["committee"] = (keyId, epoch, at) =>
    reader.call(
      { to: contracts.keyRegistry, abi: keysAbi, method: "committeeOf", args: [keyId, epoch] },
      at,
      ([committee]) => {
        const parties = [...committee.parties].map(String).map(parseAddress)
        return parties.length === 0
          ? null
          : createCommittee({ keyId, epoch, t: Number(committee.t), parties })
      },
    )

  const executorsAt: ChainView["executors"] = (keyId, at) =>
    reader.call(
      { to: contracts.keyRegistry, abi: keysAbi, method: "executorsOf", args: [keyId] },
      at,
      ([members, k]) => ({ members: [...members].map(String).map(parseAddress), k: Number(k) }),
    )

  const commitmentAt: ChainView["commitment"] = (handle, at) =>
    reader.call(
      { to: contracts.ciphertextCommitments, abi: commitmentsAbi, method: "finalOf", args: [handle] },
      at,
      ([final, frozen]) => {
        const leaf = parseDigest(String(final))
        return { leaf, status: frozen === true ? "frozen" : leaf === ZERO_DIGEST ? "none" : "final" }
      },
    )

  const nodeAt: ChainView["node"] = async (signer, at) => {
    const call = { to: contracts.nodeRegistry, abi: nodesAbi, args: [signer] }
    const [record, liveUntil] = await Promise.all([
      reader.call({ ...call, method: "nodeOf" }, at, ([node]) => nodeRecordOf(signer, node)),
      reader.call({ ...call, method: "liveUntil" }, at, ([until]) => BigInt(until)),
    ])
    return record === null ? null : { ...record, liveUntil }
  }

  const detailsAt: ChainView["commitmentDetails"] = async (handle, at) => {
    const { leaf } = await commitmentAt(handle, at)
    if (leaf === ZERO_DIGEST) return null
    const address = contracts.ciphertextCommitments
    const filter = { address, abi: commitmentsAbi, event: "CommitmentVoted", indexed: [handle, leaf] }
    const [voted] = await events.newest(filter, deployedAt, at.number)
    return voted === undefined ? null : commitmentOf(voted.args["commitment"])
  }

  const requestAt: ChainView["request"] = async (requestId, at) => {
    const call = { to: contracts.decryptionGateway, abi: gatewayAbi }
    const facts = await reader.call({ ...call, method: "requestOf", args: [requestId] }, at, ([stored]) =>
      requestFactsOf(stored),
    )
    if (facts === null) return null
    const event = await requestEvent(requestId, at.number)
    if (event === undefined || hashWords(event.handles) !== facts.handlesHash)
      throw chainError("CHAIN_MALFORMED", `no event carries the handles of request ${requestId}`)
    const [window, keyId] = await Promise.all([
      reader.call({ ...call, method: "cancelWindow", args: [] }, at, ([seconds]) => BigInt(seconds)),
      reader.call(
        { to: contracts.keyRegistry, abi: keysAbi, method: "keyOfHost", args: [contracts.coprocessor] },
        at,
        ([id]) => parseKeyId(String(id)),
      ),
    ])
    return {
      requestId,
      requester: facts.requester,
      keyId,
      handles: event.handles,
      blockNumber: event.blockNumber,
      blockHash: event.blockHash,
      uncancellableFrom: facts.requestedAt + window,
      deadline: facts.deadline,
      status: facts.status,
    }
  }

  const isAllowedAt: ChainView["isAllowedForDecryption"] = (handle, at) =>
    reader.call(
      { to: contracts.coprocessor, abi: coprocessorAbi, method: "isAllowedForDecryption", args: [handle] },
      at,
      ([allowed]) => allowed === true,
    )

  async function handleFactsAt(handle: Handle, at: BlockRef): Promise<HandleFacts> {
    const [allowedForDecryption, commitment] = await Promise.all([
      isAllowedAt(handle, at),
      commitmentAt(handle, at),
    ])
    const details = commitment.status === "final" ? await detailsAt(handle, at) : null
    return { handle, allowedForDecryption, commitment, details }
  }

  const factsAt: ChainView["requestFacts"] = async (requestIds, at) => {
    const facts = new Map<RequestId, RequestFacts | null>()
    for (const requestId of requestIds) {
      try {
        const request = await requestAt(requestId, at)
        const handles = request?.handles.map((handle) => handleFactsAt(handle, at)) ?? []
        facts.set(requestId, request === null ? null : { request, handles: await Promise.all(handles) })
      } catch (err) {
        logger.warn({ err, requestId }, "the facts of a request could not be read")
      }
    }
    return facts
  }

  return {
    head: () => pool.head(),

    onHead: (listener) => hint.onHead(listener),

    node: nodeAt,
    async nodes(signers, at) {
      return new Map(
        await Promise.all(signers.map(async (signer) => [signer, await nodeAt(signer, at)] as const)),
      )
    },

    async key(keyId, at) {
      const key = await reader.call(
        { to: contracts.keyRegistry, abi: keysAbi, method: "keyOf", args: [keyId] },
        at,
        ([stored]) => stored as Result,
      )
      const status = keyStatusOf(key["status"])
      if (status === null) return null
      const epoch = status === "active" ? parseEpoch(Number(key["epoch"])) : FIRST_EPOCH
      const [committee, executors] = await Promise.all([
        committeeAt(keyId, FIRST_EPOCH, at),
        executorsAt(keyId, at),
      ])
      if (committee === null) throw chainError("CHAIN_MALFORMED", `key ${keyId} has no committee`)
      const proposal: KeyProposal = {
        n: committee.n,
        t: committee.t,
        k: executors.k,
        parties: committee.parties,
        executors: executors.members,
        parametersHash: parseDigest(String(key["parametersHash"])),
        host: hostOf(key["host"]),
        deadline: BigInt(key["deadline"]),
      }
      const common = { keyId, nonce: BigInt(key["ceremonyNonce"]), epoch, proposal }
      if (status !== "active") return { ...common, status, activation: null }
      const activation = await reader.call(
        { to: contracts.decryptionVerifier, abi: verifierAbi, method: "headerOf", args: [keyId, epoch] },
        at,
        ([header]) => activationOf(key, header),
      )
      return { ...common, status, activation }
    },

    committee: committeeAt,
    executors: executorsAt,

    commitment: commitmentAt,

    commitmentDetails: detailsAt,
    request: requestAt,
    requestFacts: factsAt,

    async requestsSince(fromBlock, to) {
      const from = fromBlock < deployedAt ? deployedAt : fromBlock
      const filter = { address: contracts.decryptionGateway, abi: gatewayAbi, event: "DecryptionRequested" }
      const found = await events.between(filter, from, to.number)
      return found.map(noteRequest)
    },

    async proposalsSince(fromBlock, to) {
      const from = fromBlock < deployedAt ? deployedAt : fromBlock
      const filter = { address: contracts.keyRegistry, abi: keysAbi, event: "KeyProposed" }
      const found = await events.between(filter, from, to.number)
      return found.map(({ args }) => parseKeyId(String(args["keyId"])))
    },

    isAllowedForDecryption: isAllowedAt,

    isAllowed: (handle, account, at) =>
      reader.call(
        { to: contracts.coprocessor, abi: coprocessorAbi, method: "isAllowed", args: [handle, account] },
        at,
        ([allowed]) => allowed === true,
      ),

    permitFloor: (user, at) =>
      reader.call(
        { to: contracts.coprocessor, abi: coprocessorAbi, method: "permitFloor", args: [user] },
        at,
        ([nonce, invalidBefore]) => ({ nonce: BigInt(nonce), invalidBefore: BigInt(invalidBefore) }),
      ),

    async isValidContractSignature(user, digest, signature, at) {
      const data = erc1271.encodeFunctionData("isValidSignature", [digest, toHex(signature)])
      const answer = await reader.rawCall(user, data, SIGNATURE_GAS, at)
      return answer === SIGNATURE_MAGIC
    },
  }
}
