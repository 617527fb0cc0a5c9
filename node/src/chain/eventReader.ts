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
  /** Names of the wanted events: all are read by one question. */
  readonly events: readonly string[]
  /** Values of the indexed parameters in order; null matches any. */
  readonly indexed?: readonly (Hex | null)[]
}

export type ChainEvent = {
  readonly name: string
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

  const topicOf = (abi: Interface, event: string): Hex => {
    const fragment = abi.getEvent(event)
    if (fragment === null) throw new Error(`the interface has no event ${event}`)
    return fragment.topicHash as Hex
  }
  const logFilter = ({ address, abi, events, indexed = [] }: EventFilter) => ({
    addresses: [address],
    topics: [events.map((event) => topicOf(abi, event)), ...indexed],
  })

  const decode =
    ({ abi, events }: EventFilter) =>
    ({ topics, data, blockNumber, blockHash, transactionHash, logIndex }: Log): ChainEvent => {
      const parsed = parseLog(abi, { topics: [...topics], data })
      if (parsed === null || !events.includes(parsed.name))
        throw chainError("CHAIN_MALFORMED", `not a log of ${events}: ${transactionHash}`)
      return { name: parsed.name, args: parsed.args, blockNumber, blockHash, transactionHash, logIndex }
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
