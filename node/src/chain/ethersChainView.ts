/**
 * ChainView over the deployment's contracts: every value is an agreed answer at the given block (protocol §8).
 * Handles of a request and fields of a commitment come from events; both are checked against the hashes that the contracts
 * store.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { parseAddress, parseDigest, parseEpoch, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { Interface, type Result } from "ethers"
import type { Logger } from "../telemetry/logger.ts"
import { createBatchReader } from "./batchReader.ts"
import { chainError } from "./chainError.ts"
import { createChainEvents } from "./chainEvents.ts"
import type { ChainView, KeyProposal } from "./chainView.ts"
import type { ContractReader } from "./contractReader.ts"
import {
  type ContractAddresses,
  ciphertextCommitmentsInterface as commitmentsAbi,
  coprocessorInterface as coprocessorAbi,
  keyRegistryInterface as keysAbi,
  decryptionVerifierInterface as verifierAbi,
} from "./contracts.ts"
import { activationOf, commitmentStateOf, hostOf, keyStatusOf } from "./contractTypes.ts"
import type { EventReader } from "./eventReader.ts"
import type { HeadHint } from "./headHint.ts"
import { createLogReader } from "./logReader.ts"
import { createNodeRecords } from "./nodeRecords.ts"
import { createRequestFacts, createRequestStatuses } from "./requestFacts.ts"
import type { RpcPool } from "./rpcPool.ts"

export type ChainViewDeps = {
  readonly pool: RpcPool
  readonly reader: ContractReader
  readonly events: EventReader
  readonly contracts: ContractAddresses
  readonly hint: HeadHint
  readonly logger: Logger
  readonly chainId: bigint
  /** Block of the deployment: no event is older. */
  readonly deployedAt: bigint
}

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
  chainId,
  deployedAt,
}: ChainViewDeps): ChainView {
  const batch = createBatchReader(pool)
  const found = createChainEvents({ logs: createLogReader(pool), contracts, chainId, deployedAt, logger })
  const nodes = createNodeRecords(batch, contracts.nodeRegistry)
  const factsAt = createRequestFacts({ batch, events: found, contracts, logger })

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
      commitmentStateOf,
    )

  const nodeAt: ChainView["node"] = async (signer, at) => {
    const answer = (await nodes.read([signer], at)).get(signer)
    if (answer !== undefined && "value" in answer) return answer.value
    throw answer?.error ?? chainError("CHAIN_MALFORMED", `nothing was read about ${signer}`)
  }

  const detailsAt: ChainView["commitmentDetails"] = async (handle, at) => {
    const { leaf } = await commitmentAt(handle, at)
    if (leaf === ZERO_DIGEST) return null
    return (await found.commitments([{ handle, leaf }], at.number)).get(leaf) ?? null
  }

  const requestAt: ChainView["request"] = async (requestId, at) => {
    const facts = (await factsAt([requestId], at)).get(requestId)
    if (facts === undefined)
      throw chainError("CHAIN_MALFORMED", `the facts of request ${requestId} cannot be read`)
    return facts?.request ?? null
  }

  return {
    head: () => pool.head(),
    block: (number) => pool.block(number),

    onHead: (listener) => hint.onHead(listener),

    node: nodeAt,
    async nodes(signers, at) {
      const answers = await nodes.read(signers, at)
      const readable = [...answers].flatMap(([signer, answer]) =>
        "value" in answer ? [[signer, answer.value] as const] : [],
      )
      return new Map(readable)
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
    requestStatuses: createRequestStatuses({ batch, contracts, logger }),

    requestsSince: (from, to) => found.requestsSince(from, to),

    async proposalsSince(fromBlock, to) {
      const from = fromBlock < deployedAt ? deployedAt : fromBlock
      const filter = { address: contracts.keyRegistry, abi: keysAbi, events: ["KeyProposed"] }
      const found = await events.between(filter, from, to.number, to)
      return found.map(({ args }) => parseKeyId(String(args["keyId"])))
    },

    isAllowedForDecryption: (handle, at) =>
      reader.call(
        { to: contracts.coprocessor, abi: coprocessorAbi, method: "isAllowedForDecryption", args: [handle] },
        at,
        ([allowed]) => allowed === true,
      ),

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
