/**
 * An executor's part in a ceremony (protocol §4): it takes the task from a quorum of the key's parties, fetches the
 * public chunks by digest, assembles and loads the evaluation key, evaluates the known list and signs what it got.
 * Everything it handles is public; its signature says that this key computes and what it computed.
 */
import { type Committee, partyOf, quorum } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest, KeyId } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { ChainView, HostBinding, KeyProposal } from "../chain/chainView.ts"
import type { Logger } from "../telemetry/logger.ts"
import { ONLY_ATTEMPT, type SeatSigner } from "./attempt.ts"
import { bytesDigest } from "./digest.ts"
import { engineFor, type SelfTestEngine, type ServerKeyFile } from "./engine.ts"
import { serverKeyDigestOf } from "./keyRounds.ts"
import { type DeliveryOptions, deliver } from "./outbox.ts"
import { CEREMONY_PROTOCOLS } from "./router.ts"
import {
  encodeVerdict,
  openTask,
  type SelfTestTask,
  selfTestMetadata,
  signVerdict,
  TASK_PROTOCOL,
  taskDigestOf,
  type Verdict,
} from "./verdict.ts"

export type ExecutorVerdictErrorCode =
  /** a task of nobody who holds a seat of the key, or of a key that is not proposed or does not name this executor. */
  | "TASK_FOREIGN"
  /** a key of other host contracts than this executor computes for: it would never serve it. */
  | "TASK_HOST"
  /** the server key's digest does not follow from seed and chunks. */
  | "TASK_DIGEST"
  /** the public key chunk makes another public key, or the CRS file is another one. */
  | "TASK_FILES"

