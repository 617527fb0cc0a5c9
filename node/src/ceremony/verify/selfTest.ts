/**
 * Step "self-test": k executors computed on the new key and signed one result, and the parties' shares of that result
 * open to what was known before.
 */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { recoverSigner, type SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { KeyLayout } from "../engine.ts"
import { expectedResults, openSelfTest } from "../selfTestResults.ts"
import { decodeVerdicts } from "../selfTestRounds.ts"
import { agreedResult, selfTestValues, taskDigestOf, type Verdict } from "../verdict.ts"
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
  const opening = openSelfTest(committee)
  for (const [party, share] of broadcasts("self-test-shares")) opening.add(party, share)
  const outcome = opening.outcome()
  if (!outcome.opened) throw refuse("the parties' shares of the results do not lie on one polynomial")
  const expected = expectedResults(names)
  if (outcome.values.some((value, at) => value !== expected[at]))
    throw refuse(`the results opened to ${outcome.values}, not to ${expected}`)
  const [a, b] = selfTestValues(names)
  return `${bundle.proposal.k} executors computed with ${a} and ${b}, the parties opened ${outcome.values.join(" and ")}`
}
