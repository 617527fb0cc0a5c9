/** What one event of the coprocessor asks of an executor: which handles it needs, which it yields, and the doing. */
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import { blockCountOf } from "@twinlock/sdk/protocol/fheType"
import { fheTypeOf } from "@twinlock/sdk/protocol/handles"
import type { Handle } from "@twinlock/sdk/protocol/ids"
import type { Commitment } from "../chain/chainView.ts"
import type { CoprocessorEvent } from "../chain/coprocessorEvents.ts"
import type { StoredCiphertext } from "./ciphertextStore.ts"
import { executorError } from "./errors.ts"
import type { FollowerDeps } from "./follower.ts"
import { computeRequest, operandHandles, operandsDigest } from "./operations.ts"

type Operation = Extract<CoprocessorEvent, { kind: "operation" }>
type Input = Extract<CoprocessorEvent, { kind: "input" }>

export type Task = { readonly needs: readonly Handle[]; readonly results: readonly Handle[] } & (
  | { readonly kind: "operation"; readonly operation: Operation }
  | { readonly kind: "input"; readonly input: Input }
  /** Squash and vote. */
  | { readonly kind: "commitment"; readonly handle: Handle }
)

const commitmentOf = (handle: Handle): Task => ({ kind: "commitment", handle, needs: [handle], results: [] })

/** Null where nothing is to be done. */
export function taskOf(event: CoprocessorEvent): Task | null {
  switch (event.kind) {
    case "operation":
      return {
        kind: "operation",
        operation: event,
        needs: operandHandles(event),
        results: [event.result],
      }
    case "input":
      return { kind: "input", input: event, needs: [], results: event.handles }
    case "allowed":
      // A contract allowing itself keeps a handle for later; anybody else may come with a permit.
      return event.account === event.by ? null : commitmentOf(event.handle)
    case "allowed-for-decryption":
      return commitmentOf(event.handle)
    default:
      return assertNever(event)
  }
}

export type Worker = {
  /**
   * Does the task unless it is done.
   * @returns what to vote for, null where there is nothing
   * @throws ExecutorErrorCode and whatever addon, stores and sinks throw
   */
  run(task: Task): Promise<Commitment | null>
}

type WorkerDeps = Pick<
  FollowerDeps,
  "computer" | "store" | "inputs" | "sink" | "list" | "committed" | "logger"
>

export function createWorker(deps: WorkerDeps): Worker {
  const { computer, store, inputs, sink, list, committed, logger } = deps
  async function need(handle: Handle): Promise<StoredCiphertext> {
    const found = await store.get(handle)
    if (found === null) throw executorError("CIPHERTEXT_UNKNOWN", `no ciphertext of ${handle}`)
    return found
  }

  async function compute(operation: Operation): Promise<void> {
    if (await store.has(operation.result)) return
    const operands = await Promise.all(operandHandles(operation).map(need))
    const bytes = await computer.compute(
      computeRequest(
        operation,
        operands.map((operand) => operand.bytes),
      ),
    )
    await store.put(operation.result, {
      operationDigest: operation.digest,
      inputsDigest: operandsDigest(operands.map(({ digest }) => digest)),
      bytes,
    })
  }

  async function restore({ handles, contract, user, listDigest }: Input): Promise<void> {
    const known = await Promise.all(handles.map((handle) => store.has(handle)))
    if (known.every((found) => found)) return
    logger.info({ listDigest }, "input was attested by others: fetching its list")
    const bytes = await list(listDigest).catch((cause: unknown) => {
      throw executorError("INPUT_UNAVAILABLE", `nobody serves list ${listDigest}`, { cause })
    })
    const restored = await inputs.restore({ list: bytes, contract, user })
    const absent = handles.find((handle) => !restored.includes(handle))
    if (absent !== undefined)
      throw executorError("INPUT_REFUSED", `list ${listDigest} does not yield handle ${absent}`)
  }

  async function squash(handle: Handle): Promise<Commitment | null> {
    if (await committed.has(handle)) return null
    const { bytes, digest, operationDigest, inputsDigest } = await need(handle)
    const fheType = fheTypeOf(handle)
    const words = await computer.squash(bytes, fheType)
    const squashedDigest = sha256Digest(words)
    await sink.put(squashedDigest, words)
    return {
      handle,
      operationDigest,
      inputsDigest,
      ciphertextDigest: digest,
      squashedDigest,
      fheType,
      blockCount: blockCountOf(fheType),
    }
  }

  return {
    async run(task) {
      switch (task.kind) {
        case "operation":
          await compute(task.operation)
          return null
        case "input":
          await restore(task.input)
          return null
        case "commitment":
          return squash(task.handle)
        default:
          return assertNever(task)
      }
    },
  }
}
