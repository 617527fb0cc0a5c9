/**
 * May this node help to open a gateway request (protocol §8, rules 1 to 3)? A function of what the chain says at one
 * agreed block, and of the time; every rule fails closed with its own code. Blob, budget and release (rules 4 to 6) follow.
 */
import type { Digest, RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { BlockRef, RequestFacts } from "../chain/chainView.ts"
import { type OpenableCiphertext, openableCiphertext } from "./ciphertexts.ts"
import { decryptionError } from "./errors.ts"
import type { Recipient } from "./releaseLedger.ts"
import type { KeySeat } from "./seat.ts"

/** What a node found to be allowed, and the block at which it was. */
export type Authorised = {
  readonly subject: Digest
  readonly recipient: Recipient
  readonly ciphertexts: readonly OpenableCiphertext[]
  readonly at: BlockRef
}

/** From an approval to a result in a block, with room for a busy submitter. */
const SERVICE_MS = 30_000

/**
 * @param facts at block `at`; null where the gateway knows no such request @param now by the own clock, in milliseconds
 * @throws DecryptionErrorCode
 */
export function authorisePublic(
  { key, committee }: Pick<KeySeat, "key" | "committee">,
  requestId: RequestId,
  facts: RequestFacts | null,
  at: BlockRef,
  now: number,
): Authorised {
  if (facts === null)
    throw decryptionError("REQUEST_UNKNOWN", `the gateway has no request ${requestId} at block ${at.number}`)
  const { request, handles } = facts
  if (request.keyId !== key.keyId)
    throw decryptionError("WRONG_KEY", `request ${requestId} is for key ${request.keyId}`)
  if (request.status !== "open")
    throw decryptionError("REQUEST_NOT_OPEN", `request ${requestId} is ${request.status}`)
  if (at.timestamp > request.deadline)
    throw decryptionError(
      "REQUEST_EXPIRED",
      `request ${requestId} expired at ${request.deadline}, chain time ${at.timestamp}`,
    )
  // A final block is minutes old. Whoever has its handles committed just before the deadline would have a late result: the
  // plaintext on chain and the fee back.
  if (now + SERVICE_MS > 1000 * Number(request.deadline))
    throw decryptionError(
      "REQUEST_EXPIRED",
      `request ${requestId} ends at ${request.deadline}, too near to serve it on time: ${Math.floor(now / 1000)}`,
    )
  const { endorsements, freshQuotes } = request.policy
  if (Math.max(endorsements, freshQuotes) > committee.n)
    throw decryptionError(
      "POLICY_UNMEETABLE",
      `request ${requestId} demands ${endorsements} endorsements and ${freshQuotes} fresh quotes of ${committee.n} seats`,
    )
  if (at.timestamp < request.uncancellableFrom)
    throw decryptionError(
      "REQUEST_CANCELLABLE",
      `request ${requestId} can be cancelled until ${request.uncancellableFrom}, chain time ${at.timestamp}`,
    )
  // The view's promise, and what approvals and results rest on: one fact per handle, in the request's order.
  if (
    handles.length !== request.handles.length ||
    handles.some(({ handle }, i) => handle !== request.handles[i])
  )
    throw decryptionError("REQUEST_UNKNOWN", `the facts of request ${requestId} are not those of its handles`)
  for (const { handle, allowedForDecryption } of handles)
    if (!allowedForDecryption)
      throw decryptionError(
        "NOT_ALLOWED_FOR_DECRYPTION",
        `access control does not allow public decryption of ${handle}`,
      )
  const ciphertexts = handles.map((handle) => openableCiphertext(key, handle))
  return { subject: requestSubject(requestId), recipient: "public", ciphertexts, at }
}
