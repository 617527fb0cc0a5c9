/** Events of a contract in final blocks, as a majority of endpoints reports them, in bounded ranges. */
import { type Address, type Digest, type Hex, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { Interface, LogDescription } from "ethers"
import { z } from "zod"
import { chainError, resultOf } from "./chainError.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

export type EventFilter = {
  readonly address: Address
  readonly abi: Interface
  readonly event: string
  /** Values of the indexed parameters in order; null matches any. */
  readonly indexed?: readonly (Hex | null)[]
}

export type ChainEvent = {
  readonly args: LogDescription["args"]
  readonly blockNumber: bigint
  readonly blockHash: Digest
  readonly transactionHash: string
  readonly logIndex: number
}

export type EventReader = {
  /** All events in blocks from..to (both included), in chain order. @throws ChainErrorCode */
  between(filter: EventFilter, from: bigint, to: bigint): Promise<readonly ChainEvent[]>
  /** Events of the newest range that has any, searched from `to` back to `from`. */
  newest(filter: EventFilter, from: bigint, to: bigint): Promise<readonly ChainEvent[]>
}

/** Blocks of one query: what common providers allow. */
const RANGE = 5_000n

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

export function createEventReader(pool: RpcPool): EventReader {
  const range = async (filter: EventFilter, from: bigint, to: bigint): Promise<ChainEvent[]> => {
    const { address, abi, event, indexed = [] } = filter
    const fragment = abi.getEvent(event)
    if (fragment === null) throw new Error(`the interface has no event ${event}`)
    const query = {
      address,
      fromBlock: hex(from),
      toBlock: hex(to),
      topics: [fragment.topicHash, ...indexed],
    }
    const logs = await pool.read("eth_getLogs", [query], parseLogs)
    return logs.map((log) => {
      const outside = BigInt(log.blockNumber) < from || BigInt(log.blockNumber) > to
      const parsed = outside || log.address !== address ? null : parseLog(abi, log)
      if (parsed?.name !== event)
        throw chainError("CHAIN_MALFORMED", `not a log of ${event}: ${log.transactionHash}`)
      return {
        args: parsed.args,
        blockNumber: BigInt(log.blockNumber),
        blockHash: log.blockHash,
        transactionHash: log.transactionHash,
        logIndex: Number(log.logIndex),
      }
    })
  }
  const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

  return {
    async between(filter, from, to) {
      const found: ChainEvent[] = []
      for (let start = from; start <= to; start += RANGE)
        found.push(...(await range(filter, start, min(start + RANGE - 1n, to))))
      return found
    },
    async newest(filter, from, to) {
      for (let end = to; end >= from; end -= RANGE) {
        const start = end - RANGE + 1n
        const found = await range(filter, start < from ? from : start, end)
        if (found.length > 0) return found
      }
      return []
    },
  }
}

function parseLog(
  abi: Interface,
  log: { readonly topics: string[]; readonly data: string },
): LogDescription | null {
  try {
    return abi.parseLog(log)
  } catch (error) {
    throw chainError("CHAIN_MALFORMED", "a log does not decode", error)
  }
}
