/** All that the chain says about many requests, in one agreed read (protocol §8). */
import type { WordCall } from "@twinlock/sdk/chain/batchCall"
import { hashWords } from "@twinlock/sdk/protocol/codec"
import { type Digest, type Handle, parseKeyId, type RequestId } from "@twinlock/sdk/protocol/ids"
import type { Logger } from "../telemetry/logger.ts"
import { resultDecoder } from "./abiWords.ts"
import type { BatchReader } from "./batchReader.ts"
import { chainError } from "./chainError.ts"
import type { ChainEvents, RequestEvent } from "./chainEvents.ts"
import type {
  BlockRef,
  ChainView,
  Commitment,
  HandleFacts,
  RequestFacts,
  RequestStatus,
} from "./chainView.ts"
import {
  type ContractAddresses,
  ciphertextCommitmentsInterface as commitmentsAbi,
  coprocessorInterface as coprocessorAbi,
  decryptionGatewayInterface as gatewayAbi,
  keyRegistryInterface as keysAbi,
} from "./contracts.ts"
import { commitmentStateOf, type StoredRequest, storedRequestOf } from "./contractTypes.ts"
import type { Agreed } from "./endpointVotes.ts"

export type RequestFactsDeps = {
  readonly batch: BatchReader
  readonly events: ChainEvents
  readonly contracts: ContractAddresses
  readonly logger: Logger
}

const decodeRequest = resultDecoder(gatewayAbi, "requestOf")
const decodeWindow = resultDecoder(gatewayAbi, "cancelWindow")
const decodeKey = resultDecoder(keysAbi, "keyOfHost")
const decodeFinal = resultDecoder(commitmentsAbi, "finalOf")
const decodeAllowed = resultDecoder(coprocessorAbi, "isAllowedForDecryption")

const requestCall = ({ decryptionGateway }: ContractAddresses, requestId: RequestId): WordCall => ({
  ...{ to: decryptionGateway, abi: gatewayAbi, method: "requestOf", argument: requestId },
})

type HandleState = Omit<HandleFacts, "details">

/** @throws the error of a part that was not agreed on */
function answerOf(answer: Agreed<string> | undefined): string {
  if (answer !== undefined && "value" in answer) return answer.value
  throw answer?.error ?? chainError("CHAIN_MALFORMED", "an answer is missing")
}

/** @returns what `requestStatuses` of a view answers */
export function createRequestStatuses({
  batch,
  contracts,
  logger,
}: Pick<RequestFactsDeps, "batch" | "contracts" | "logger">): ChainView["requestStatuses"] {
  return async (requestIds, at) => {
    const statuses = new Map<RequestId, RequestStatus | null>()
    if (requestIds.length === 0) return statuses
    const calls = requestIds.map((id) => requestCall(contracts, id))
    const answers = await batch.read(calls, at)
    for (const [i, requestId] of requestIds.entries()) {
      try {
        const stored = storedRequestOf(decodeRequest(answerOf(answers[i])))
        statuses.set(requestId, stored === null ? null : { status: stored.status, deadline: stored.deadline })
      } catch (err) {
        logger.warn({ err, requestId, block: `${at.number}` }, "the status of a request could not be read")
      }
    }
    return statuses
  }
}

