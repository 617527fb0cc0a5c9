/** An aggregator's attempt (protocol §6.3): one fixed list, its shares, and what comes of them. Pure. */
import { quorum } from "@twinlock/sdk/protocol/committee"
import { culprits } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type {
  CommitmentPair,
  SignatureShare,
  SigningRequest,
  Unsigned,
} from "@twinlock/sdk/protocol/messages"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import { type GroupSignature, type PublicKeyPackage, toEthereum } from "@twinlock/sdk/threshold/frost"
import { aggregate } from "@twinlock/sdk/threshold/frostSign"
import { type KeySeat, signAs } from "../seat.ts"
import { type Batch, batchDigest } from "./batch.ts"

export type SigningAttempt = {
  readonly request: SigningRequest
  /** Digest of the request: what shares answer. It covers batch, list and commitments. */
  readonly digest: Digest
  /** As their senders signed them: evidence against whoever answered wrongly. */
  readonly shares: Map<PartyIndex, SignatureShare>
}

export type AttemptOutcome =
  | { readonly status: "waiting"; readonly missing: readonly PartyIndex[] }
  | { readonly status: "signed"; readonly signature: GroupSignature; readonly signers: readonly PartyIndex[] }
  | { readonly status: "failed"; readonly culprits: readonly PartyIndex[] }

/**
 * The next list: this node and the first candidates with an unused commitment, ascending.
 * @param candidates best first
 * @param book gives an unused commitment of a party, which then is used
 * @param own makes this node's own commitment, once the others are found
 * @returns null where they are no quorum; no commitment is used then, or waiting for a signer would use up all of them
 */
export function chooseSigners(
  seat: KeySeat,
  candidates: readonly PartyIndex[],
  book: { offers(party: PartyIndex): boolean; take(party: PartyIndex): CommitmentPair | null },
  own: () => CommitmentPair,
): SigningRequest["signers"] | null {
  const wanted = quorum(seat.committee) - 1
  const able = candidates.filter((party) => party !== seat.self && book.offers(party)).slice(0, wanted)
  if (able.length < wanted) return null
  const others = able.flatMap((party) => {
    const commitment = book.take(party)
    return commitment === null ? [] : [{ party, commitment }]
  })
  return [...others, { party: seat.self, commitment: own() }].sort((a, b) => a.party - b.party)
}

export function createAttempt(
  seat: KeySeat,
  batch: Batch,
  signers: SigningRequest["signers"],
  attempt: number,
): SigningAttempt {
  const request = signAs<SigningRequest>(seat, {
    kind: "signing-request",
    attempt,
    subjects: batch.leaves.map(({ requestId }) => requestId),
    root: batch.root,
    signers,
  })
  return {
    request,
    digest: messageDigest(request as Unsigned<SigningRequest>, seat.signing),
    shares: new Map(),
  }
}

export const listed = ({ request }: SigningAttempt): readonly PartyIndex[] =>
  request.signers.map(({ party }) => party)

export const missing = (attempt: SigningAttempt): readonly PartyIndex[] =>
  listed(attempt).filter((party) => !attempt.shares.has(party))

/** Takes a share that answers this attempt; a second one of the same party is dropped. */
export function addShare(attempt: SigningAttempt, share: SignatureShare): boolean {
  if (
    share.request !== attempt.digest ||
    !listed(attempt).includes(share.party) ||
    attempt.shares.has(share.party)
  )
    return false
  attempt.shares.set(share.party, share)
  return true
}

/**
 * What the shares so far amount to. Culprits are those whose share, signed by their seat as the answer to this very
 * request, does not verify for its list and message: nothing else is held against anybody.
 */
export function outcomeOf(
  attempt: SigningAttempt,
  batch: Batch,
  seat: KeySeat,
  publicKey: PublicKeyPackage,
  curve?: CurveKernel,
): AttemptOutcome {
  const still = missing(attempt)
  if (still.length > 0) return { status: "waiting", missing: still }
  const signers = listed(attempt)
  const message = batchDigest(seat, batch, signers)
  const shares = new Map([...attempt.shares].map(([party, { share }]) => [party, share]))
  try {
    const signature = toEthereum(
      aggregate({ publicKey, list: attempt.request.signers, message }, shares, curve),
    )
    return { status: "signed", signature, signers }
  } catch (error) {
    return { status: "failed", culprits: culprits(error) }
  }
}
