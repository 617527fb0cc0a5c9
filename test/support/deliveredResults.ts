import { leafOf } from "@twinlock/node/decryption/signing/batch"
import type { Certified } from "@twinlock/sdk/protocol/certificate"
import {
  batchCertificateFromBody,
  type CertificatesRequest,
  certificateToBody,
  certifiedFromBody,
  resultFromBody,
  resultToBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import { merkleTree, pathIn } from "@twinlock/sdk/threshold/merkle"

/** The results in a delivered body one by one, those of a batch with their places in it. */
export function deliveredResults(body: SubmissionBody): readonly Certified[] {
  if (body.kind !== "batch") return [certifiedFromBody(body)]
  const results = body.results.map(resultFromBody)
  const tree = merkleTree(results.map((result) => leafOf(result).leaf))
  const certificate = batchCertificateFromBody(body.certificate)
  return results.map((result, index) => ({
    kind: "group",
    result,
    certificate: { ...certificate, leaves: tree.leaves, index, path: pathIn(tree, index) },
  }))
}

/** The results that a group signature certifies, each as a body of its own. */
export const groupBodies = (body: SubmissionBody): readonly CertificatesRequest[] =>
  deliveredResults(body).flatMap((certified) =>
    certified.kind === "group"
      ? [
          {
            kind: "group",
            result: resultToBody(certified.result),
            certificate: certificateToBody(certified.certificate),
          },
        ]
      : [],
  )
