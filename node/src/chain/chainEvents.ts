/**
 * What decryption needs from events: handles of requests and fields of commitments. Both come with the blocks that are
 * followed anyway and are kept within bounds; what is not kept (old, or from before a restart) is searched for. Events are
 * the endpoints' word: fields are kept only if they hash to their leaf, and handles are for the caller to check.
 */
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import { parseFheType } from "@twinlock/sdk/protocol/fheType"
import type { HandleDomain } from "@twinlock/sdk/protocol/handles"
import {
  type Digest,
  type Handle,
  type Hex,
  parseHandle,
  parseRequestId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import type { Logger } from "../telemetry/logger.ts"
import { eventDecoder } from "./abiWords.ts"
import { type BoundedCache, createBoundedCache } from "./boundedCache.ts"
import type { BlockRef, Commitment, DecryptionRequest } from "./chainView.ts"
import {
  type ContractAddresses,
  ciphertextCommitmentsInterface,
  decryptionGatewayInterface,
} from "./contracts.ts"
import type { Log, LogReader } from "./logReader.ts"

/** The part of a request that only its event has. */
export type RequestEvent = Pick<DecryptionRequest, "handles" | "blockNumber" | "blockHash">

export type Committed = { readonly handle: Handle; readonly leaf: Digest }

export type ChainEvents = {
  /** Requests made in blocks from..to, in chain order. Keeps what else these blocks hold, if they are few. */
  requestsSince(from: bigint, to: BlockRef): Promise<readonly RequestId[]>
  /** Null where it is not kept; `findRequests` searches. @param at what is kept must not contradict this block */
  request(requestId: RequestId, at: BlockRef): RequestEvent | null
  forgetRequest(requestId: RequestId): void
  /** Searches back from `to`; what is not found is missing. */
  findRequests(requestIds: readonly RequestId[], to: bigint): Promise<ReadonlyMap<RequestId, RequestEvent>>
  /** Fields behind leaves, by leaf: kept ones and those found by searching back from `to`. */
  commitments(wanted: readonly Committed[], to: bigint): Promise<ReadonlyMap<Digest, Commitment>>
}

export type ChainEventsDeps = {
  readonly logs: LogReader
  readonly contracts: Pick<ContractAddresses, "decryptionGateway" | "ciphertextCommitments" | "coprocessor">
  readonly chainId: bigint
  /** Block of the deployment: no event is older. */
  readonly deployedAt: bigint
  readonly logger: Logger
  /** Requests by their handles, and commitments, that are kept; the node's own by default. */
  readonly kept?: { readonly requests: number; readonly commitments: number }
}

/** Some 30 MB each at most: what many minutes bring, so that it is still there when a request is judged. */
const KEPT = { requests: 131_072, commitments: 32_768 }
/** Answers for ranges of blocks: several services follow the same ones. */
const MAX_RANGES = 8
const MAX_BLOCKS = 256
/** Of more blocks than these only requests are read: their commitments are searched for when they are needed. */
const MAX_FOLLOWED = 64n
/** Values of one topic in a search. */
const MAX_WANTED = 64

const requested = eventDecoder(decryptionGatewayInterface, "DecryptionRequested")
const voted = eventDecoder(ciphertextCommitmentsInterface, "CommitmentVoted")
const REQUESTED = requested.topic as Hex
const VOTED = voted.topic as Hex

function commitmentOf(log: Log): Commitment {
  const fields = voted.decode(log)
  const digest = (name: string): Digest => fields[name] as Digest
  return {
    handle: parseHandle(String(fields["handle"])),
    operationDigest: digest("operationDigest"),
    inputsDigest: digest("inputsDigest"),
    ciphertextDigest: digest("ciphertextDigest"),
    squashedDigest: digest("squashedDigest"),
    fheType: parseFheType(Number(fields["fheType"])),
    blockCount: Number(fields["blockCount"]),
  }
}

function requestEventOf(log: Log): RequestEvent & { readonly requestId: RequestId } {
  const { requestId, handles } = requested.decode(log)
  return {
    requestId: parseRequestId(String(requestId)),
    handles: (handles as readonly Handle[]).slice(),
    blockNumber: log.blockNumber,
    blockHash: log.blockHash,
  }
}

const chunks = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / MAX_WANTED) }, (_, i) =>
    items.slice(i * MAX_WANTED, (i + 1) * MAX_WANTED),
  )

