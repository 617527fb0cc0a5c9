/**
 * Step "self-test": k executors computed on the new key and signed one result, and the parties' shares of that result
 * open to the sum that was known before.
 */
import { blockCountOf } from "@twinlock/sdk/protocol/fheType"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { recoverSigner, type SignerRecovery } from "@twinlock/sdk/protocol/signature"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { KeyLayout } from "../engine.ts"
import { decodeVerdicts } from "../selfTestRounds.ts"
import { agreedResult, SELF_TEST_TYPE, selfTestValues, taskDigestOf, type Verdict } from "../verdict.ts"
import { chunkDigestsOf } from "./chunks.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

/** k executors of the proposal signed the same result of one task. @param task null where any one task will do */
export function checkVerdicts(
  { bundle, broadcasts }: Transcript,
  task: Digest | null,
  recover: SignerRecovery = recoverSigner,
): Digest {
  const { keyId, attempt, proposal } = bundle
  const { executors, k } = proposal
  const verdicts: Verdict[] = []
  const terms = { keyId, attempt, executors, taskDigest: task }
  for (const broadcast of broadcasts("self-test-verdicts").values())
    verdicts.push(...decodeVerdicts(broadcast, terms, recover))
  if (verdicts.some(({ taskDigest }) => taskDigest !== verdicts[0]?.taskDigest))
    throw refuse("the executors judged different tasks")
  const agreed = agreedResult(verdicts, executors, k)
  if (agreed === null) throw refuse(`want equal verdicts of ${k} executors`)
  return agreed.resultDigest
}

export function checkSelfTest(
  transcript: Transcript,
  layout: KeyLayout,
  publicSeed: Uint8Array,
  recover: SignerRecovery = recoverSigner,
): string {
  const { bundle, attempt, broadcasts } = transcript
  const { committee } = attempt
  const { serverKeyDigest, publicKeyDigest, crsDigest } = bundle.signed.activation
  const [list] = broadcasts("self-test-input").values()
  if (list === undefined) throw refuse("nobody dealt the input of the test")
  const names = { keyId: committee.keyId, serverKeyDigest, publicKeyDigest, crsDigest }
  const chunkDigests = chunkDigestsOf(transcript, layout)
  const task = { ...names, attempt: attempt.attempt, publicSeed, chunkDigests, list }
  checkVerdicts(transcript, taskDigestOf(task), recover)
  const { n, t } = committee
  const opening = createOpening({ n, t, blocks: blockCountOf(SELF_TEST_TYPE) })
  for (const [party, share] of broadcasts("self-test-shares")) opening.add(party, share)
  const { state } = opening
  if (state.status !== "opened" || state.culprits.length > 0)
    throw refuse("the parties' shares of the result do not lie on one polynomial")
  const [a, b] = selfTestValues(names)
  const sum = BigInt((a + b) % 256)
  const opened = decodePlaintext(state.values, SELF_TEST_TYPE)
  if (opened !== sum) throw refuse(`${a} + ${b} opened to ${opened}`)
  return `${bundle.proposal.k} executors computed ${a} + ${b} modulo 256, the parties opened ${opened}`
}
