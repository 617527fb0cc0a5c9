/**
 * Reads that a majority of the configured endpoints agree on (protocol §8). An answer counts as soon as more than half
 * of all endpoints gave it; others that answer differently raise an alarm, also after the result was used.
 */
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { BlockRef, ChainErrorCode } from "./chainView.ts"
import type { RpcAnswer, RpcEndpoint } from "./jsonRpc.ts"

export type RpcPoolDeps = {
  readonly endpoints: readonly RpcEndpoint[]
  /** Milliseconds for one answer. */
  readonly timeoutMs: number
  readonly logger: Logger
  readonly metrics: Metrics | null
}

export type RpcPool = {
  /**
   * The result that a majority gives. @param parse brings an answer into plain JSON with fixed field order: what is
   * compared; it throws where the answer has not the promised form.
   * @throws CHAIN_DISAGREEMENT, CHAIN_UNAVAILABLE
   */
  read<T>(method: string, params: readonly unknown[], parse: (answer: RpcAnswer) => T): Promise<T>
  /** What the first endpoint that can answer says: for what is not believed, such as fees. @throws CHAIN_UNAVAILABLE */
  first<T>(method: string, params: readonly unknown[], parse: (answer: RpcAnswer) => T): Promise<T>
  /** Newest block that a majority holds for final; never behind an earlier answer. */
  head(): Promise<BlockRef>
  /** @throws CHAIN_WRONG_ID unless a majority serves this chain with this genesis block. */
  checkChain(chainId: number, genesisHash: string): Promise<void>
  /** Hands a signed transaction to all endpoints; the first that takes it answers its hash. */
  broadcast(transaction: string): Promise<string>
}

export const chainError = (code: ChainErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

const quantity = z.string().regex(/^0x(0|[1-9a-f][0-9a-f]*)$/)
const blockSchema = z.object({ number: quantity, hash: z.string(), timestamp: quantity })
type RawBlock = z.infer<typeof blockSchema>

/** The result of an answer that must not be a revert. */
export function resultOf(answer: RpcAnswer): unknown {
  if (answer.kind === "reverted")
    throw chainError("CHAIN_MALFORMED", `reverted with ${answer.data.slice(0, 138)}`)
  return answer.result
}

function parseBlock(answer: RpcAnswer): RawBlock {
  const { number, hash, timestamp } = blockSchema.parse(resultOf(answer))
  return { number, hash: parseDigest(hash), timestamp }
}

const refOf = ({ number, hash, timestamp }: RawBlock): BlockRef => ({
  number: BigInt(number),
  hash: parseDigest(hash),
  timestamp: BigInt(timestamp),
})

/** What is compared between endpoints. */
const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_name, field: unknown) => (typeof field === "bigint" ? `${field}n` : field)) ??
  "undefined"

type Vote<T> =
  | { readonly endpoint: string; readonly value: T; readonly key: string }
  | { readonly endpoint: string; readonly error: unknown }

