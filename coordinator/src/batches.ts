/**
 * Results under one signature: a batch taken apart into results that can each go alone. The certificates are the contract's
 * to judge; here is only arithmetic on their form.
 */
import { hashDecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import {
  type BatchBody,
  type CertificatesRequest,
  type ResultBody,
  resultFromBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import { leafHash, merkleTree, pathIn } from "@twinlock/sdk/threshold/merkle"

/** Every result with its own path, in the order of the leaves. */
export function resultsOfBatch({ results, certificate }: BatchBody): readonly CertificatesRequest[] {
  const tree = merkleTree(results.map((result) => leafHash(hashDecryptionResult(resultFromBody(result)))))
  return results.map((result, index) => ({
    kind: "group",
    result,
    certificate: { ...certificate, leaves: tree.leaves, index, path: pathIn(tree, index) },
  }))
}

export const resultsOf = (submission: SubmissionBody): readonly ResultBody[] =>
  submission.kind === "batch" ? submission.results : [submission.result]

/** The same for all results under one signature, in a batch or alone. */
export function signatureOf(submission: SubmissionBody): string {
  switch (submission.kind) {
    case "batch":
    case "group": {
      const { keyId, epoch, signers, r, s } = submission.certificate
      const leaves = submission.kind === "batch" ? submission.results.length : submission.certificate.leaves
      return ["group", keyId, epoch, signers, leaves, r, s].join()
    }
    case "endorsed":
    case "policy":
      return JSON.stringify({ ...submission, result: null })
    default:
      return assertNever(submission)
  }
}
