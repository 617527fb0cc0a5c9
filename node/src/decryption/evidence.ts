/**
 * Evidence against parties proven at fault (protocol §3): their own signed messages about the subject. Bounded per party:
 * the first few faults tell as much as all of them.
 */
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { GossipMessage } from "@twinlock/sdk/protocol/messages"

export type Evidence = {
  readonly party: PartyIndex
  readonly subject: Digest
  /** Signed encodings, oldest first; without those that were said too long ago. */
  readonly messages: readonly Uint8Array[]
}

export type EvidenceShelf = {
  note(party: PartyIndex, subject: Digest): void
  all(): readonly Evidence[]
}

/** Faults of one party that are kept. */
const PER_PARTY = 4

/** @param said newest signed messages of a party */
export function createEvidenceShelf(said: (party: PartyIndex) => readonly Uint8Array[]): EvidenceShelf {
  const shelf: Evidence[] = []
  return {
    note(party, subject) {
      if (shelf.filter((item) => item.party === party).length >= PER_PARTY) return
      const messages = said(party).filter((payload) => subjectsOf(decodeMessage(payload)).includes(subject))
      shelf.push({ party, subject, messages })
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
