/**
 * Gossip validation (protocol §6): a numbered list, cheap first, signature last but for what needs curve arithmetic
 * itself. Reject holds a fault against the sender; ignore drops what may be honest but is of no use here. An unknown
 * exception is an ignore.
 */
import { type Committee, partiesOfBitmap, quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import { assertNever, isProtocolError } from "@twinlock/sdk/protocol/errors"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { verifyMessage } from "@twinlock/sdk/protocol/messageSignature"
import type { GossipMessage, MessageKind } from "@twinlock/sdk/protocol/messages"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import { assertCommitment } from "@twinlock/sdk/threshold/frostRound"
import type { Validation } from "../p2p/network.ts"
import type { KeySeat } from "./seat.ts"

/** Faster kernels; the SDK's own where none is given. */
export type Kernels = {
  readonly recover?: SignerRecovery | undefined
  readonly curve?: CurveKernel | undefined
}

export type Validated<M> =
  | { readonly validation: "accept"; readonly message: M }
  | { readonly validation: Exclude<Validation, "accept"> }

/**
 * 1. [REJECT] the bytes are the one encoding of a message of the topic's kind, within its maximum
 * 2. [IGNORE] it is not this node's own message coming back
 * 3. [REJECT] whoever it lists are parties of the committee, and a list of signers is a quorum with its aggregator
 * 4. [REJECT] key and epoch are the topic's, the party is of the committee, and its seat signer signed it
 * 5. [REJECT] every commitment that the sender makes in it is a pair of points; those of others, in a list, count only
 *    where they came under their own party's signature
 */
export function validateMessage<K extends MessageKind>(
  kind: K,
  bytes: Uint8Array,
  seat: KeySeat,
  { recover, curve }: Kernels = {},
): Validated<Extract<GossipMessage, { kind: K }>> {
  try {
    const message = decodeMessage(bytes)
    if (message.kind !== kind) return { validation: "reject" }
    if (message.party === seat.self) return { validation: "ignore" }
    if (!namesQuorum(message, seat.committee)) return { validation: "reject" }
    verifyMessage(message, seat.signing, seat.committee, recover)
    assertCommitments(message, curve)
    return { validation: "accept", message: message as Extract<GossipMessage, { kind: K }> }
  } catch (error) {
    return { validation: isProtocolError(error) ? "reject" : "ignore" }
  }
}

/** @throws BAD_PARTY_INDEX, COMMITTEE_BITMAP where it names somebody outside the committee. */
function namesQuorum(message: GossipMessage, committee: Committee): boolean {
  switch (message.kind) {
    case "signing-request": {
      const parties = message.signers.map(({ party }) => party)
      for (const party of parties) signerOf(committee, party)
      return parties.length >= quorum(committee) && parties.includes(message.party)
    }
    case "certificate-announcement":
      return partiesOfBitmap(message.signers, committee.n).length >= quorum(committee)
    case "approval":
    case "decryption-shares":
    case "signature-share":
    case "endorsement":
    case "fresh-quote":
      return true
    default:
      return assertNever(message)
  }
}

/** @throws FROST_COMMITMENT */
function assertCommitments(message: GossipMessage, curve: CurveKernel | undefined): void {
  const { party } = message
  if (message.kind === "approval" || message.kind === "signature-share")
    for (const commitment of message.commitments) assertCommitment({ party, commitment }, curve)
  if (message.kind === "signing-request")
    for (const signer of message.signers) if (signer.party === party) assertCommitment(signer, curve)
}
