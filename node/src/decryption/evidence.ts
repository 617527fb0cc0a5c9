/**
 * Evidence against parties proven at fault (protocol §3): messages that they signed, as few as tell what they did. Bounded
 * per party: a few faults tell as much as all of them, those that a third party can judge before any others. In memory only.
 */
import { assertNever, isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { GossipMessage } from "@twinlock/sdk/protocol/messages"
import {
  contradiction,
  type Fault,
  type FaultContext,
  type FaultEvidence,
  provenFault,
} from "@twinlock/sdk/threshold/faultEvidence"

export type EvidenceShelf = {
  /** @param proof signed encodings; absent: what the party said about the subject lately */
  note(party: PartyIndex, subject: Digest, proof?: readonly Uint8Array[]): void
  all(): readonly FaultEvidence[]
}

/** Faults of one party that are kept. */
const PER_PARTY = 4
/** Messages of a fault that no two of them show: enough for the approval and the shares of a subject. */
const PER_FAULT = 3

/** Of use to a third party: at once, beside the results that the chain has, or beside what others said. */
const WORTH = { proven: 2, signed: 1, said: 0 } as const

type Noted = FaultEvidence & { readonly worth: number; readonly fault: Fault | null }

/** @param said newest signed messages of a party @param context public data of the key, without the chain's results */
export function createEvidenceShelf(
  said: (party: PartyIndex) => readonly Uint8Array[],
  context: FaultContext,
): EvidenceShelf {
  const shelves = new Map<PartyIndex, readonly Noted[]>()

  function fromSaid(party: PartyIndex, subject: Digest): Noted {
    const about = said(party)
      .map(decodeMessage)
      .filter((message) => subjectsOf(message).includes(subject))
    const two = contradiction(about)
    if (two !== null) return judged({ party, subject, messages: two.map(encodeMessage) })
    const messages = about.slice(-PER_FAULT).map(encodeMessage)
    return { party, subject, messages, worth: WORTH.said, fault: null }
  }

  function judged(evidence: FaultEvidence): Noted {
    const fault = faultIn(evidence, context)
    return { ...evidence, fault, worth: fault === null ? WORTH.signed : WORTH.proven }
  }

  return {
    note(party, subject, proof) {
      const shelf = shelves.get(party) ?? []
      // Judging costs signatures: not for a party that has proven enough.
      if (shelf.filter(({ worth }) => worth === WORTH.proven).length >= PER_PARTY) return
      const noted =
        proof === undefined ? fromSaid(party, subject) : judged({ party, subject, messages: proof })
      shelves.set(party, withNoted(shelf, noted))
    },
    all: () =>
      [...shelves.values()].flat().map(({ party, subject, messages }) => ({ party, subject, messages })),
  }
}

/** One entry for each fault of a subject; what is worth more takes the place of what is worth less. */
function withNoted(shelf: readonly Noted[], noted: Noted): readonly Noted[] {
  const { subject, worth, fault } = noted
  const same = shelf.filter((item) => item.subject === subject)
  if (same.some((item) => item.worth >= worth && (fault === null || item.fault === fault))) return shelf
  const least = (items: readonly Noted[]): Noted | undefined =>
    items.filter((item) => item.worth < worth).sort((a, b) => a.worth - b.worth)[0]
  const out = least(same) ?? (shelf.length < PER_PARTY ? undefined : least(shelf))
  if (out === undefined && shelf.length >= PER_PARTY) return shelf
  return [...shelf.filter((item) => item !== out), noted]
}

function faultIn(evidence: FaultEvidence, context: FaultContext): Fault | null {
  try {
    return provenFault(evidence, context)
  } catch (error) {
    if (isProtocolError(error)) return null
    throw error
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
