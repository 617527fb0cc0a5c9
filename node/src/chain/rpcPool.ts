/**
 * Reads that a majority of the configured endpoints agree on (protocol §8). An answer counts as soon as more than half
 * of all endpoints gave it; others that answer differently raise an alarm, also after the result was used.
 */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { createAgreedHead, parseBlock, quantity, refOf } from "./agreedHead.ts"
import { chainError, resultOf } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
import { type Agreed, createEndpointVotes, type RpcPoolDeps } from "./endpointVotes.ts"
import type { RpcAnswer } from "./jsonRpc.ts"

export type RpcPool = {
  /**
   * The result that a majority gives. @param parse brings an answer into plain JSON with fixed field order: what is
   * compared; it throws where the answer has not the promised form. @param holding hash of a block that an endpoint
   * must hold for its answer to count
   * @throws CHAIN_DISAGREEMENT, CHAIN_UNAVAILABLE
   */
  read<T>(
    method: string,
    params: readonly unknown[],
    parse: (answer: RpcAnswer) => T,
    holding?: Digest,
  ): Promise<T>
  /**
   * As `read`, for an answer of `count` parts of which each is agreed on its own: an endpoint that lies about one part
   * still counts for the others. Parts without a majority are CHAIN_DISAGREEMENT. @throws CHAIN_UNAVAILABLE
   */
  readParts<T>(
    method: string,
    params: readonly unknown[],
    count: number,
    parse: (answer: RpcAnswer) => readonly T[],
  ): Promise<readonly Agreed<T>[]>
  /** What the first endpoint that can answer says: for what is not believed, such as fees. @throws CHAIN_UNAVAILABLE */
  first<T>(method: string, params: readonly unknown[], parse: (answer: RpcAnswer) => T): Promise<T>
  /** Newest block that a majority holds for final; never behind an earlier answer. */
  head(): Promise<BlockRef>
  /** The block that a majority holds at a number; final only where a head has passed it. @throws as `read`, CHAIN_MALFORMED */
  block(number: bigint): Promise<BlockRef>
  /** @throws CHAIN_WRONG_ID unless a majority serves this chain with this genesis block. */
  checkChain(chainId: number, genesisHash: string): Promise<void>
  /** Hands a signed transaction to all endpoints; the first that takes it answers its hash. */
  broadcast(transaction: string): Promise<string>
}

export function createRpcPool(deps: RpcPoolDeps): RpcPool {
  const { endpoints, timeoutMs } = deps
  const votes = createEndpointVotes(deps)

  const readParts: RpcPool["readParts"] = (method, params, count, parse) =>
    votes.agree({ method, params, parse }, count)

  const read: RpcPool["read"] = async (method, params, parse, holding) => {
    const question = { method, params, parse: (answer: RpcAnswer) => [parse(answer)], holding }
    const [agreed] = await votes.agree(question, 1)
    if (agreed !== undefined && "value" in agreed) return agreed.value
    throw agreed?.error ?? chainError("CHAIN_MALFORMED", `${method}: no answer`)
  }

  async function block(number: bigint): Promise<BlockRef> {
    const found = refOf(await read("eth_getBlockByNumber", [`0x${number.toString(16)}`, false], parseBlock))
    if (found.number !== number)
      throw chainError("CHAIN_MALFORMED", `asked for block ${number}, got ${found.number}`)
    return found
  }

  const first = async <T>(
    method: string,
    params: readonly unknown[],
    parse: (answer: RpcAnswer) => T,
  ): Promise<T> => {
    let cause: unknown
    for (const endpoint of endpoints) {
      const vote = await votes.ask(endpoint, { method, params, parse: (answer) => [parse(answer)] })
      if ("parts" in vote) return vote.parts[0] as T
      cause = vote.error
    }
    throw chainError("CHAIN_UNAVAILABLE", `${method}: none of ${endpoints.length} endpoints answered`, cause)
  }

  return {
    read,
    readParts,
    first,
    head: createAgreedHead(votes, endpoints.length, block),
    block,
    async checkChain(chainId, genesisHash) {
      const served = await read("eth_chainId", [], (answer) => quantity.parse(resultOf(answer)))
      if (BigInt(served) !== BigInt(chainId))
        throw chainError(
          "CHAIN_WRONG_ID",
          `endpoints serve chain ${BigInt(served)}, configured is ${chainId}`,
        )
      const genesis = await block(0n)
      if (genesis.hash !== genesisHash)
        throw chainError("CHAIN_WRONG_ID", `genesis block is ${genesis.hash}, configured is ${genesisHash}`)
    },
    async broadcast(transaction) {
      const hash = z.string().regex(/^0x[0-9a-f]{64}$/)
      const sent = endpoints.map(async (endpoint) =>
        hash.parse(
          resultOf(
            await endpoint.call("eth_sendRawTransaction", [transaction], AbortSignal.timeout(timeoutMs)),
          ),
        ),
      )
      try {
        return await Promise.any(sent)
      } catch (error) {
        const first = error instanceof AggregateError ? error.errors[0] : error
        throw chainError("CHAIN_UNAVAILABLE", "no endpoint took the transaction", first)
      }
    },
  }
}
