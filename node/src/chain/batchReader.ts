/** Many view calls at an agreed block in one `eth_call` to each endpoint, and an agreed answer to each of them. */
import {
  BATCH_CALL_GAS,
  batchAnswers,
  batchCallData,
  MAX_CALLS,
  type Returned,
  type WordCall,
} from "@twinlock/sdk/chain/batchCall"
import { chainError } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
import type { Agreed } from "./endpointVotes.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

export type BatchReader = {
  /**
   * Answers in the order of the calls: what the contract returned, as 0x hex; CHAIN_MALFORMED where it reverted,
   * CHAIN_DISAGREEMENT where no majority says the same. @throws CHAIN_UNAVAILABLE
   */
  read(calls: readonly WordCall[], at: BlockRef): Promise<readonly Agreed<string>[]>
}

export function createBatchReader(pool: RpcPool): BatchReader {
  const parse =
    (count: number) =>
    (answer: RpcAnswer): readonly Returned[] => {
      if (answer.kind !== "reverted")
        throw chainError("CHAIN_MALFORMED", "a batch of calls answers by reverting")
      const answers = batchAnswers(answer.data, count)
      if (answers === null) throw chainError("CHAIN_MALFORMED", `no list of ${count} answers`)
      return answers
    }
  const failed = (call: WordCall) => ({
    error: chainError("CHAIN_MALFORMED", `${call.method} of ${call.to} reverts`),
  })

  async function ask(calls: readonly WordCall[], at: BlockRef): Promise<readonly Agreed<string>[]> {
    const transaction = { data: batchCallData(calls), gas: `0x${BATCH_CALL_GAS.toString(16)}` }
    const block = { blockHash: at.hash, requireCanonical: true }
    const answers = await pool.readParts("eth_call", [transaction, block], calls.length, parse(calls.length))
    return calls.map((call, i) => {
      const answer = answers[i]
      if (answer === undefined || "error" in answer) return answer ?? failed(call)
      return answer.value === null ? failed(call) : { value: answer.value }
    })
  }

  return {
    async read(calls, at) {
      const asked: Promise<readonly Agreed<string>[]>[] = []
      for (let i = 0; i < calls.length; i += MAX_CALLS) asked.push(ask(calls.slice(i, i + MAX_CALLS), at))
      return (await Promise.all(asked)).flat()
    },
  }
}
