/**
 * Many view calls at an agreed block in one `eth_call` to each endpoint, and an agreed answer to each of them. The code
 * that makes them travels along (batchCall.yul): nothing has to be deployed, and nothing but this file has to be trusted.
 */
import type { Address, Hex } from "@twinlock/sdk/protocol/ids"
import type { Interface } from "ethers"
import { chainError } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
import type { Agreed } from "./endpointVotes.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

/** A call with one word as its argument, or none. */
export type WordCall = {
  readonly to: Address
  readonly abi: Interface
  readonly method: string
  readonly argument?: Hex
}

export type BatchReader = {
  /**
   * Answers in the order of the calls: what the contract returned, as 0x hex; CHAIN_MALFORMED where it reverted,
   * CHAIN_DISAGREEMENT where no majority says the same. @throws CHAIN_UNAVAILABLE
   */
  read(calls: readonly WordCall[], at: BlockRef): Promise<readonly Agreed<string>[]>
}

/** batchCall.yul, compiled; a test compiles it again. */
export const BATCH_CALL: Hex =
  "0x6040604b5b38811060135750603f19016040fd5b90600560389182845f395f8060246014825160601c620493e0fa903d82029181538160e01b6001820152815f8483013e01019101600456"

/**
 * Calls of one question: with the code they stay below the 49,152 bytes of a creation (EIP-3860), and below the gas that
 * a block may use in one transaction (EIP-7825), at 31,000 for each.
 */
export const MAX_CALLS = 512
const GAS = 16_000_000

/** 0x hex; `null` where the inner call failed. */
type Returned = string | null

/** Selectors by interface and method: each costs a hash. */
const selectors = new WeakMap<Interface, Map<string, string>>()

function selectorOf(abi: Interface, method: string): string {
  const known = selectors.get(abi) ?? new Map<string, string>()
  selectors.set(abi, known)
  const selector = known.get(method) ?? abi.getFunction(method)?.selector.slice(2)
  if (selector === undefined) throw new Error(`the interface has no function ${method}`)
  known.set(method, selector)
  return selector
}

function encode({ to, abi, method, argument = "0x" }: WordCall): string {
  if (argument.length > 66) throw new Error(`${method}: the argument is more than a word`)
  return to.slice(2) + selectorOf(abi, method) + argument.slice(2).padStart(64, "0")
}

/** @throws CHAIN_MALFORMED unless `data` is made up of so many answers alone; the sender chooses no amount of work. */
function split(data: string, count: number): readonly Returned[] {
  const parts: Returned[] = []
  let at = 2
  while (at < data.length) {
    const [success, length] = [data.slice(at, at + 2), Number.parseInt(data.slice(at + 2, at + 10), 16)]
    const end = at + 10 + 2 * length
    if (
      parts.length === count ||
      (success !== "00" && success !== "01") ||
      !(end <= data.length) ||
      (success === "00" && length > 0)
    )
      throw chainError("CHAIN_MALFORMED", `no list of ${count} answers`)
    parts.push(success === "01" ? `0x${data.slice(at + 10, end)}` : null)
    at = end
  }
  return parts
}

export function createBatchReader(pool: RpcPool): BatchReader {
  const parse =
    (count: number) =>
    (answer: RpcAnswer): readonly Returned[] => {
      if (answer.kind !== "reverted")
        throw chainError("CHAIN_MALFORMED", "a batch of calls answers by reverting")
      return split(answer.data, count)
    }
  const failed = (call: WordCall) => ({
    error: chainError("CHAIN_MALFORMED", `${call.method} of ${call.to} reverts`),
  })

  async function ask(calls: readonly WordCall[], at: BlockRef): Promise<readonly Agreed<string>[]> {
    const transaction = { data: BATCH_CALL + calls.map(encode).join(""), gas: `0x${GAS.toString(16)}` }
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
