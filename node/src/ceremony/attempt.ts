/**
 * One attempt at one key (protocol §4): who takes part and what was proposed. Public data.
 * A retry is a new proposal with a new key id; nothing of an attempt is ever resumed.
 */
import { hashWords, taggedHash, type Word } from "@twinlock/sdk/protocol/codec"
import type { Committee } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, KeyId, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { KeyProposal } from "../chain/chainView.ts"

export type CeremonyErrorCode =
  /** bytes on a ceremony protocol do not decode, or do not match the signed header that carries them. */
  | "CEREMONY_GARBLED"
  /** the channel's peer is not the party that the message names, or not one that speaks in this round. */
  | "CEREMONY_FOREIGN"
  /** a signature does not verify under the seat signer. */
  | "CEREMONY_BAD_SIGNATURE"
  /** a message that no honest party can send yet: more than one round ahead, or after the last round. */
  | "CEREMONY_OUT_OF_ORDER"
  /** two different headers of one party for one round, both signed by it. */
  | "CEREMONY_EQUIVOCATION"
  /** a header that stands on another previous round than the agreed one, or an echo of other headers. */
  | "CEREMONY_WRONG_ECHO"
  /** a speaker's message did not arrive before the round's time was up. */
  | "CEREMONY_NO_MESSAGE"
  /** a party's echo did not arrive before the round's time was up. */
  | "CEREMONY_NO_ECHO"
  /** this node did not finish its own work in time. */
  | "CEREMONY_SLOW"
  /** a check of the round's content failed; `check` holds the inner code. */
  | "CEREMONY_CHECK_FAILED"
  /** a peer aborted; what it claims is kept apart from what this node has seen itself. */
  | "CEREMONY_PEER_ABORTED"
  /** the last word of who follows an abort, or is missed, before it has sent its own message of the round. */
  | "CEREMONY_UNSPOKEN"
  /** the same, before it has sent its echo of the round. */
  | "CEREMONY_UNECHOED"
  /** the process stopped or restarted while the attempt ran. */
  | "CEREMONY_STOPPED"
  /** the proposal was discarded on chain. */
  | "CEREMONY_DISCARDED"
  /** the proposal's deadline passed on chain. */
  | "CEREMONY_EXPIRED"
  /** the chain shows another activation than the one that this party signed. */
  | "CEREMONY_OTHER_ACTIVATION"

export const refuse = (
  code: CeremonyErrorCode,
  message: string,
  culprits: readonly PartyIndex[] = [],
): ProtocolError => new ProtocolError({ code, message, culprits })

/** The one attempt at a key: a retry is a new proposal with a new key id. The number stays part of what is signed. */
export const ONLY_ATTEMPT = 1

export type Attempt = {
  readonly committee: Committee
  readonly self: PartyIndex
  /** From 1; part of every signed byte and of every stream's key. */
  readonly attempt: number
  /** What the first round stands on: parties with different views of the proposal do not get past it. */
  readonly proposalDigest: Digest
}

/** Binds every field of the proposal that this node has read from the chain. */
export function proposalDigestOf(keyId: KeyId, proposal: KeyProposal): Digest {
  const { n, t, k, parties, executors, parametersHash, host, deadline } = proposal
  const words: readonly Word[] = [
    keyId,
    n,
    t,
    k,
    hashWords(parties),
    hashWords(executors),
    parametersHash,
    host.chainId,
    host.coprocessor,
    host.gateway,
    deadline,
  ]
  return taggedHash("twinlock/ceremony-proposal/v1", ...words)
}

/** Signs digests with the seat signer of this node. **Security:** the key stays behind it. */
export type SeatSigner = (digest: Digest) => Promise<Uint8Array>
