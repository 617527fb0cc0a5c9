/** Logs of final blocks as a majority of endpoints reports them, in ranges that the endpoints can take. */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, type Hex, parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { chainError, resultOf } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
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
  /** Logs of blocks from..to (both included), in chain order. @throws ChainErrorCode */
  between(filter: LogFilter, from: bigint, to: bigint): Promise<readonly Log[]>
  /** Logs of one block, by its hash: an endpoint without that very block cannot answer. */
  inBlock(filter: LogFilter, block: BlockRef): Promise<readonly Log[]>
  /**
   * Searches from `to` back to `from`, in ranges that grow while nothing is found, until `enough` says so of the logs
   * of a range.
   */
  backwards(
    filter: LogFilter,
    from: bigint,
    to: bigint,
    enough: (logs: readonly Log[]) => boolean,
  ): Promise<void>
}

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
  async function query(
    filter: LogFilter,
    blocks: { readonly fromBlock: string; readonly toBlock: string } | { readonly blockHash: string },
    from: bigint,
    to: bigint,
  ): Promise<readonly Log[]> {
    const { addresses, topics } = filter
    const address = addresses.length === 1 ? addresses[0] : addresses
    const logs = await pool.read("eth_getLogs", [{ address, topics, ...blocks }], parseLogs)
    return logs.map((log) => {
      const blockNumber = BigInt(log.blockNumber)
      if (blockNumber < from || blockNumber > to || !matches(filter, log))
        throw chainError("CHAIN_MALFORMED", `not one of the logs asked for: ${log.transactionHash}`)
      return { ...log, address: log.address as Address, blockNumber, logIndex: Number(log.logIndex) }
    })
  }

  /** In two halves where the endpoints refuse the whole. */
  async function range(filter: LogFilter, from: bigint, to: bigint): Promise<readonly Log[]> {
    try {
      return await query(filter, { fromBlock: hex(from), toBlock: hex(to) }, from, to)
    } catch (error) {
      if (from === to || !isTooMuch(error)) throw error
      const middle = (from + to) / 2n
      return [...(await range(filter, from, middle)), ...(await range(filter, middle + 1n, to))]
    }
  }

  return {
    async between(filter, from, to) {
      const found: Log[] = []
      for (let start = from; start <= to; start += RANGE)
        for (const log of await range(filter, start, min(start + RANGE - 1n, to))) found.push(log)
      return found
    },

    inBlock: (filter, { hash, number }) => query(filter, { blockHash: hash }, number, number),

    async backwards(filter, from, to, enough) {
      let length = RANGE
      let longest = LONGEST_RANGE
      for (let end = to; end >= from; ) {
        const start = end - length + 1n < from ? from : end - length + 1n
        let logs: readonly Log[]
        try {
          logs = await query(filter, { fromBlock: hex(start), toBlock: hex(end) }, start, end)
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
