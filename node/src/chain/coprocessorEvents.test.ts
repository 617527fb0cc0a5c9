import { abiWord, toHex } from "@twinlock/sdk/protocol/codec"
import { type Digest, parseAddress } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { coprocessorInterface } from "./contracts.ts"
import { coprocessorEvents } from "./coprocessorEvents.ts"
import { createEventReader } from "./eventReader.ts"
import type { RpcEndpoint } from "./jsonRpc.ts"
import { createRpcPool } from "./rpcPool.ts"

const coprocessor = parseAddress(toHex(new Uint8Array(20).fill(1)))
const user = parseAddress(toHex(new Uint8Array(20).fill(2)))
const word = (value: bigint): Digest => toHex(abiWord(value)) as Digest
const head = { number: 7n, hash: word(7n) }

const logOf = (event: string, values: readonly unknown[], logIndex: number) => ({
  ...{ address: coprocessor, blockNumber: "0x7", blockHash: head.hash, transactionHash: word(9n) },
  ...{ ...coprocessorInterface.encodeEventLog(event, values), logIndex: `0x${logIndex}` },
})
const handle = word(1n << 200n)
const LOGS = [
  logOf("InputVerified", [word(1n), coprocessor, user, word(2n), [handle]], 0),
  logOf("Allowed", [handle, user, coprocessor], 1),
  logOf("Operation", [0, user, handle, word(3n), word(4n), word(0n), false, word(5n)], 2),
  logOf("AllowedForDecryption", [handle, user], 3),
]

test("all kinds of a new block's events are one question to each endpoint", async () => {
  const asked: (readonly unknown[])[] = []
  const endpoint: RpcEndpoint = {
    name: "e",
    async call(method, params) {
      asked.push([method, ...params])
      return { kind: "result", result: LOGS }
    },
  }
  const pool = createRpcPool({
    endpoints: [endpoint],
    ...{ timeoutMs: 1_000, logger: silentLogger, metrics: null },
  })
  const events = await coprocessorEvents(createEventReader(pool), coprocessor, 7n, 7n, head)
  expect(events.map(({ event }) => event.kind)).toEqual([
    "input",
    "allowed",
    "operation",
    "allowed-for-decryption",
  ])
  expect(asked).toHaveLength(1)
})
