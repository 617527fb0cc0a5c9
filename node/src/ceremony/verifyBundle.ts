/**
 * Check of a transcript by what every parameter set has in common: signatures, links from round to round, the executors'
 * verdicts, the group key and the activation. For who trusts the parties that it names, as a judge of evidence does. Whether
 * a key may be trusted is said by `verify/auditCeremony.ts` alone, which runs these checks and all others.
 */
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type CeremonyBundle, decodeBundle } from "./bundle.ts"
import { bundleError } from "./transcriptCodec.ts"
import { checkActivation } from "./verify/activation.ts"
import { checkProposal } from "./verify/proposal.ts"
import { checkRounds } from "./verify/rounds.ts"
import { checkVerdicts } from "./verify/selfTest.ts"
import { checkSigningKey } from "./verify/signingKey.ts"
import type { StepId } from "./verify/step.ts"
import { openTranscript, type Transcript } from "./verify/transcript.ts"

const STEPS: readonly (readonly [StepId, (transcript: Transcript) => unknown])[] = [
  ["proposal", (transcript) => checkProposal(transcript, null)],
  ["rounds", (transcript) => checkRounds(transcript)],
  ["self-test", (transcript) => checkVerdicts(transcript, null)],
  ["signing-key", checkSigningKey],
  ["activation", (transcript) => checkActivation(transcript)],
]

/** @throws BUNDLE_FORM, BUNDLE_INVALID naming the step, CodecErrorCode, COMMITTEE_SIZE, COMMITTEE_PARTIES */
export function verifyBundle(bytes: Uint8Array): CeremonyBundle {
  const bundle = decodeBundle(bytes)
  const transcript = openTranscript(bundle)
  for (const [id, check] of STEPS)
    try {
      check(transcript)
    } catch (error) {
      if (!isProtocolError(error)) throw error
      const { detail } = bundleError("BUNDLE_INVALID", `${id}: ${error.detail.message}`)
      throw new ProtocolError(detail, { cause: error })
    }
  return bundle
}
