/**
 * Follows the coprocessor (protocol §8): computes every operation in chain order, squashes what may be decrypted, and
 * commits to it. Results are stored before the cursor moves, so a kill at any point only repeats work.
 */
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import { blockCountOf } from "@twinlock/sdk/protocol/fheType"
import { fheTypeOf } from "@twinlock/sdk/protocol/handles"
import type { Digest, Handle } from "@twinlock/sdk/protocol/ids"
import type { BlockRef, Commitment } from "../chain/chainView.ts"
import type { CoprocessorEvent } from "../chain/coprocessorEvents.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { CiphertextStore, StoredCiphertext } from "./ciphertextStore.ts"
import type { Computer } from "./computer.ts"
import { executorError } from "./errors.ts"
import type { Inputs } from "./inputs.ts"
import { computeRequest, operandHandles, operandsDigest } from "./operations.ts"

export type Follower = {
  /** Works off all events up to `to`; commits what came due. */
  advance(to: BlockRef): Promise<void>
}

export type FollowerDeps = {
  readonly computer: Computer
  readonly store: CiphertextStore
  readonly inputs: Inputs
  /** Where squashed ciphertexts go, named by their digest. */
  readonly sink: { put(digest: Digest, bytes: Uint8Array): Promise<void> }
  /** Events of blocks from..to in chain order. */
  readonly events: (from: bigint, to: bigint) => Promise<readonly CoprocessorEvent[]>
  /** A published list. @throws where nobody has it */
  readonly list: (digest: Digest) => Promise<Uint8Array>
  /** Votes for the commitments on chain. */
  readonly commit: (commitments: readonly Commitment[]) => Promise<void>
  readonly cursor: { load(): Promise<bigint>; save(next: bigint): Promise<void> }
  readonly logger: Logger
}

/** Blocks of one step: what is done again at most after a kill. */
const STEP = 500n

export function createFollower(deps: FollowerDeps): Follower {
  const { computer, store, inputs, sink, events, list, commit, cursor, logger } = deps

  async function need(handle: Handle): Promise<StoredCiphertext> {
    const found = await store.get(handle)
    if (found === null) throw executorError("CIPHERTEXT_UNKNOWN", `no ciphertext of ${handle}`)
    return found
  }

  async function compute(operation: Extract<CoprocessorEvent, { kind: "operation" }>): Promise<void> {
    if ((await store.get(operation.result)) !== null) return
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

  async function restore(event: Extract<CoprocessorEvent, { kind: "input" }>): Promise<void> {
    const known = await Promise.all(event.handles.map((handle) => store.get(handle)))
    if (known.every((ciphertext) => ciphertext !== null)) return
    const { contract, user, listDigest } = event
    logger.info({ listDigest }, "input was attested by others: fetching its list")
    await inputs.restore({ list: await list(listDigest), contract, user })
  }

  async function squash(handle: Handle): Promise<Commitment> {
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

  async function apply(event: CoprocessorEvent, due: Set<Handle>): Promise<void> {
    switch (event.kind) {
      case "operation":
        return compute(event)
      case "input":
        return restore(event)
      case "allowed":
        // A contract allowing itself keeps a handle for later; anybody else may come with a permit.
        if (event.account !== event.by) due.add(event.handle)
        return
      case "allowed-for-decryption":
        due.add(event.handle)
        return
      default:
        return assertNever(event)
    }
  }

  async function step(from: bigint, to: bigint): Promise<void> {
    const due = new Set<Handle>()
    for (const event of await events(from, to)) await apply(event, due)
    const commitments: Commitment[] = []
    for (const handle of due) commitments.push(await squash(handle))
    if (commitments.length > 0) await commit(commitments)
    await cursor.save(to + 1n)
  }

  return {
    async advance(to) {
      for (let from = await cursor.load(); from <= to.number; from += STEP) {
        const end = from + STEP - 1n
        await step(from, end < to.number ? end : to.number)
      }
    },
  }
}
