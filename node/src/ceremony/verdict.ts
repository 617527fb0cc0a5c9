/**
 * The executors' word on a new key (protocol §4): the task that parties give them, and the verdict they sign. Public
 * data; a verdict is part of the transcript, so it names everything that was judged.
 */
import {
  abiEncode,
  concatBytes,
  fromHex,
  keccakBytes,
  Reader,
  taggedHash,
  tagHash,
  utf8ToBytes,
  Writer,
} from "@twinlock/sdk/protocol/codec"
import type { FheType } from "@twinlock/sdk/protocol/fheType"
import {
  type Address,
  type Digest,
  type Epoch,
  type KeyId,
  parseAddress,
  parseDigest,
  parseKeyId,
  type SessionId,
} from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES, type SignerRecovery, verifySignature } from "@twinlock/sdk/protocol/signature"
import { refuse, type SeatSigner } from "./attempt.ts"
import { bytesDigest } from "./digest.ts"

export const TASK_PROTOCOL = { id: "/twinlock/ceremony/task/1", maxBytes: 512 * 1024 } as const

/** Type of both inputs. */
export const SELF_TEST_TYPE: FheType = 2
export const MAX_LIST_BYTES: number = 128 * 1024
const MAX_SEED_BYTES = 64
const MAX_CHUNKS = 4096
const VERSION = 1

/** What is to be judged. All parties of a ceremony send the same task. */
export type SelfTestTask = {
  readonly keyId: KeyId
  readonly attempt: number
  readonly publicSeed: Uint8Array
  readonly chunkDigests: readonly Digest[]
  readonly serverKeyDigest: Digest
  readonly publicKeyDigest: Digest
  readonly crsDigest: Digest
  /** Proven list of the two known values. */
  readonly list: Uint8Array
}

/** The values to encrypt: nobody chooses them. */
export function selfTestValues(task: SelfTestNames): readonly [number, number] {
  const seed = keccakBytes(selfTestMetadata(task))
  return [seed[0] ?? 0, seed[1] ?? 0]
}

export type SelfTestNames = Pick<SelfTestTask, "keyId" | "serverKeyDigest" | "publicKeyDigest" | "crsDigest">

/** Metadata under the list's proof. */
export const selfTestMetadata = (task: SelfTestNames): Uint8Array =>
  abiEncode(
    tagHash("twinlock/self-test/v1"),
    task.keyId,
    task.serverKeyDigest,
    task.publicKeyDigest,
    task.crsDigest,
  )

/** Session of the threshold decryption of one result: a tag of its own, so its masks serve nothing else. */
export const selfTestSession = (keyId: KeyId, epoch: Epoch, resultDigest: Digest): SessionId =>
  taggedHash("twinlock/self-test-session/v1", keyId, epoch, resultDigest) as string as SessionId

export const encodeTask = (task: SelfTestTask): Uint8Array =>
  new Writer()
    .uint(1, VERSION)
    .hex(task.keyId)
    .uint(4, task.attempt)
    .bytes(task.publicSeed)
    .list(task.chunkDigests, (inner, digest) => inner.raw(fromHex(digest)))
    .hex(task.serverKeyDigest)
    .hex(task.publicKeyDigest)
    .hex(task.crsDigest)
    .bytes(task.list)
    .done()

/** @throws CodecErrorCode, CEREMONY_GARBLED */
export function decodeTask(bytes: Uint8Array): SelfTestTask {
  const reader = new Reader(bytes)
  const version = reader.uint(1)
  if (version !== VERSION) throw refuse("CEREMONY_GARBLED", `task version must be 1, is ${version}`)
  const task: SelfTestTask = {
    keyId: parseKeyId(reader.hex(32)),
    attempt: reader.uint(4),
    publicSeed: reader.bytes(MAX_SEED_BYTES),
    chunkDigests: reader.list(MAX_CHUNKS, (inner) => parseDigest(inner.hex(32))),
    serverKeyDigest: parseDigest(reader.hex(32)),
    publicKeyDigest: parseDigest(reader.hex(32)),
    crsDigest: parseDigest(reader.hex(32)),
    list: reader.bytes(MAX_LIST_BYTES),
  }
  reader.end()
  return task
}

/** A task as a party sends it: the party's signature over exactly these bytes. */
export async function signTask(task: SelfTestTask, sign: SeatSigner): Promise<Uint8Array> {
  const bytes = encodeTask(task)
  return concatBytes(bytes, await sign(taskHash(task, bytes)))
}

/** @throws CodecErrorCode, CEREMONY_GARBLED, SIGNATURE_FORM, SIGNATURE_SIGNER */
export function openTask(signed: Uint8Array, signer: Address): SelfTestTask {
  const bytes = signed.subarray(0, Math.max(0, signed.length - SIGNATURE_BYTES))
  const task = decodeTask(bytes)
  verifySignature(taskHash(task, bytes), signed.slice(bytes.length), signer)
  return task
}

