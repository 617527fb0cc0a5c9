/** Asks all endpoints the same question and counts equal answers (protocol §8). */
import { isProtocolError, type ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { chainError, resultOf } from "./chainError.ts"
import type { RpcAnswer, RpcEndpoint } from "./jsonRpc.ts"

export type RpcPoolDeps = {
  readonly endpoints: readonly RpcEndpoint[]
  /** Milliseconds for one answer. */
  readonly timeoutMs: number
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** What a majority says about one part of an answer. */
export type Agreed<T> = { readonly value: T } | { readonly error: ProtocolError }

/** `keys` are what is compared, one for each part of the answer. */
export type Vote<T> = { readonly endpoint: string } & (
  | { readonly parts: readonly T[]; readonly keys: readonly string[] }
  | { readonly error: unknown }
)

export type Question<T> = {
  readonly method: string
  readonly params: readonly unknown[]
  /** Brings an answer into plain JSON with fixed field order; throws where it has not the promised form. */
  readonly parse: (answer: RpcAnswer) => readonly T[]
  /** Hash of a block: whoever does not hold it after its answer has answered from another state, and does not count. */
  readonly holding?: Digest | undefined
}

export type EndpointVotes = {
  /** More than half of all endpoints. */
  readonly majority: number
  ask<T>(endpoint: RpcEndpoint, question: Question<T>): Promise<Vote<T>>
  /** Calls `count` with every vote as it comes, and all votes so far. */
  poll<T>(question: Question<T>, count: (vote: Vote<T>, votes: readonly Vote<T>[]) => void): void
  /** The majority of each of `parts` parts. @throws CHAIN_UNAVAILABLE where no majority answered in form */
  agree<T>(question: Question<T>, parts: number): Promise<readonly Agreed<T>[]>
  /** To be called when the last vote came and too few carried an answer. */
  unavailable(method: string, votes: readonly Vote<unknown>[]): ProtocolError
  /** Alarm: this endpoint says what the majority does not. */
  contradiction(endpoint: string, method: string): void
}

/** What is compared between endpoints. */
export const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_name, field: unknown) => (typeof field === "bigint" ? `${field}n` : field)) ??
  "undefined"

function checkHeld(answer: RpcAnswer, hash: Digest): void {
  const block = resultOf(answer)
  if (typeof block !== "object" || block === null || !("hash" in block) || block.hash !== hash)
    throw chainError("CHAIN_MALFORMED", `the endpoint does not hold block ${hash}`)
}

type Won<T> = { readonly key: string; readonly value: T }

export function createEndpointVotes({ endpoints, timeoutMs, logger, metrics }: RpcPoolDeps): EndpointVotes {
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

  async function ask<T>(endpoint: RpcEndpoint, question: Question<T>): Promise<Vote<T>> {
    const { name } = endpoint
    const { method, params, parse, holding } = question
    const call = (asked: string, given: readonly unknown[]) =>
      endpoint.call(asked, given, AbortSignal.timeout(timeoutMs))
    try {
      const parts = parse(await call(method, params))
      if (holding !== undefined) checkHeld(await call("eth_getBlockByHash", [holding, false]), holding)
      return { endpoint: name, parts, keys: parts.map(keyOf) }
    } catch (error) {
      failures?.add({ endpoint: name })
      logger.debug({ err: error, endpoint: name, method }, "endpoint failed")
      return { endpoint: name, error }
    }
  }

  function poll<T>(question: Question<T>, count: (vote: Vote<T>, votes: readonly Vote<T>[]) => void): void {
    const votes: Vote<T>[] = []
    for (const endpoint of endpoints)
      void ask(endpoint, question).then((vote) => {
        votes.push(vote)
        count(vote, votes)
      })
  }

  const contradiction: EndpointVotes["contradiction"] = (endpoint, method) => {
    minority?.add({ endpoint })
    logger.error({ endpoint, method }, "endpoint contradicts the majority")
  }

  const unavailable: EndpointVotes["unavailable"] = (method, votes) => {
    const answered = votes.filter((vote) => "keys" in vote)
    const malformed = votes.find((v) => "error" in v && isProtocolError(v.error, "CHAIN_MALFORMED"))
    const cause = malformed ?? votes.find((vote) => "error" in vote)
    return chainError(
      "CHAIN_UNAVAILABLE",
      `${method}: ${answered.length} of ${endpoints.length} endpoints answered, want ${majority}`,
      cause !== undefined && "error" in cause ? cause.error : undefined,
    )
  }

  function agree<T>(question: Question<T>, parts: number): Promise<readonly Agreed<T>[]> {
    const { method } = question
    const parse = (answer: RpcAnswer): readonly T[] => {
      const found = question.parse(answer)
      if (found.length !== parts)
        throw chainError("CHAIN_MALFORMED", `want ${parts} parts, got ${found.length}`)
      return found
    }
    const won: (Won<T> | null)[] = Array.from({ length: parts }, () => null)
    const alarm = (vote: Vote<T>): void => {
      if ("keys" in vote && won.some((part, i) => part !== null && part.key !== vote.keys[i]))
        contradiction(vote.endpoint, method)
    }
    const split = `${method}: no ${majority} of ${endpoints.length} endpoints agree`
    let settled = false
    return new Promise((resolve, reject) => {
      const settle = (votes: readonly Vote<T>[]): void => {
        settled = true
        votes.forEach(alarm)
        const missing = () => ({ error: chainError("CHAIN_DISAGREEMENT", split) })
        resolve(won.map((part) => (part === null ? missing() : { value: part.value })))
      }
      poll<T>({ ...question, parse }, (vote, votes) => {
        if (settled) return alarm(vote)
        const answers = votes.filter((v) => "keys" in v)
        if ("keys" in vote)
          vote.keys.forEach((key, i) => {
            const equal = answers.filter((answer) => answer.keys[i] === key).length
            if (equal >= majority) won[i] ??= { key, value: vote.parts[i] as T }
          })
        if (!won.includes(null)) settle(votes)
        else if (votes.length < endpoints.length) return
        else if (answers.length < majority) reject(unavailable(method, votes))
        else settle(votes)
      })
    })
  }

  return { majority, ask, poll, agree, unavailable, contradiction }
}
