/**
 * Logs of final blocks as a majority of endpoints reports them, in ranges that the endpoints can take. An endpoint behind the
 * agreed head answers a range beyond its own with what it has, without an error: equal short lists must not win.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, type Hex, parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { AT_ONCE, createBlockHashes, type HashedBlock } from "./blockHashes.ts"
import { chainError, resultOf } from "./chainError.ts"
import { inParallel } from "./inParallel.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

export type LogFilter = {
  readonly addresses: readonly Address[]
  /** Wanted values by position; null matches any, a list any of its members. */
  readonly topics: readonly (Hex | readonly Hex[] | null)[]
}

export type Log = {
  readonly address: Address
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: bigint
  readonly blockHash: Digest
  readonly transactionHash: string
  readonly logIndex: number
}

export type LogReader = {
  /**
   * Logs of blocks from..to (both included), in chain order. The newest blocks before the agreed head, and itself, are
   * asked one by one by their hashes: whoever lacks such a block cannot answer. Older ones are asked in ranges of those
   * endpoints that hold the head. @throws ChainErrorCode
   */
  between(filter: LogFilter, from: bigint, to: bigint, head: HashedBlock): Promise<readonly Log[]>
  /**
   * Searches from `to` back to `from`, in ranges that grow while nothing is found, until `enough` says so of the logs
   * of a range. What an endpoint behind the head does not have is missing: for what is searched for again.
   */
  backwards(
    filter: LogFilter,
    from: bigint,
    to: bigint,
    enough: (logs: readonly Log[]) => boolean,
  ): Promise<void>
}

/**
 * Blocks up to the head that are asked by their hashes, where an endpoint is many servers and the one that answers a range
 * lacks the head that another holds. The head is final: hardly any server lacks as many final blocks.
 */
const BY_HASH = 16n
/** Blocks of one query: what common providers allow. A search for single logs may try more. */
const RANGE = 5_000n
const LONGEST_RANGE = 1_280_000n

const quantity = z.string().regex(/^0x[0-9a-f]+$/)
const logSchema = z.object({
  address: z.string(),
  topics: z.array(z.string()),
  data: z.string(),
  blockNumber: quantity,
  blockHash: z.string(),
  transactionHash: z.string(),
  logIndex: quantity,
  removed: z.boolean().optional(),
})

function parseLogs(answer: RpcAnswer) {
  return z
    .array(logSchema)
    .parse(resultOf(answer))
    .map(({ address, topics, data, blockNumber, blockHash, transactionHash, logIndex, removed }) => {
      if (removed === true) throw chainError("CHAIN_MALFORMED", "a final log is marked as removed")
      return {
        address: address.toLowerCase(),
        topics,
        data,
        blockNumber,
        blockHash: parseDigest(blockHash),
        transactionHash,
        logIndex,
      }
    })
}

const hex = (value: bigint): string => `0x${value.toString(16)}`
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

function matches({ addresses, topics }: LogFilter, log: ReturnType<typeof parseLogs>[number]): boolean {
  const wanted = (want: LogFilter["topics"][number], topic: string | undefined): boolean =>
    want === null ||
    (topic !== undefined && (typeof want === "string" ? want === topic : want.includes(topic as Hex)))
  return addresses.includes(log.address as Address) && topics.every((want, i) => wanted(want, log.topics[i]))
}

/** Endpoints that answer, but not with so many logs or blocks: a smaller range may do. */
function isTooMuch(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return isProtocolError(cause, "RPC_ERROR") || isProtocolError(cause, "RPC_MALFORMED")
}

export function createLogReader(pool: RpcPool): LogReader {
  const blockHashes = createBlockHashes(pool)

  async function query(
    filter: LogFilter,
    blocks: { readonly fromBlock: string; readonly toBlock: string } | { readonly blockHash: string },
    isAsked: (log: Pick<Log, "blockNumber" | "blockHash">) => boolean,
    holding?: Digest,
  ): Promise<readonly Log[]> {
    const { addresses, topics } = filter
    const address = addresses.length === 1 ? addresses[0] : addresses
    const logs = await pool.read("eth_getLogs", [{ address, topics, ...blocks }], parseLogs, holding)
    return logs.map((raw) => {
      const log = { ...raw, blockNumber: BigInt(raw.blockNumber), logIndex: Number(raw.logIndex) }
      if (!isAsked(log) || !matches(filter, raw))
        throw chainError("CHAIN_MALFORMED", `not one of the logs asked for: ${log.transactionHash}`)
      return { ...log, address: log.address as Address }
    })
  }

  const inRange = (filter: LogFilter, from: bigint, to: bigint, holding?: Digest) =>
    query(
      filter,
      { fromBlock: hex(from), toBlock: hex(to) },
      ({ blockNumber }) => blockNumber >= from && blockNumber <= to,
      holding,
    )

  const inBlock = (filter: LogFilter, { hash, number }: HashedBlock) =>
    query(
      filter,
      { blockHash: hash },
      ({ blockNumber, blockHash }) => blockNumber === number && blockHash === hash,
    )

  /** In two halves where the endpoints refuse the whole. */
  async function range(
    filter: LogFilter,
    from: bigint,
    to: bigint,
    holding: Digest,
  ): Promise<readonly Log[]> {
    try {
      return await inRange(filter, from, to, holding)
    } catch (error) {
      if (from === to || !isTooMuch(error)) throw error
      const middle = (from + to) / 2n
      const older = await range(filter, from, middle, holding)
      return [...older, ...(await range(filter, middle + 1n, to, holding))]
    }
  }

  return {
    async between(filter, from, to, head) {
      const near = max(from, head.number - BY_HASH + 1n)
      const found: (readonly Log[])[] = []
      for (let start = from; start <= to && start < near; start += RANGE)
        found.push(await range(filter, start, min(start + RANGE - 1n, min(to, near - 1n)), head.hash))
      if (near > to) return found.flat()
      const blocks = (await blockHashes(near, head)).filter(({ number }) => number <= to)
      found.push(...(await inParallel(blocks, AT_ONCE, (block) => inBlock(filter, block))))
      return found.flat()
    },

    async backwards(filter, from, to, enough) {
      let length = RANGE
      let longest = LONGEST_RANGE
      for (let end = to; end >= from; ) {
        const start = end - length + 1n < from ? from : end - length + 1n
        let logs: readonly Log[]
        try {
          logs = await inRange(filter, start, end)
        } catch (error) {
          if (length === 1n || !isTooMuch(error)) throw error
          length /= 2n
          longest = length
          continue
        }
        if (enough(logs)) return
        end = start - 1n
        length = min(2n * length, longest)
      }
    },
  }
}