export function createRequestFacts(deps: RequestFactsDeps): ChainView["requestFacts"] {
  const { batch, events, contracts, logger } = deps
  const { decryptionGateway: gateway, ciphertextCommitments, coprocessor, keyRegistry } = contracts
  const handleCalls = (handle: Handle): readonly WordCall[] => [
    { to: coprocessor, abi: coprocessorAbi, method: "isAllowedForDecryption", argument: handle },
    { to: ciphertextCommitments, abi: commitmentsAbi, method: "finalOf", argument: handle },
  ]
  /** What is the same for all requests. */
  const common: readonly WordCall[] = [
    { to: gateway, abi: gatewayAbi, method: "cancelWindow" },
    { to: keyRegistry, abi: keysAbi, method: "keyOfHost", argument: coprocessor },
  ]

  function stateOf(
    handle: Handle,
    allowed: Agreed<string> | undefined,
    final: Agreed<string> | undefined,
  ): HandleState {
    const [allowedForDecryption] = Object.values(decodeAllowed(answerOf(allowed)))
    const commitment = commitmentStateOf(decodeFinal(answerOf(final)))
    return { handle, allowedForDecryption: allowedForDecryption === true, commitment }
  }

  /** What the chain says of handles, each on its own; the second half of the questions of a batch. */
  const statesOf = (handles: readonly Handle[], answers: readonly Agreed<string>[]) =>
    new Map(
      handles.map(
        (handle, i) => [handle, () => stateOf(handle, answers[2 * i], answers[2 * i + 1])] as const,
      ),
    )

  const handlesOf = (found: Iterable<RequestEvent>): readonly Handle[] => [
    ...new Set([...found].flatMap(({ handles }) => handles)),
  ]

  async function read(requestIds: readonly RequestId[], at: BlockRef) {
    const known = new Map<RequestId, RequestEvent>()
    for (const requestId of requestIds) {
      const event = events.request(requestId, at)
      if (event !== null) known.set(requestId, event)
    }
    const handles = handlesOf(known.values())
    const calls = [
      ...common,
      ...requestIds.map((id) => requestCall(contracts, id)),
      ...handles.flatMap(handleCalls),
    ]
    const answers = await batch.read(calls, at)
    const [window, key] = answers
    const [cancelWindow] = Object.values(decodeWindow(answerOf(window)))
    const [keyId] = Object.values(decodeKey(answerOf(key)))
    const ofHandles = common.length + requestIds.length
    return {
      ...{ known, cancelWindow: BigInt(String(cancelWindow)), keyId: parseKeyId(String(keyId)) },
      stored: new Map(requestIds.map((id, i) => [id, answers[common.length + i]] as const)),
      states: statesOf(handles, answers.slice(ofHandles)),
    }
  }

  /** Events that were not kept: of requests from before a restart, or from long ago. */
  async function readLate(requestIds: readonly RequestId[], at: BlockRef) {
    const known = await events.findRequests(requestIds, at.number)
    const handles = handlesOf(known.values())
    const answers = handles.length === 0 ? [] : await batch.read(handles.flatMap(handleCalls), at)
    return { known, states: statesOf(handles, answers) }
  }

  const requestOf = (requestId: RequestId, stored: StoredRequest, event: RequestEvent | undefined) => {
    if (event === undefined || hashWords(event.handles) !== stored.handlesHash) {
      events.forgetRequest(requestId)
      throw chainError("CHAIN_MALFORMED", `no event carries the handles of request ${requestId}`)
    }
    return event
  }

  return async (requestIds, at) => {
    const facts = new Map<RequestId, RequestFacts | null>()
    if (requestIds.length === 0) return facts
    const attempt = <T>(requestId: RequestId, task: () => T): T | undefined => {
      try {
        return task()
      } catch (err) {
        logger.warn({ err, requestId, block: `${at.number}` }, "the facts of a request could not be read")
        return undefined
      }
    }
    const first = await read(requestIds, at)
    const open = new Map<RequestId, StoredRequest>()
    for (const [requestId, answer] of first.stored) {
      const stored = attempt(requestId, () => storedRequestOf(decodeRequest(answerOf(answer))))
      if (stored === null) facts.set(requestId, null)
      else if (stored !== undefined) open.set(requestId, stored)
    }
    const unseen = [...open.keys()].filter((id) => !first.known.has(id))
    const late = unseen.length === 0 ? null : await readLate(unseen, at)

    const judged = [...open].flatMap(([requestId, stored]) => {
      const found = attempt(requestId, () => {
        const event = requestOf(requestId, stored, first.known.get(requestId) ?? late?.known.get(requestId))
        const states = event.handles.map((handle) => {
          const state = first.states.get(handle) ?? late?.states.get(handle)
          if (state === undefined) throw chainError("CHAIN_MALFORMED", `nothing was read about ${handle}`)
          return state()
        })
        return { requestId, stored, event, states }
      })
      return found === undefined ? [] : [found]
    })
    const leaves = judged
      .flatMap(({ states }) => states)
      .filter(({ commitment }) => commitment.status === "final")
      .map(({ handle, commitment }) => ({ handle, leaf: commitment.leaf }))
    const details: ReadonlyMap<Digest, Commitment> = await events.commitments(leaves, at.number)

    for (const { requestId, stored, event, states } of judged)
      facts.set(requestId, {
        request: {
          requestId,
          keyId: first.keyId,
          requester: stored.requester,
          ...event,
          uncancellableFrom: stored.requestedAt + first.cancelWindow,
          deadline: stored.deadline,
          status: stored.status,
          policy: stored.policy,
        },
        handles: states.map((state) => ({ ...state, details: details.get(state.commitment.leaf) ?? null })),
      })
    return facts
  }
}