const taskError = (code: ExecutorVerdictErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

/** Files of one executor: where chunks land and where the assembled key lies. */
export type KeyFiles = {
  /** Fetches a public blob into a file, checking length and digest. @throws where no source has it */
  fetchChunk(keyId: KeyId, chunk: number, digest: Digest, byteLength: number): Promise<string>
  readChunk(keyId: KeyId, chunk: number): Promise<Uint8Array>
  serverKeyPath(keyId: KeyId): string
  /** Chunks are not needed once the key is assembled. */
  removeChunks(keyId: KeyId): Promise<void>
}

export type ExecutorVerdictDeps = DeliveryOptions & {
  /** One for each parameter set that this executor serves keys of. */
  readonly engines: readonly SelfTestEngine[]
  /** The contracts that this executor computes for. */
  readonly host: HostBinding
  readonly chain: Pick<ChainView, "head" | "key" | "committee">
  readonly files: KeyFiles
  readonly source: BlobSource
  readonly sink: BlobSink
  readonly sign: SeatSigner
  readonly logger: Logger
  /** Called with the file of a key that passed, before the verdict leaves. */
  onServerKey(task: SelfTestTask, serverKey: ServerKeyFile): Promise<void>
  /** Called after a test that failed: nobody needs what is kept of the key. */
  onRefusedKey(keyId: KeyId): Promise<void>
}

const MAX_CRS_BYTES = 8 * 1024 * 1024
/** Parties wait for verdicts no longer than this. */
const DELIVERY_MS = 1_800_000

/**
 * Judges one key: canonical words of the test's result.
 * @throws TASK_DIGEST, TASK_FILES, and what fetching, assembling and evaluating throw
 */
async function judgeKey(
  task: SelfTestTask,
  engine: SelfTestEngine,
  deps: ExecutorVerdictDeps,
): Promise<Uint8Array> {
  const { files, source, signal } = deps
  const { keyId, publicSeed, chunkDigests } = task
  const { chunks } = engine.keyLayout()
  if (
    chunkDigests.length !== chunks.length ||
    serverKeyDigestOf(keyId, publicSeed, chunkDigests) !== task.serverKeyDigest
  )
    throw taskError("TASK_DIGEST", `seed and ${chunkDigests.length} chunks are not ${task.serverKeyDigest}`)
  const paths: string[] = []
  for (const { index, byteLength } of chunks) {
    const digest = chunkDigests[index]
    if (digest === undefined) throw taskError("TASK_DIGEST", `no digest of chunk ${index}`)
    paths.push(await files.fetchChunk(keyId, index, digest, byteLength))
  }
  const publicKeyChunk = chunks.find(({ part }) => part === engine.publicKeyPart)
  if (publicKeyChunk === undefined) throw new Error("the layout has no public key chunk")
  const publicKey = engine.assemblePublicKey(publicSeed, await files.readChunk(keyId, publicKeyChunk.index))
  const crs = await source.get(task.crsDigest, MAX_CRS_BYTES, signal)
  if (bytesDigest(publicKey) !== task.publicKeyDigest || bytesDigest(crs) !== task.crsDigest)
    throw taskError("TASK_FILES", `want public key ${task.publicKeyDigest} and CRS ${task.crsDigest}`)
  const path = files.serverKeyPath(keyId)
  const { sha256 } = await engine.assembleServerKey(publicSeed, paths, path)
  await files.removeChunks(keyId)
  const serverKey = { path, sha256 }
  const words = await engine.evaluateSelfTest(serverKey, task.list, publicKey, crs, selfTestMetadata(task))
  await deps.onServerKey(task, serverKey)
  return words
}

function requireHost({ host }: KeyProposal, own: HostBinding): void {
  const { chainId, coprocessor, gateway } = host
  if (chainId !== own.chainId || coprocessor !== own.coprocessor || gateway !== own.gateway)
    throw taskError("TASK_HOST", `the key serves chain ${chainId} coprocessor ${coprocessor}`)
}

/** Serves tasks from now on: one at a time, each attempt once. */
export function serveVerdicts(deps: ExecutorVerdictDeps): void {
  const { network, chain, logger } = deps
  /** By key, the newest task of each party: bounded by the committees of proposed keys. */
  const votes = new Map<KeyId, Map<Address, Digest>>()
  const judged = new Set<KeyId>()
  let queue: Promise<void> = Promise.resolve()

  async function proposedKey(
    keyId: KeyId,
  ): Promise<{ readonly committee: Committee; readonly proposal: KeyProposal }> {
    const head = await chain.head()
    const record = await chain.key(keyId, head)
    const named = record?.proposal.executors.includes(network.self)
    if (record === null || record.status !== "proposed" || !named)
      throw taskError("TASK_FOREIGN", `key ${keyId} is not proposed with this executor`)
    const committee = await chain.committee(keyId, record.epoch, head)
    if (committee === null) throw taskError("TASK_FOREIGN", `key ${keyId} has no committee`)
    return { committee, proposal: record.proposal }
  }

  async function verdictOn(task: SelfTestTask, proposal: KeyProposal): Promise<Verdict> {
    const { keyId, attempt } = task
    const names = { keyId, attempt, executor: network.self, taskDigest: taskDigestOf(task) }
    try {
      requireHost(proposal, deps.host)
      const words = await judgeKey(task, engineFor(deps.engines, proposal), deps)
      const resultDigest = bytesDigest(words)
      await deps.sink.put(resultDigest, words, deps.signal)
      return await signVerdict({ ...names, outcome: { ok: true, resultDigest } }, deps.sign)
    } catch (error) {
      logger.error({ err: error, ceremony: keyId }, "self-test of a new key failed")
      const code = error instanceof ProtocolError ? error.detail.code : "INTERNAL"
      await deps.onRefusedKey(keyId).catch((err: unknown) => logger.warn({ err }, "files of a key stay"))
      return signVerdict({ ...names, outcome: { ok: false, code } }, deps.sign)
    }
  }

  /** Ends after a time: a party that restarted in the attempt refuses its verdict for ever. */
  async function answer(verdict: Verdict, committee: Committee): Promise<void> {
    const bytes = encodeVerdict(verdict)
    const over = new AbortController()
    const cancel = deps.scheduler.after(DELIVERY_MS, () => over.abort())
    const options = { ...deps, signal: AbortSignal.any([deps.signal, over.signal]) }
    try {
      await Promise.all(
        committee.parties.map((party) => deliver(party, CEREMONY_PROTOCOLS.verdict.id, bytes, options)),
      )
    } finally {
      cancel()
    }
  }

  const notDelivered = (error: unknown): void => logger.error({ err: error }, "a verdict was not delivered")

  network.onMessage(TASK_PROTOCOL.id, TASK_PROTOCOL.maxBytes, async (from, payload) => {
    const task = openTask(payload, from)
    if (task.attempt !== ONLY_ATTEMPT) throw taskError("TASK_FOREIGN", `there is no attempt ${task.attempt}`)
    const { committee, proposal } = await proposedKey(task.keyId)
    if (partyOf(committee, from) === null)
      throw taskError("TASK_FOREIGN", `${from} holds no seat of ${task.keyId}`)
    const digest = taskDigestOf(task)
    const given = votes.get(task.keyId) ?? new Map<Address, Digest>()
    votes.set(task.keyId, given.set(from, digest))
    const same = [...given.values()].filter((other) => other === digest).length
    if (same < quorum(committee) || judged.has(task.keyId)) return
    judged.add(task.keyId)
    // One key at a time is judged; answers hold up nobody.
    queue = queue
      .then(async () => {
        const verdict = await verdictOn(task, proposal)
        answer(verdict, committee).catch(notDelivered)
      })
      .catch(notDelivered)
  })
}
