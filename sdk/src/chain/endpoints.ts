/**
 * Several RPC endpoints asked the same question (protocol §10): an endpoint belongs to somebody, so an answer counts when at
 * least two gave it and none gave another. Everything is read at one finalised block that all of them know by the same hash.
 */
import type { Filter, Log, Provider } from "ethers"
import { ProtocolError } from "../protocol/errors.ts"
import { type Address, type Digest, type Hex, parseDigest } from "../protocol/ids.ts"

export type EndpointErrorCode =
  /** fewer than two endpoints are configured. */
  | "ENDPOINTS_TOO_FEW"
  /** fewer than two endpoints answered. */
  | "ENDPOINTS_UNAVAILABLE"
  /** two endpoints gave different answers for the same block. */
  | "ENDPOINTS_DISAGREE"
  /** the newest block that all endpoints know is hours old: one of them shows an old state. */
  | "ENDPOINTS_STALE"
  /** an endpoint serves another chain than the deployment's. */
  | "ENDPOINT_WRONG_CHAIN"
  /** all endpoints agree that the call reverts. */
  | "CALL_REVERTED"

const bad = (code: EndpointErrorCode, message: string): ProtocolError => new ProtocolError({ code, message })

/** What is needed of an ethers provider. */
export type Endpoint = Pick<Provider, "call" | "getBlock" | "getLogs" | "getNetwork" | "getTransaction">

/** `timestamp` is chain time in seconds. */
export type ChainBlock = { readonly number: bigint; readonly hash: Digest; readonly timestamp: bigint }

export type Endpoints = {
  /** Newest finalised block that all answering endpoints know. @throws EndpointErrorCode */
  head(): Promise<ChainBlock>
  /** Result of a view call at a block. @throws EndpointErrorCode */
  call(to: Address, data: Hex, at: ChainBlock): Promise<Hex>
  /** Logs up to a block, in chain order. @throws EndpointErrorCode */
  logs(filter: LogFilter, at: ChainBlock): Promise<readonly Log[]>
  /** Hash of an earlier block. @throws EndpointErrorCode */
  blockHash(number: bigint): Promise<Digest>
  /** Input data of a transaction. @throws EndpointErrorCode */
  input(transaction: Digest): Promise<Hex>
}

export type LogFilter = {
  readonly address: Address
  readonly topics: readonly (string | null)[]
  readonly fromBlock: bigint
}

const LEAST_ANSWERS = 2
/** Seconds. One slow or lying endpoint holds everybody at its head: past this it could hide a revocation. */
const MAX_HEAD_AGE = 7200n

/** Wall-clock time in seconds. */
export type Clock = () => bigint
export const systemClock: Clock = () => BigInt(Math.floor(Date.now() / 1000))

/** The one answer of all that answered. `name` writes an answer so that equal answers are equal strings. */
async function agree<T>(what: string, asked: readonly Promise<T>[], name: (answer: T) => string): Promise<T> {
  const settled = await Promise.allSettled(asked)
  const failure = settled.find((result) => result.status === "rejected")
  const answers = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []))
  const [first] = answers
  if (first === undefined || answers.length < LEAST_ANSWERS)
    throw new ProtocolError(
      {
        code: "ENDPOINTS_UNAVAILABLE",
        message: `want ${LEAST_ANSWERS} answers for ${what}, got ${answers.length} of ${asked.length}`,
      },
      { cause: failure?.reason },
    )
  if (answers.some((answer) => name(answer) !== name(first)))
    throw bad("ENDPOINTS_DISAGREE", `endpoints give different answers for ${what}`)
  return first
}

/** ethers reports a revert as an exception; for agreement it is an answer. */
type CallAnswer = { readonly data: string } | { readonly reverted: string }

async function answerOf(call: Promise<string>): Promise<CallAnswer> {
  try {
    return { data: await call }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "CALL_EXCEPTION") {
      const data = "data" in error ? error.data : null
      return { reverted: typeof data === "string" ? data : "0x" }
    }
    throw error
  }
}

