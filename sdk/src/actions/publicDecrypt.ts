/**
 * Waiting for a public decryption that a contract requested (protocol §6). The result is either a certificate that is
 * verified here, usually before the chain has it, or what the gateway has accepted at a finalised block.
 */
import { readAcceptedResult, readRequest } from "../chain/read.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import type { AcceptanceRule, Certified } from "../protocol/certificate.ts"
import type { DecryptionResult } from "../protocol/eip712.ts"
import { assertNever, isProtocolError } from "../protocol/errors.ts"
import { certifiedFromBody } from "../protocol/http.ts"
import type { RequestId } from "../protocol/ids.ts"
import { answerObject, answerText, readAnswer } from "./answer.ts"
import { certifiedBody } from "./certifiedBody.ts"
import { type DecryptedHandle, readPlaintexts, verifyCertificate } from "./verifyCertificate.ts"

export type PublicDecryptParams = {
  readonly requestId: RequestId
  /** Milliseconds between two questions. */
  readonly interval?: number
  /** Ends the waiting; without it the call waits until the request is served or closed. */
  readonly signal?: AbortSignal
}

export type PublicDecryption = {
  readonly values: readonly DecryptedHandle[]
  readonly result: DecryptionResult
  /** By what the result counts: the group's signature, a quorum's, or the group's with what the requester demands. */
  readonly rule: AcceptanceRule
  /** What was verified here; null where the gateway's acceptance was found first: the contract has verified it. */
  readonly certified: Certified | null
}

/**
 * @throws REQUEST_CLOSED where it was cancelled or refunded, REQUEST_MISMATCH, the codes of verifyCertificate for a bad
 * certificate that no coordinator corrects, COORDINATOR_MALFORMED, the signal's reason
 */
export async function publicDecrypt(
  client: TwinlockClient,
  params: PublicDecryptParams,
): Promise<PublicDecryption> {
  const { requestId, interval = 1000, signal } = params
  for (;;) {
    signal?.throwIfAborted()
    const certified = await askCoordinator(client, requestId, signal)
    if (certified.found) return certified.decryption
    const accepted = await askChain(client, requestId)
    if (accepted !== null) return accepted
    if (certified.failure !== null) throw certified.failure
    await client.wait(interval, signal)
  }
}

type Asked =
  | { readonly found: true; readonly decryption: PublicDecryption }
  /** `failure` is what is wrong with an answer; a coordinator that has none yet, or is down, is no failure. */
  | { readonly found: false; readonly failure: unknown }

async function askCoordinator(
  client: TwinlockClient,
  requestId: RequestId,
  signal: AbortSignal | undefined,
): Promise<Asked> {
  const read = async (body: unknown): Promise<Asked> => {
    const answer = answerObject(body, "body")
    const status = answerText(answer, "status")
    if (status !== "certified" && status !== "fulfilled") return { found: false, failure: null }
    const certified = readAnswer("certificate", () => certifiedFromBody(certifiedBody(answer)))
    if (certified.result.requestId !== requestId)
      throw sdkError("REQUEST_MISMATCH", `asked for request ${requestId}, got ${certified.result.requestId}`)
    const values = await verifyCertificate(client, certified)
    const { result, kind: rule } = certified
    return { found: true, decryption: { values, result, rule, certified } }
  }
  try {
    return await client.coordinators.get(`/v1/requests/${requestId}`, read, signal)
  } catch (failure) {
    signal?.throwIfAborted()
    // A coordinator may know a result before the finalised head of the endpoints has its request.
    const absent = isProtocolError(
      failure,
      "COORDINATOR_UNREACHABLE",
      "COORDINATOR_REFUSED",
      "REQUEST_UNKNOWN",
    )
    return { found: false, failure: absent ? null : failure }
  }
}

async function askChain({ chain }: TwinlockClient, requestId: RequestId): Promise<PublicDecryption | null> {
  const at = await chain.endpoints.head()
  const { status } = await readRequest(chain, requestId, at)
  switch (status) {
    case "none":
    case "pending":
      return null
    case "cancelled":
    case "refunded":
      throw sdkError("REQUEST_CLOSED", `request ${requestId} is ${status}: make a new one`)
    case "fulfilled":
    case "callbackFailed":
    case "fulfilledLate": {
      const accepted = await readAcceptedResult(chain, requestId, at)
      return accepted === null
        ? null
        : { values: readPlaintexts(accepted.result), ...accepted, certified: null }
    }
    default:
      return assertNever(status)
  }
}
