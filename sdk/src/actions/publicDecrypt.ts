/**
 * Waiting for a public decryption that a contract requested (protocol §6). The result is either a certificate that is
 * verified here, usually before the chain has it, or what the gateway has accepted at a finalised block.
 */
import { readAcceptedResult, readRequestStatus } from "../chain/read.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import type { Certificate } from "../protocol/certificate.ts"
import type { DecryptionResult } from "../protocol/eip712.ts"
import { assertNever, isProtocolError } from "../protocol/errors.ts"
import {
  type CertificateBody,
  certificateFromBody,
  type ResultBody,
  resultFromBody,
} from "../protocol/http.ts"
import type { RequestId } from "../protocol/ids.ts"
import { type Answer, answerNumber, answerObject, answerText, answerTexts, readAnswer } from "./answer.ts"
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
  /** Null where the gateway's acceptance was found first: the contract has verified it. */
  readonly certificate: Certificate | null
}

const MAX_HANDLES = 64
const MAX_PATH = 32

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
    const certified = readAnswer("certificate", () => readCertified(answer))
    if (certified.result.requestId !== requestId)
      throw sdkError("REQUEST_MISMATCH", `asked for request ${requestId}, got ${certified.result.requestId}`)
    const values = await verifyCertificate(client, certified)
    return { found: true, decryption: { values, ...certified } }
  }
  try {
    return await client.coordinators.get(`/v1/requests/${requestId}`, read, signal)
  } catch (failure) {
    signal?.throwIfAborted()
    const absent = isProtocolError(failure, "COORDINATOR_UNREACHABLE", "COORDINATOR_REFUSED")
    return { found: false, failure: absent ? null : failure }
  }
}

async function askChain({ chain }: TwinlockClient, requestId: RequestId): Promise<PublicDecryption | null> {
  const at = await chain.endpoints.head()
  const status = await readRequestStatus(chain, requestId, at)
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
      const result = await readAcceptedResult(chain, requestId, at)
      return result === null ? null : { values: readPlaintexts(result), result, certificate: null }
    }
    default:
      return assertNever(status)
  }
}

function readCertified(answer: Answer): {
  readonly result: DecryptionResult
  readonly certificate: Certificate
} {
  const result = answerObject(answer.get("result"), "result")
  const certificate = answerObject(answer.get("certificate"), "certificate")
  const text = (from: Answer, name: string) => answerText(from, name) as never
  const texts = (from: Answer, name: string, most: number) => answerTexts(from, name, most) as never
  const resultBody: ResultBody = {
    chainId: answerText(result, "chainId"),
    gateway: text(result, "gateway"),
    requestId: text(result, "requestId"),
    handles: texts(result, "handles", MAX_HANDLES),
    sessions: texts(result, "sessions", MAX_HANDLES),
    plaintexts: text(result, "plaintexts"),
  }
  const certificateBody: CertificateBody = {
    keyId: text(certificate, "keyId"),
    epoch: answerNumber(certificate, "epoch"),
    signers: answerText(certificate, "signers"),
    leaves: answerNumber(certificate, "leaves"),
    index: answerNumber(certificate, "index"),
    path: texts(certificate, "path", MAX_PATH),
    r: text(certificate, "r"),
    s: answerText(certificate, "s"),
  }
  return { result: resultFromBody(resultBody), certificate: certificateFromBody(certificateBody) }
}
