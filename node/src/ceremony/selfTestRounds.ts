/**
 * Self-test of a new key (protocol §4): party 1 encrypts two known values under the public key with a proof under the
 * CRS; k executors evaluate the list on the assembled key and sign what they got; the parties open the executors'
 * common results with fresh masks under sessions of their own, as any decryption, and compare them with what is known. No
 * exact phase is opened.
 */
import { concatBytes, Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { Attempt, SeatSigner } from "./attempt.ts"
import type { Crs } from "./crsRounds.ts"
import { bytesDigest } from "./digest.ts"
import type { KeygenEngine, KeyShare } from "./engine.ts"
import type { KeyMaterial } from "./keyRounds.ts"
import { type DeliveryOptions, deliver } from "./outbox.ts"
import { eachParty, publicMessage, type Round, type Slot } from "./rounds.ts"
import {
  expectedResults,
  openSelfTest,
  SELF_TEST_RESULT_BYTES,
  SELF_TEST_SHARE_BYTES,
  shareWorkOf,
} from "./selfTestResults.ts"
import type { RoundSpec } from "./state.ts"
import {
  agreedResult,
  decodeVerdict,
  encodeVerdict,
  MAX_LIST_BYTES,
  SELF_TEST_TYPE,
  type SelfTestTask,
  selfTestMetadata,
  selfTestValues,
  signTask,
  TASK_PROTOCOL,
  taskDigestOf,
  type Verdict,
  type VerdictTerms,
} from "./verdict.ts"
import { checkVerdict, type VerdictCollector } from "./verdictCollector.ts"

export type SelfTestErrorCode =
  /** party 1 dealt a list of other types than two values of the test's type. */
  | "SELF_TEST_LIST"
  /** parties did not bring k equal verdicts together. */
  | "SELF_TEST_VERDICTS"
  /** a share of the test's openings is off the polynomial. */
  | "SELF_TEST_SHARE"
  /** an opened result is not the known one. */
  | "SELF_TEST_WRONG"

const testError = (
  code: SelfTestErrorCode,
  message: string,
  culprits: readonly PartyIndex[] = [],
): ProtocolError => new ProtocolError({ code, message, culprits })

const MAX_VERDICT_BYTES = 512
const MAX_EXECUTORS = 32

const encodeVerdicts = (verdicts: readonly Verdict[]): Uint8Array =>
  new Writer().list(verdicts, (writer, verdict) => writer.bytes(encodeVerdict(verdict))).done()

/** What one party brought, if all of it counts. @throws SELF_TEST_FOREIGN, and what {@link decodeVerdict} throws */
export function decodeVerdicts(
  bytes: Uint8Array,
  terms: VerdictTerms,
  recover?: SignerRecovery,
): readonly Verdict[] {
  const reader = new Reader(bytes)
  const verdicts = reader.list(MAX_EXECUTORS, (inner) =>
    decodeVerdict(inner.bytes(MAX_VERDICT_BYTES), recover),
  )
  reader.end()
  for (const verdict of verdicts) checkVerdict(verdict, terms)
  return verdicts
}

export type SelfTestDeps = DeliveryOptions & {
  readonly engine: Pick<KeygenEngine, "encryptSelfTest" | "verifyInputList">
  readonly executors: readonly Address[]
  readonly k: number
  readonly sign: SeatSigner
  readonly verdicts: VerdictCollector
  readonly source: BlobSource
  readonly timeoutMs: number
  /** For the whole round; longer than the collector waits. */
  readonly verdictTimeoutMs: number
  readonly material: Slot<KeyMaterial>
  readonly crs: Slot<Crs>
  readonly share: Slot<KeyShare>
}

export function selfTestRounds(attempt: Attempt, deps: SelfTestDeps): readonly Round[] {
  const { committee } = attempt
  const parties = partyIndexes(committee)
  const scribe = parsePartyIndex(1, committee.n)
  let task: SelfTestTask | null = null
  let words: Uint8Array | null = null
  const known = <T>(value: T | null): T => {
    if (value === null) throw new Error("a self-test round ran out of order")
    return value
  }
  const spec = (name: string, fields: Partial<RoundSpec> & Pick<RoundSpec, "maxBroadcast">): RoundSpec => ({
    name,
    speakers: parties,
    maxSealed: 0,
    timeoutMs: deps.timeoutMs,
    binding: false,
    kept: true,
    ...fields,
  })
  const names = (): Omit<SelfTestTask, "list"> => {
    const { publicSeed, chunkDigests, serverKeyDigest, publicKeyDigest } = deps.material.get()
    const { keyId } = committee
    const crsDigest = deps.crs.get().digest
    return {
      keyId,
      attempt: attempt.attempt,
      publicSeed,
      chunkDigests,
      serverKeyDigest,
      publicKeyDigest,
      crsDigest,
    }
  }

  const input: Round = {
    spec: spec("self-test-input", { speakers: [scribe], maxBroadcast: MAX_LIST_BYTES }),
    produce: async () =>
      publicMessage(
        await deps.engine.encryptSelfTest(
          deps.material.get().publicKey,
          deps.crs.get().file,
          selfTestMetadata(names()),
          selfTestValues(names()),
        ),
      ),
    consume: (incoming) =>
      eachParty(incoming, async (_, list) => {
        const { publicKey } = deps.material.get()
        const metadata = selfTestMetadata(names())
        const types = await deps.engine.verifyInputList(list, publicKey, deps.crs.get().file, metadata)
        if (types.join() !== `${SELF_TEST_TYPE},${SELF_TEST_TYPE}`)
          throw testError("SELF_TEST_LIST", `want two values of type ${SELF_TEST_TYPE}, got ${types}`)
        task = { ...names(), list }
      }),
  }

  async function fetchWords(resultDigest: Digest): Promise<Uint8Array> {
    const bytes = await deps.source.get(resultDigest, SELF_TEST_RESULT_BYTES, deps.signal)
    if (bytes.length !== SELF_TEST_RESULT_BYTES || bytesDigest(bytes) !== resultDigest)
      throw testError("SELF_TEST_VERDICTS", `the result ${resultDigest} does not match its digest`)
    return bytes
  }

  const verdicts: Round = {
    spec: spec("self-test-verdicts", {
      maxBroadcast: 2 + MAX_EXECUTORS * (4 + MAX_VERDICT_BYTES),
      timeoutMs: deps.verdictTimeoutMs,
    }),
    async produce() {
      const mine = known(task)
      const bytes = await signTask(mine, deps.sign)
      for (const executor of deps.executors)
        void deliver(executor, TASK_PROTOCOL.id, bytes, deps).catch(() => {})
      return publicMessage(encodeVerdicts(await deps.verdicts.wait(taskDigestOf(mine))))
    },
    async consume(incoming) {
      const { keyId } = committee
      const taskDigest = taskDigestOf(known(task))
      const terms = { keyId, attempt: attempt.attempt, executors: deps.executors, taskDigest }
      const all: Verdict[] = []
      await eachParty(incoming, (_, broadcast) => void all.push(...decodeVerdicts(broadcast, terms)))
      const agreed = agreedResult(all, deps.executors, deps.k)
      if (agreed === null) throw testError("SELF_TEST_VERDICTS", `want ${deps.k} equal verdicts`)
      words = await fetchWords(agreed.resultDigest)
    },
  }

  const shares: Round = {
    spec: spec("self-test-shares", { maxBroadcast: SELF_TEST_SHARE_BYTES }),
    async produce() {
      const work = shareWorkOf(committee, known(words))
      return publicMessage(concatBytes(...(await deps.share.get().decryptionShares(work))))
    },
    async consume(incoming) {
      const opening = openSelfTest(committee)
      await eachParty(incoming, opening.add)
      const outcome = opening.outcome()
      if (!outcome.opened)
        throw testError("SELF_TEST_SHARE", "shares do not all lie on one polynomial", outcome.culprits)
      const expected = expectedResults(names())
      if (outcome.values.some((value, at) => value !== expected[at]))
        throw testError("SELF_TEST_WRONG", `want ${expected}, got ${outcome.values}`)
    },
  }
  return [input, verdicts, shares]
}
