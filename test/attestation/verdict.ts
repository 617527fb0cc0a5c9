/** What any verifier says about an input, and what ours says: verification, then the registry's fixed policy. */
import type { RootKey } from "@twinlock/sdk/attestation/chain"
import { appraiseMachine } from "@twinlock/sdk/attestation/policy"
import type { TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { AttestationInput } from "./corpus/case.ts"

/** What both of our verifiers say about an accepted machine; they must agree on all of it. */
export type Facts = {
  readonly ppid: string
  /** Zero where the Processor CA signed. */
  readonly piid: string
  readonly fmspc: string
  readonly imageId: string
  readonly composeHash: string
  readonly evaluationNumber: number
  readonly qeEvaluationNumber: number
  readonly expiresAt: number
}

export type Verdict =
  | { readonly verdict: "accepted"; readonly status: TcbStatus; readonly facts: Facts }
  /** Error code or name. */
  | { readonly verdict: "refused"; readonly reason: string }

const NO_PIID = `0x${"00".repeat(16)}`

function verify(input: AttestationInput, rootKey: RootKey) {
  const verifier = quoteVerifierUnder(rootKey)
  const { subject, collateral, time, floors } = input
  switch (subject.kind) {
    case "quote":
      return verifier.verify(subject.bytes, { collateral, time, floors })
    case "evidence":
      return verifier.verifyEvidence(subject.evidence, { collateral, time, floors })
  }
}

/** The TypeScript verifier's verdict. @throws whatever is not an attestation error: a bug of ours */
export function offChainVerdict(input: AttestationInput, rootKey: RootKey): Verdict {
  try {
    const quote = verify(input, rootKey)
    const { imageId, composeHash } = appraiseMachine(quote, undefined, input.configDocument)
    const { platform, evaluationNumber, qeEvaluationNumber, expiresAt } = quote
    return {
      verdict: "accepted",
      status: quote.status,
      facts: {
        ppid: platform.ppid,
        piid: platform.piid ?? NO_PIID,
        fmspc: platform.fmspc,
        imageId,
        composeHash,
        evaluationNumber,
        qeEvaluationNumber,
        expiresAt,
      },
    }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return { verdict: "refused", reason: error.detail.code }
  }
}
