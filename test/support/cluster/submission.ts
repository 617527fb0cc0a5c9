/** What a coordinator calls for a submission, by the rule under which it is accepted. */
import { contractEndorsed, contractEvidence, contractResult } from "@twinlock/sdk/chain/acceptance"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"

export type Call = { readonly method: string; readonly args: readonly unknown[] }

/** Call of the gateway that delivers the result or results. */
export function fulfilment(submission: SubmissionBody): Call {
  switch (submission.kind) {
    case "group":
      return { method: "fulfil", args: [contractResult(submission.result), submission.certificate] }
    case "endorsed":
      return { method: "fulfilEndorsed", args: endorsedArguments(submission) }
    case "policy":
      return { method: "fulfilWith", args: policyArguments(submission) }
    case "batch":
      return { method: "fulfilMany", args: batchArguments(submission) }
    default:
      return assertNever(submission)
  }
}

/** Call of the verifier that judges it; policies are the gateway's to name. */
export function verification(submission: Exclude<SubmissionBody, { readonly kind: "policy" }>): Call {
  switch (submission.kind) {
    case "group":
      return { method: "verify", args: [contractResult(submission.result), submission.certificate] }
    case "endorsed":
      return { method: "verifyEndorsed", args: endorsedArguments(submission) }
    case "batch":
      return { method: "verifyBatch", args: batchArguments(submission) }
    default:
      return assertNever(submission)
  }
}

type Of<K> = Extract<SubmissionBody, { readonly kind: K }>

const endorsedArguments = ({ result, certificate }: Of<"endorsed">) => [
  contractResult(result),
  contractEndorsed(certificate),
]
const policyArguments = ({ result, certificate, evidence }: Of<"policy">) => [
  contractResult(result),
  certificate,
  contractEvidence(evidence),
]
const batchArguments = ({ results, certificate }: Of<"batch">) => [results.map(contractResult), certificate]
