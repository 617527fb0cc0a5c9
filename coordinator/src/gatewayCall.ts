/** What is called on the gateway for a submission, and with how much gas. */
import { contractEndorsed, contractEvidence, contractResult } from "@twinlock/sdk/chain/acceptance"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { BatchBody, SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { RequestFacts } from "./storedRequest.ts"

/** Function of the gateway and its arguments. */
export type GatewayCall = readonly [name: string, ...args: readonly unknown[]]

export function callOf(submission: SubmissionBody): GatewayCall {
  switch (submission.kind) {
    case "group":
      return ["fulfil", contractResult(submission.result), submission.certificate]
    case "endorsed":
      return ["fulfilEndorsed", contractResult(submission.result), contractEndorsed(submission.certificate)]
    case "policy":
      return [
        "fulfilWith",
        contractResult(submission.result),
        submission.certificate,
        contractEvidence(submission.evidence),
      ]
    case "batch":
      return ["fulfilMany", submission.results.map(contractResult), submission.certificate]
    default:
      return assertNever(submission)
  }
}

/**
 * What `fulfilMany` needs so that nothing is skipped for want of gas (see IDecryptionGateway), and the chains' limit for one
 * transaction (EIP-7825): what does not fit is skipped, and goes with the next.
 */
const BATCH_GAS = { fixed: 200_000n, result: 190_000n, handle: 40_000n, most: 1n << 24n }

/** @param requests of the results, in their order */
export function batchGas(
  { results }: BatchBody,
  requests: readonly Pick<RequestFacts, "callbackGas">[],
): bigint {
  const wanted = results.reduce((sum, { handles }, i) => {
    const callback = requests[i]?.callbackGas ?? 0n
    return sum + callback + callback / 63n + BATCH_GAS.result + BigInt(handles.length) * BATCH_GAS.handle
  }, BATCH_GAS.fixed)
  return wanted < BATCH_GAS.most ? wanted : BATCH_GAS.most
}

/** An estimate with room for what other transactions change before it is included. */
export const withRoom = (estimate: bigint): bigint => estimate + estimate / 8n