const logName = ({ blockHash, index, address, topics, data }: Log): string =>
  [blockHash, index, address, ...topics, data].join()

/** @throws ENDPOINTS_TOO_FEW */
export function createEndpoints(endpoints: readonly Endpoint[], chainId: bigint, clock: Clock): Endpoints {
  if (endpoints.length < LEAST_ANSWERS)
    throw bad("ENDPOINTS_TOO_FEW", `want at least ${LEAST_ANSWERS} endpoints, got ${endpoints.length}`)
  const checked = new WeakSet<Endpoint>()

  async function checkChain(endpoint: Endpoint): Promise<void> {
    if (checked.has(endpoint)) return
    const { chainId: served } = await endpoint.getNetwork()
    if (served !== chainId)
      throw bad("ENDPOINT_WRONG_CHAIN", `an endpoint serves chain ${served}, want ${chainId}`)
    checked.add(endpoint)
  }
  async function blockOf(endpoint: Endpoint, tag: "finalized" | number): Promise<ChainBlock> {
    await checkChain(endpoint)
    const block = await endpoint.getBlock(tag)
    if (block === null || block.hash === null) throw bad("ENDPOINTS_UNAVAILABLE", `no block ${tag}`)
    return {
      number: BigInt(block.number),
      hash: parseDigest(block.hash),
      timestamp: BigInt(block.timestamp),
    }
  }

  return {
    async head() {
      const settled = await Promise.allSettled(endpoints.map((endpoint) => blockOf(endpoint, "finalized")))
      for (const result of settled)
        if (result.status === "rejected" && isWrongChain(result.reason)) throw result.reason
      const numbers = settled.flatMap((result) =>
        result.status === "fulfilled" ? [result.value.number] : [],
      )
      if (numbers.length < LEAST_ANSWERS)
        throw bad("ENDPOINTS_UNAVAILABLE", `want ${LEAST_ANSWERS} finalised heads, got ${numbers.length}`)
      const least = Math.min(...numbers.map(Number))
      const asked = endpoints.map((endpoint) => blockOf(endpoint, least))
      const head = await agree(`block ${least}`, asked, ({ hash, timestamp }) => `${hash}@${timestamp}`)
      if (head.timestamp < clock() - MAX_HEAD_AGE)
        throw bad(
          "ENDPOINTS_STALE",
          `the finalised head must be younger than ${MAX_HEAD_AGE} s, is of ${head.timestamp}`,
        )
      return head
    },
    async call(to, data, at) {
      const asked = endpoints.map((endpoint) =>
        answerOf(endpoint.call({ to, data, blockTag: Number(at.number) })),
      )
      const answer = await agree(`a call of ${to} at block ${at.number}`, asked, (a) => JSON.stringify(a))
      if ("reverted" in answer) throw bad("CALL_REVERTED", `${to} reverts with ${answer.reverted}`)
      return answer.data as Hex
    },
    async logs({ address, topics, fromBlock }, at) {
      const filter: Filter = {
        address,
        topics: [...topics],
        fromBlock: Number(fromBlock),
        toBlock: Number(at.number),
      }
      const asked = endpoints.map((endpoint) => endpoint.getLogs(filter))
      return agree(`logs of ${address}`, asked, (found) => found.map(logName).join("|"))
    },
    blockHash(number) {
      const asked = endpoints.map(async (endpoint) => (await blockOf(endpoint, Number(number))).hash)
      return agree(`block ${number}`, asked, (hash) => hash)
    },
    input(transaction) {
      const asked = endpoints.map(async (endpoint) => {
        const found = await endpoint.getTransaction(transaction)
        if (found === null) throw bad("ENDPOINTS_UNAVAILABLE", `no transaction ${transaction}`)
        return found.data as Hex
      })
      return agree(`transaction ${transaction}`, asked, (data) => data)
    },
  }
}

const isWrongChain = (reason: unknown): boolean =>
  reason instanceof ProtocolError && reason.detail.code === "ENDPOINT_WRONG_CHAIN"
