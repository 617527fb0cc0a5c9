/** Events of a contract in final blocks, decoded by its interface. */
import type { Address, Digest, Hex } from "@twinlock/sdk/protocol/ids"
import type { Interface, LogDescription } from "ethers"
import type { HashedBlock } from "./blockHashes.ts"
import { chainError } from "./chainError.ts"
import { createLogReader, type Log } from "./logReader.ts"
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
  /** All events in blocks from..to (both included) before or at the agreed head, in chain order. @throws ChainErrorCode */
  between(filter: EventFilter, from: bigint, to: bigint, head: HashedBlock): Promise<readonly ChainEvent[]>
}

export function createEventReader(pool: RpcPool): EventReader {
  const logs = createLogReader(pool)

  const logFilter = ({ address, abi, event, indexed = [] }: EventFilter) => {
    const fragment = abi.getEvent(event)
    if (fragment === null) throw new Error(`the interface has no event ${event}`)
    return { addresses: [address], topics: [fragment.topicHash as Hex, ...indexed] }
  }

  const decode =
    ({ abi, event }: EventFilter) =>
    ({ topics, data, blockNumber, blockHash, transactionHash, logIndex }: Log): ChainEvent => {
      const parsed = parseLog(abi, { topics: [...topics], data })
      if (parsed?.name !== event)
        throw chainError("CHAIN_MALFORMED", `not a log of ${event}: ${transactionHash}`)
      return { args: parsed.args, blockNumber, blockHash, transactionHash, logIndex }
    }

  return {
    async between(filter, from, to, head) {
      return (await logs.between(logFilter(filter), from, to, head)).map(decode(filter))
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
