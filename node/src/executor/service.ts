/**
 * One executor at work: waits for the active key that names it, loads the evaluation key, then attests inputs and follows
 * the coprocessor. Everything it holds is public but its signing key.
 */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import type { HandleDomain } from "@twinlock/sdk/protocol/handles"
import type { ExecutorInputsResponse } from "@twinlock/sdk/protocol/http"
import type { Address, Handle, KeyId } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { BlockRef, ChainView, Commitment } from "../chain/chainView.ts"
import { ciphertextCommitmentsInterface } from "../chain/contracts.ts"
import type { LocatedEvent } from "../chain/coprocessorEvents.ts"
import type { Transactor } from "../chain/transactor.ts"
import type { Clock, Scheduler } from "../clock.ts"
import { backingOff, repeat } from "../repeat.ts"
import type { Secret } from "../secret.ts"
import type { SealedStore } from "../storage/sealedStore.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { CiphertextStore } from "./ciphertextStore.ts"
import type { Computer } from "./computer.ts"
import { executorError } from "./errors.ts"
import { createFollower, type Follower } from "./follower.ts"
import { createInputs, type Inputs, MAX_LIST_BYTES, type ProvenInput } from "./inputs.ts"
import { type ActiveKey, isOwnKey } from "./ownKey.ts"

export type ExecutorDeps = {
  readonly self: Address
  readonly signer: Secret<Uint8Array>
  readonly domain: HandleDomain
  readonly signing: SigningDomain
  readonly commitments: Address
  readonly startBlock: bigint
  readonly view: ChainView
  readonly events: (from: bigint, to: bigint, head: BlockRef) => Promise<readonly LocatedEvent[]>
  readonly transactor: Transactor
  readonly store: SealedStore
  readonly ciphertexts: (keyId: KeyId) => Promise<CiphertextStore>
  readonly source: BlobSource
  readonly sink: BlobSink
  /** The evaluation key of a ceremony that this executor judged; null while there is none. */
  readonly loadKey: (keyId: KeyId) => Promise<Computer | null>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly pollMs: number
  readonly logger: Logger
  readonly metrics: Metrics | null
}

export type ExecutorService = {
  start(): void
  stop(): void
  /** @throws KEY_NOT_READY, INPUT_REFUSED, INPUT_TOO_LARGE, INPUT_QUEUE_FULL */
  attest(input: ProvenInput): Promise<ExecutorInputsResponse>
  /** The key that is served; null before. */
  readonly servedKey: KeyId | null
}

const MAX_PUBLIC_KEY_BYTES = 1024 * 1024
const MAX_CRS_BYTES = 16 * 1024 * 1024
const CURSOR = "executor-cursor"
const COMMITTED = "executor-committed"
/** Longest pause after steps that failed. */
const LONGEST_PAUSE_MS = 10_000

type Serving = { readonly keyId: KeyId; readonly inputs: Inputs; readonly follower: Follower }

export function createExecutorService(deps: ExecutorDeps): ExecutorService {
  const { view, store, source, sink, transactor, clock, scheduler, logger, pollMs } = deps
  const openEvents = deps.metrics?.gauge({
    name: "executor_open_events",
    help: "Events of the coprocessor that are not worked off yet",
  })
  let serving: Serving | null = null
  /** Keys proposed so far, and the first block not looked at for more. */
  const proposed: KeyId[] = []
  let nextProposals = deps.startBlock

  const commit = async (keyId: KeyId, commitments: readonly Commitment[]) => {
    const sent = await transactor.send({
      to: deps.commitments,
      abi: ciphertextCommitmentsInterface,
      method: "commit",
      args: [keyId, commitments],
    })
    logger.info(
      { commitments: commitments.length, gas: Number(sent.gasUsed), transaction: sent.hash },
      "committed",
    )
  }
  const cursorOf = (keyId: KeyId) => ({
    async load() {
      const bytes = await store.get(CURSOR, keyId)
      return bytes === null ? deps.startBlock : BigInt(new Reader(bytes).uint(8))
    },
    save: (next: bigint) => store.put(CURSOR, keyId, new Writer().uint(8, Number(next)).done()),
  })

  const committedOf = (keyId: KeyId) => ({
    has: async (handle: Handle) => (await store.get(COMMITTED, `${keyId}/${handle}`)) !== null,
    add: (handle: Handle) => store.put(COMMITTED, `${keyId}/${handle}`, Uint8Array.of(1)),
  })

  async function serve({ keyId, activation }: ActiveKey): Promise<Serving | null> {
    const computer = await deps.loadKey(keyId)
    if (computer === null) return null
    const [publicKey, crs, ciphertexts] = await Promise.all([
      source.get(activation.publicKeyDigest, MAX_PUBLIC_KEY_BYTES),
      source.get(activation.crsDigest, MAX_CRS_BYTES),
      deps.ciphertexts(keyId),
    ])
    const key = {
      keyId,
      domain: deps.domain,
      signing: deps.signing,
      crsDigest: activation.crsDigest,
      files: { publicKey, crs },
    }
    const publish = (digest: Parameters<BlobSink["put"]>[0], bytes: Uint8Array) => sink.put(digest, bytes)
    const inputs = createInputs({ key, computer, store: ciphertexts, signer: deps.signer, publish })
    const follower = createFollower({
      computer,
      store: ciphertexts,
      inputs,
      sink,
      events: deps.events,
      list: (digest) => source.get(digest, MAX_LIST_BYTES),
      commit: (commitments) => commit(keyId, commitments),
      committed: committedOf(keyId),
      cursor: cursorOf(keyId),
      clock,
      logger,
    })
    logger.info({ keyId }, "serving a key")
    return { keyId, inputs, follower }
  }

  async function findKey(at: BlockRef): Promise<ActiveKey | null> {
    if (at.number >= nextProposals) {
      proposed.push(...(await view.proposalsSince(nextProposals, at)))
      nextProposals = at.number + 1n
    }
    for (const keyId of [...proposed].reverse()) {
      const record = await view.key(keyId, at)
      if (record !== null && isOwnKey(record, deps)) return record
    }
    return null
  }

  async function tick(): Promise<void> {
    const at = await view.head()
    if (serving === null) {
      const record = await findKey(at)
      if (record !== null) serving = await serve(record)
    }
    await serving?.follower.advance(at)
    openEvents?.set(serving?.follower.open ?? 0)
  }

  const { start, stop } = repeat(scheduler, tick, {
    pause: backingOff(pollMs, LONGEST_PAUSE_MS),
    onError: (err, failures) => logger.warn({ err, failures }, "a step failed and is done again"),
  })

  return {
    get servedKey() {
      return serving?.keyId ?? null
    },
    start: () => start(),
    stop,
    async attest(input) {
      if (serving === null) throw executorError("KEY_NOT_READY", "no active key is loaded yet")
      return serving.inputs.attest(input)
    },
  }
}
