/** What `DecryptionVerifier` checks of what nodes submit: form, signatures and standing, for every rule. */
import { expandSignature } from "@twinlock/sdk/protocol/certificate"
import { type Committee, partiesOfBitmap, quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import {
  batchCertificateFromBody,
  certificateFromBody,
  endorsedCertificateFromBody,
  resultFromBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, rootOf, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { SimulationFailure } from "./failure.ts"
import { type ServedKey, SIGNING } from "./world.ts"

/** Results that a submission is about, and the parties in whose name it speaks. */
export type Verified = {
  readonly results: readonly DecryptionResult[]
  readonly parties: readonly PartyIndex[]
}

const bad = (why: string): SimulationFailure => new SimulationFailure("certificate", why)

const leafOf = (result: DecryptionResult): Digest => leafHash(hashDecryptionResult(result))

function quorumOf(signers: bigint, committee: Committee): readonly PartyIndex[] {
  const parties = partiesOfBitmap(signers, committee.n)
  if (parties.length < quorum(committee)) throw bad(`a certificate of ${parties.length} parties`)
  return parties
}

/** @throws SimulationFailure: no honest node submits what does not verify */
export function verifySubmission(submission: SubmissionBody, { committee, group }: ServedKey): Verified {
  const { keyId, epoch } = committee
  const byGroup = (
    root: Digest | null,
    leaves: number,
    {
      signers,
      r,
      s,
      ...named
    }: Pick<ReturnType<typeof batchCertificateFromBody>, "signers" | "r" | "s" | "keyId">,
  ): readonly PartyIndex[] => {
    if (root === null || named.keyId !== keyId) throw bad("a certificate of a wrong form")
    const parties = quorumOf(signers, committee)
    const digest = typedDigest(SIGNING, hashResultBatch({ keyId, epoch, signers, root, leaves }))
    if (!verifyGroupSignature(group, digest, { r, s })) throw bad("a group signature does not verify")
    return parties
  }
  switch (submission.kind) {
    case "batch": {
      const results = submission.results.map(resultFromBody)
      const certificate = batchCertificateFromBody(submission.certificate)
      return { results, parties: byGroup(rootOf(results.map(leafOf)), results.length, certificate) }
    }
    case "group":
    case "policy": {
      const result = resultFromBody(submission.result)
      const certificate = certificateFromBody(submission.certificate)
      const root = rootOfPath({ leaf: leafOf(result), ...certificate })
      return { results: [result], parties: byGroup(root, certificate.leaves, certificate) }
    }
    case "endorsed": {
      const result = resultFromBody(submission.result)
      const certificate = endorsedCertificateFromBody(submission.certificate)
      const root = rootOfPath({ leaf: leafOf(result), ...certificate })
      const parties = quorumOf(certificate.signers, committee)
      if (root === null || certificate.keyId !== keyId) throw bad("endorsements of a wrong form")
      const digest = typedDigest(
        SIGNING,
        hashEndorsedBatch({ keyId, epoch, root, leaves: certificate.leaves }),
      )
      parties.forEach((party, i) => {
        const signature = expandSignature(certificate.signatures[i] ?? new Uint8Array())
        if (recoverSigner(digest, signature) !== signerOf(committee, party))
          throw bad(`the endorsement of party ${party} does not verify`)
      })
      return { results: [result], parties }
    }
    default:
      return assertNever(submission)
  }
}