export function createRpcPool({ endpoints, timeoutMs, logger, metrics }: RpcPoolDeps): RpcPool {
  const majority = Math.floor(endpoints.length / 2) + 1
  const failures = metrics?.counter({
    name: "rpc_failures_total",
    help: "Endpoint did not answer or not in the promised form",
    labels: ["endpoint"],
  })
  const minority = metrics?.counter({
    name: "rpc_minority_total",
    help: "Endpoint contradicted the majority: alarm",
    labels: ["endpoint"],
  })
  let best: BlockRef | null = null

  const ask = async <T>(
    endpoint: RpcEndpoint,
    method: string,
    params: readonly unknown[],
    parse: (answer: RpcAnswer) => T,
  ): Promise<Vote<T>> => {
    try {
      const value = parse(await endpoint.call(method, params, AbortSignal.timeout(timeoutMs)))
      return { endpoint: endpoint.name, value, key: keyOf(value) }
    } catch (error) {
      failures?.add({ endpoint: endpoint.name })
      logger.debug({ err: error, endpoint: endpoint.name, method }, "endpoint failed")
      return { endpoint: endpoint.name, error }
    }
  }

  const alarm = (method: string, winner: string, votes: readonly Vote<unknown>[]): void => {
    for (const vote of votes) {
      if (!("key" in vote) || vote.key === winner) continue
      minority?.add({ endpoint: vote.endpoint })
      logger.error({ endpoint: vote.endpoint, method }, "endpoint contradicts the majority")
    }
  }

  const read = <T>(method: string, params: readonly unknown[], parse: (answer: RpcAnswer) => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const votes: Vote<T>[] = []
      let winner: string | null = null
      const count = (vote: Vote<T>): void => {
        votes.push(vote)
        if (winner !== null) return alarm(method, winner, [vote])
        if ("key" in vote && votes.filter((v) => "key" in v && v.key === vote.key).length >= majority) {
          winner = vote.key
          alarm(method, winner, votes)
          resolve(vote.value)
        } else if (votes.length === endpoints.length) reject(noMajority(method, votes))
      }
      for (const endpoint of endpoints) void ask(endpoint, method, params, parse).then(count)
    })

  const noMajority = (method: string, votes: readonly Vote<unknown>[]): ProtocolError => {
    const answered = votes.filter((vote) => "key" in vote)
    const malformed = votes.find((v) => "error" in v && isProtocolError(v.error, "CHAIN_MALFORMED"))
    const cause = malformed ?? votes.find((vote) => "error" in vote)
    return answered.length >= majority
      ? chainError("CHAIN_DISAGREEMENT", `${method}: no ${majority} of ${endpoints.length} endpoints agree`)
      : chainError(
          "CHAIN_UNAVAILABLE",
          `${method}: ${answered.length} of ${endpoints.length} endpoints answered, want ${majority}`,
          cause !== undefined && "error" in cause ? cause.error : undefined,
        )
  }

  /** Highest number that a majority has reached; the block at that number then has to agree. */
  const readHead = async (): Promise<BlockRef> => {
    const votes = await Promise.all(
      endpoints.map((endpoint) => ask(endpoint, "eth_getBlockByNumber", ["finalized", false], parseBlock)),
    )
    const blocks = votes.flatMap((vote) => ("key" in vote ? [vote.value] : []))
    if (blocks.length < majority) throw noMajority("finalised head", votes)
    const numbers = blocks.map(({ number }) => BigInt(number)).sort((a, b) => (a < b ? 1 : -1))
    const reached = numbers[majority - 1] ?? 0n
    if (best !== null && reached <= best.number) return best
    const agreed = await read("eth_getBlockByNumber", [`0x${reached.toString(16)}`, false], parseBlock)
    if (BigInt(agreed.number) !== reached)
      throw chainError("CHAIN_MALFORMED", `asked for block ${reached}, got ${agreed.number}`)
    best = refOf(agreed)
    return best
  }
  let reading: Promise<BlockRef> | null = null

  const first = async <T>(
    method: string,
    params: readonly unknown[],
    parse: (answer: RpcAnswer) => T,
  ): Promise<T> => {
    let cause: unknown
    for (const endpoint of endpoints) {
      const vote = await ask(endpoint, method, params, parse)
      if ("key" in vote) return vote.value
      cause = vote.error
    }
    throw chainError("CHAIN_UNAVAILABLE", `${method}: none of ${endpoints.length} endpoints answered`, cause)
  }

  return {
    read,
    first,
    head() {
      reading ??= readHead().finally(() => {
        reading = null
      })
      return reading
    },
    async checkChain(chainId, genesisHash) {
      const served = await read("eth_chainId", [], (answer) => quantity.parse(resultOf(answer)))
      if (BigInt(served) !== BigInt(chainId))
        throw chainError(
          "CHAIN_WRONG_ID",
          `endpoints serve chain ${BigInt(served)}, configured is ${chainId}`,
        )
      const genesis = await read("eth_getBlockByNumber", ["0x0", false], parseBlock)
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
