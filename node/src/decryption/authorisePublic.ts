/**
 * May this node help to open a gateway request (protocol §8, rules 1 to 3)? All reads are at one agreed block; every
 * rule fails closed with its own code. Blob, budget and release log (rules 4 to 6) follow at the release.
 */
import type { Digest, RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { BlockRef, ChainView } from "../chain/chainView.ts"
import { type KeyContext, type OpenableCiphertext, openableCiphertext } from "./ciphertexts.ts"
import { decryptionError } from "./errors.ts"
import type { Recipient } from "./releaseLog.ts"

/** What a node found to be allowed, and the block at which it was. */
export type Authorised = {
  readonly subject: Digest
  readonly recipient: Recipient
  readonly ciphertexts: readonly OpenableCiphertext[]
  readonly at: BlockRef
}

/** A gateway request that may be opened; `blockHash` is that of the block which holds it. */
export type AuthorisedRequest = Authorised & { readonly blockHash: Digest }

/** @throws DecryptionErrorCode, ChainErrorCode */
export async function authorisePublic(
  view: ChainView,
  key: KeyContext,
  requestId: RequestId,
  at: BlockRef,
): Promise<AuthorisedRequest> {
  const request = await view.request(requestId, at)
  if (request === null)
    throw decryptionError("REQUEST_UNKNOWN", `the gateway has no request ${requestId} at block ${at.number}`)
  if (request.keyId !== key.keyId)
    throw decryptionError("WRONG_KEY", `request ${requestId} is for key ${request.keyId}`)
  if (request.status !== "open")
    throw decryptionError("REQUEST_NOT_OPEN", `request ${requestId} is ${request.status}`)
  if (at.timestamp > request.deadline)
    throw decryptionError(
      "REQUEST_EXPIRED",
      `request ${requestId} expired at ${request.deadline}, chain time ${at.timestamp}`,
    )
  if (at.timestamp < request.uncancellableFrom)
    throw decryptionError(
      "REQUEST_CANCELLABLE",
      `request ${requestId} can be cancelled until ${request.uncancellableFrom}, chain time ${at.timestamp}`,
    )
  for (const handle of request.handles)
    if (!(await view.isAllowedForDecryption(handle, at)))
      throw decryptionError(
        "NOT_ALLOWED_FOR_DECRYPTION",
        `access control does not allow public decryption of ${handle}`,
      )
  const ciphertexts = await Promise.all(
    request.handles.map((handle) => openableCiphertext(view, key, handle, at)),
  )
  const { blockHash } = request
  return { subject: requestSubject(requestId), recipient: "public", ciphertexts, at, blockHash }
}
