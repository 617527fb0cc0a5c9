/** Step "proposal": what was proposed is a key that the protocol allows. */

import type { Digest } from "@twinlock/sdk/protocol/ids"
import { describeParameters, parametersOf } from "@twinlock/sdk/protocol/parameters"
import { ONLY_ATTEMPT } from "../attempt.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

/** @param parametersHash the parameter set that this verifier knows; null where it does not matter */
export function checkProposal({ bundle, attempt }: Transcript, parametersHash: Digest | null): string {
  const { proposal } = bundle
  const { committee } = attempt
  const { n, t, k, executors } = proposal
  if (n !== committee.n) throw refuse(`n is ${n}, but ${committee.n} parties are named`)
  if (bundle.attempt !== ONLY_ATTEMPT)
    throw refuse(`a key has one attempt, the transcript is of attempt ${bundle.attempt}`)
  const m = new Set(executors).size
  if (m !== executors.length || k > m || 2 * k <= m)
    throw refuse(`want m/2 < k <= m distinct executors, got k=${k} of ${executors.length}`)
  if (parametersHash !== null && proposal.parametersHash !== parametersHash)
    throw refuse(`parameter set ${proposal.parametersHash} is not known here, want ${parametersHash}`)
  const set = parametersOf(proposal.parametersHash)
  const parameters = set === null ? "test parameters" : describeParameters(set)
  return `${n} parties of which ${t} may lie, ${k} of ${m} executors, ${parameters}`
}
