/** An aggregator's attempt (protocol §6.3): one fixed list, its shares, and what comes of them. Pure. */
import { quorum } from "@twinlock/sdk/protocol/committee"
import { culprits } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { SignatureShare, SigningRequest } from "@twinlock/sdk/protocol/messages"
import { type GroupSignature, type PublicKeyPackage, toEthereum } from "@twinlock/sdk/threshold/frost"
import { aggregate } from "@twinlock/sdk/threshold/frostSign"
import { type KeySeat, signAs } from "../seat.ts"
import { type Batch, batchDigest } from "./batch.ts"
import type { CommitmentBook } from "./commitmentBook.ts"

export type SigningAttempt = {
  readonly batch: Batch
  readonly request: SigningRequest
  /** Digest of the request: what shares answer. */
  readonly digest: Digest
  readonly shares: Map<PartyIndex, Uint8Array>
}

export type AttemptOutcome =
  | { readonly status: "waiting"; readonly missing: readonly PartyIndex[] }
  | { readonly status: "signed"; readonly signature: GroupSignature; readonly signers: readonly PartyIndex[] }
  | { readonly status: "failed"; readonly culprits: readonly PartyIndex[] }

/**
 * The list of the next attempt: this node and the first candidates with an unused commitment, ascending.
 * @param candidates parties that approved, are live, and were not silent or caught, best first
 * @param own makes this node's own commitment, once the others are found
 * @returns null where they are no quorum
 */
export function chooseSigners(
  seat: KeySeat,
  candidates: readonly PartyIndex[],
  book: CommitmentBook,
  own: () => Uint8Array,
): SigningRequest["signers"] | null {
  const others = candidates
    .filter((party) => party !== seat.self && book.offers(party))
    .slice(0, quorum(seat.committee) - 1)
  if (others.length < quorum(seat.committee) - 1) return null
  const signers = others.flatMap((party) => {
    const commitment = book.take(party)
    return commitment === null ? [] : [{ party, commitment }]
  })
  return [...signers, { party: seat.self, commitment: own() }].sort((a, b) => a.party - b.party)
}

export function signingRequest(
  seat: KeySeat,
  batch: Batch,
  signers: SigningRequest["signers"],
  attempt: number,
): SigningRequest {
  const subjects = batch.results.map(({ requestId }) => requestId)
  return signAs<SigningRequest>(seat, {
    kind: "signing-request",
    attempt,
    subjects,
    root: batch.root,
    signers,
  })
}

/** Takes a share that answers this attempt; a second one of the same party is dropped. */
export function addShare(attempt: SigningAttempt, share: SignatureShare): boolean {
  const listed = attempt.request.signers.some(({ party }) => party === share.party)
  if (share.request !== attempt.digest || !listed || attempt.shares.has(share.party)) return false
  attempt.shares.set(share.party, share.share)
  return true
}

/** What the shares so far amount to. */
export function outcomeOf(
  attempt: SigningAttempt,
  seat: KeySeat,
  publicKey: PublicKeyPackage,
): AttemptOutcome {
  const signers = attempt.request.signers.map(({ party }) => party)
  const missing = signers.filter((party) => !attempt.shares.has(party))
  if (missing.length > 0) return { status: "waiting", missing }
  const message = batchDigest(seat, attempt.batch, signers)
  try {
    const signature = toEthereum(
      aggregate({ publicKey, list: attempt.request.signers, message }, attempt.shares),
    )
    return { status: "signed", signature, signers }
  } catch (error) {
    return { status: "failed", culprits: culprits(error) }
  }
}