export function createChainEvents({
  logs,
  contracts,
  chainId,
  deployedAt,
  logger,
  kept = KEPT,
}: ChainEventsDeps): ChainEvents {
  const { decryptionGateway: gateway, ciphertextCommitments, coprocessor } = contracts
  const domain: HandleDomain = { chainId, coprocessor }
  const requests: BoundedCache<RequestId, RequestEvent> = createBoundedCache(kept.requests, ({ handles }) =>
    Math.max(1, handles.length),
  )
  const commitments: BoundedCache<string, Commitment> = createBoundedCache(kept.commitments)
  const blocks: BoundedCache<bigint, Digest> = createBoundedCache(MAX_BLOCKS)
  const ranges: BoundedCache<string, Promise<readonly RequestId[]>> = createBoundedCache(MAX_RANGES)

  /** An agreed block was replaced: handles are checked anyway, but the places of requests may be others now. */
  function noteBlock({ number, hash }: BlockRef): void {
    const known = blocks.get(number)
    if (known === hash) return
    if (known !== undefined) {
      logger.error({ block: `${number}`, was: known, is: hash }, "an agreed final block was replaced")
      requests.clear()
      blocks.clear()
    }
    blocks.set(number, hash)
  }

  function noteRequest(log: Log): RequestEvent & { readonly requestId: RequestId } {
    const made = requestEventOf(log)
    const { requestId, ...event } = made
    requests.set(requestId, event)
    return made
  }

  /** Every executor's vote for a leaf carries the same fields: one of them is enough. */
  function noteVote(log: Log): Commitment | null {
    const leaf = log.topics[2] as Digest
    const known = commitments.get(leaf)
    if (known !== undefined) return known
    const commitment = commitmentOf(log)
    const { fheType } = commitment
    if (commitmentLeaf(domain, { ...commitment, fheType }) !== leaf) {
      logger.error({ leaf, handle: commitment.handle }, "an event's commitment is not that of its leaf")
      return null
    }
    commitments.set(leaf, commitment)
    return commitment
  }

  async function read(from: bigint, to: BlockRef): Promise<readonly RequestId[]> {
    const followed = to.number - from < MAX_FOLLOWED
    const filter = followed
      ? { addresses: [gateway, ciphertextCommitments], topics: [[REQUESTED, VOTED]] }
      : { addresses: [gateway], topics: [REQUESTED] }
    const ids: RequestId[] = []
    for (const log of await logs.between(filter, from, to.number, to))
      if (log.topics[0] === REQUESTED && log.address === gateway) ids.push(noteRequest(log).requestId)
      else if (log.topics[0] === VOTED && log.address === ciphertextCommitments) noteVote(log)
    return ids
  }

  return {
    requestsSince(fromBlock, to) {
      const from = fromBlock < deployedAt ? deployedAt : fromBlock
      if (from > to.number) return Promise.resolve([])
      noteBlock(to)
      const key = `${from}/${to.hash}`
      const known = ranges.get(key)
      if (known !== undefined) return known
      const asked = read(from, to)
      ranges.set(key, asked)
      asked.catch(() => ranges.delete(key))
      return asked
    },

    request(requestId, at) {
      noteBlock(at)
      return requests.get(requestId) ?? null
    },
    forgetRequest: (requestId) => requests.delete(requestId),

    async findRequests(requestIds, to) {
      const found = new Map<RequestId, RequestEvent>()
      for (const wanted of chunks(requestIds)) {
        const filter = { addresses: [gateway], topics: [REQUESTED, wanted] }
        await logs.backwards(filter, deployedAt, to, (seen) => {
          for (const log of seen) {
            const { requestId, ...event } = noteRequest(log)
            found.set(requestId, event)
          }
          return wanted.every((id) => found.has(id))
        })
      }
      return found
    },

    async commitments(wanted, to) {
      const found = new Map<Digest, Commitment>()
      for (const { leaf } of wanted) {
        const kept = commitments.get(leaf)
        if (kept !== undefined) found.set(leaf, kept)
      }
      for (const some of chunks(wanted.filter(({ leaf }) => !found.has(leaf)))) {
        const [handles, leaves] = [some.map(({ handle }) => handle), some.map(({ leaf }) => leaf)]
        const filter = { addresses: [ciphertextCommitments], topics: [VOTED, handles, leaves] }
        await logs.backwards(filter, deployedAt, to, (seen) => {
          for (const log of seen) {
            const commitment = noteVote(log)
            if (commitment !== null) found.set(log.topics[2] as Digest, commitment)
          }
          return leaves.every((leaf) => found.has(leaf))
        })
      }
      return found
    },
  }
}
