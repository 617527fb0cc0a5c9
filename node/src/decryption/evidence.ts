/**
 * Evidence against parties proven at fault (protocol §3): messages that they signed, as few as tell what they did. Bounded
 * per party: the first few faults tell as much as all of them. In memory only.
 */
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { GossipMessage } from "@twinlock/sdk/protocol/messages"
import { contradiction, type FaultEvidence } from "@twinlock/sdk/threshold/faultEvidence"

export type EvidenceShelf = {
  /** @param proof signed encodings; absent: what the party said about the subject lately */
  note(party: PartyIndex, subject: Digest, proof?: readonly Uint8Array[]): void
  all(): readonly FaultEvidence[]
}

/** Faults of one party that are kept. */
const PER_PARTY = 4
/** Messages of a fault that no two of them show: enough for the approval and the shares of a subject. */
const PER_FAULT = 3

/** @param said newest signed messages of a party */
export function createEvidenceShelf(said: (party: PartyIndex) => readonly Uint8Array[]): EvidenceShelf {
  const shelf: FaultEvidence[] = []

  function saidOf(party: PartyIndex, subject: Digest): readonly Uint8Array[] {
    const about = said(party)
      .map(decodeMessage)
      .filter((message) => subjectsOf(message).includes(subject))
    return (contradiction(about) ?? about.slice(-PER_FAULT)).map(encodeMessage)
  }

  return {
    note(party, subject, proof) {
      if (shelf.filter((item) => item.party === party).length >= PER_PARTY) return
      shelf.push({ party, subject, messages: proof ?? saidOf(party, subject) })
    },
    all: () => [...shelf],
  }
}

/** Subjects of which a message speaks. */
function subjectsOf(message: GossipMessage): readonly string[] {
  switch (message.kind) {
    case "approval":
      return message.approved.map(({ subject }) => subject)
    case "decryption-shares":
      return message.shares.map(({ subject }) => subject)
    case "signing-request":
    case "certificate-announcement":
    case "endorsement":
    case "fresh-quote":
      return message.subjects
    case "signature-share":
      return []
    default:
      return assertNever(message)
  }
}
