/**
 * Subjects (protocol §6): what an approval is about, in 32 bytes. A public decryption is its request; a user decryption
 * is a permit with the handles asked for under it.
 */
import { hashWords, taggedHash } from "./codec.ts"
import { type Digest, type Handle, parseDigest, type RequestId, type SessionId } from "./ids.ts"

export const requestSubject = (requestId: RequestId): Digest => parseDigest(requestId)

/** @param permitHash EIP-712 digest that the user signed. @param handles in the order of the user's request. */
export const userSubject = (permitHash: Digest, handles: readonly Handle[]): Digest =>
  taggedHash("twinlock/user-subject/v1", permitHash, hashWords(handles))

/** What an approval binds of its sessions: keccak256 over the ids in the order of the handles. */
export const sessionsHash = (sessions: readonly SessionId[]): Digest => hashWords(sessions)