const taskHash = ({ keyId, attempt }: SelfTestTask, bytes: Uint8Array): Digest =>
  taggedHash("twinlock/ceremony-task/v1", keyId, attempt, bytesDigest(bytes))

export type Verdict = {
  readonly keyId: KeyId
  readonly attempt: number
  /** Signer of the executor. */
  readonly executor: Address
  readonly taskDigest: Digest
  readonly outcome: /** SHA-256 of the squashed results' canonical words. */
  { readonly ok: true; readonly resultDigest: Digest } | { readonly ok: false; readonly code: string }
  readonly signature: Uint8Array
}

/** Whose verdicts count, and on what. */
export type VerdictTerms = Pick<SelfTestTask, "keyId" | "attempt"> & {
  readonly executors: readonly Address[]
  /** Null where it is not known yet. */
  readonly taskDigest: Digest | null
}

export const taskDigestOf = (task: SelfTestTask): Digest => bytesDigest(encodeTask(task))

/** Names every judged thing through the task's digest. */
export const verdictHash = ({ keyId, attempt, taskDigest, outcome }: Omit<Verdict, "signature">): Digest =>
  taggedHash(
    "twinlock/verdict/v1",
    keyId,
    attempt,
    taskDigest,
    outcome.ok,
    outcome.ok ? outcome.resultDigest : bytesDigest(utf8ToBytes(outcome.code)),
  )

export async function signVerdict(verdict: Omit<Verdict, "signature">, sign: SeatSigner): Promise<Verdict> {
  return { ...verdict, signature: await sign(verdictHash(verdict)) }
}

const MAX_CODE = 64

export function encodeVerdict(verdict: Verdict): Uint8Array {
  const { outcome } = verdict
  const writer = new Writer()
    .uint(1, VERSION)
    .hex(verdict.keyId)
    .uint(4, verdict.attempt)
    .raw(fromHex(verdict.executor))
    .hex(verdict.taskDigest)
    .uint(1, outcome.ok ? 1 : 0)
  const body = outcome.ok ? writer.hex(outcome.resultDigest) : writer.bytes(utf8ToBytes(outcome.code))
  return body.raw(verdict.signature).done()
}

/** Checks form, executor and signature. @throws CodecErrorCode, CEREMONY_GARBLED, SIGNATURE_FORM, SIGNATURE_SIGNER */
export function decodeVerdict(bytes: Uint8Array, recover?: SignerRecovery): Verdict {
  const reader = new Reader(bytes)
  const version = reader.uint(1)
  if (version !== VERSION) throw refuse("CEREMONY_GARBLED", `verdict version must be 1, is ${version}`)
  const names = {
    keyId: parseKeyId(reader.hex(32)),
    attempt: reader.uint(4),
    executor: parseAddress(reader.hex(20)),
    taskDigest: parseDigest(reader.hex(32)),
  }
  const flag = reader.uint(1)
  if (flag > 1) throw refuse("CEREMONY_GARBLED", `outcome must be 0 or 1, is ${flag}`)
  const outcome: Verdict["outcome"] =
    flag === 1
      ? { ok: true, resultDigest: parseDigest(reader.hex(32)) }
      : { ok: false, code: readCode(reader) }
  const verdict = { ...names, outcome, signature: reader.take(SIGNATURE_BYTES) }
  reader.end()
  verifySignature(verdictHash(verdict), verdict.signature, verdict.executor, recover)
  return verdict
}

function readCode(reader: Reader): string {
  const code = new TextDecoder().decode(reader.bytes(MAX_CODE))
  if (!/^[A-Z][A-Z0-9_]*$/.test(code))
    throw refuse("CEREMONY_GARBLED", `verdict code ${JSON.stringify(code)}`)
  return code
}

/** The result on which at least `k` of the named executors agree; null where there is none. Order does not matter. */
export function agreedResult(
  verdicts: readonly Verdict[],
  executors: readonly Address[],
  k: number,
): { readonly resultDigest: Digest; readonly verdicts: readonly Verdict[] } | null {
  for (const { outcome } of verdicts) {
    if (!outcome.ok) continue
    const agreeing = executors.flatMap(
      (executor) =>
        verdicts.find(
          (verdict) =>
            verdict.executor === executor &&
            verdict.outcome.ok &&
            verdict.outcome.resultDigest === outcome.resultDigest,
        ) ?? [],
    )
    if (agreeing.length >= k) return { resultDigest: outcome.resultDigest, verdicts: agreeing.slice(0, k) }
  }
  return null
}
