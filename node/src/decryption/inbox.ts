/**
 * What peers said about subjects that this node has not judged yet. Each party has a share of memory of its own: a party
 * that floods the inbox with subjects that nobody else knows pushes out only its own words, and peers repeat theirs.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Approval, DecryptionShare } from "@twinlock/sdk/protocol/messages"
import { sessionsHash } from "@twinlock/sdk/protocol/subjects"

export type EarlyMessage = Approval | DecryptionShare

export type Inbox = {
  /** Keeps a verified message: a party's newest approval of the same sessions, its first share of each session. */
  keep(message: EarlyMessage): void
  /** Everything about a subject, which is then forgotten here. */
  take(subject: Digest): readonly EarlyMessage[]
}

type Shelf = { bytes: number; readonly subjects: Map<Digest, Map<string, EarlyMessage>> }

/** Bytes of one party: about a thousand shares of 64 blocks. */
export const BYTES_PER_PARTY: number = 4 * 1024 * 1024
/** What a message costs beside its payload. */
const OVERHEAD = 512

function sizeOf(message: EarlyMessage): number {
  switch (message.kind) {
    case "approval":
      return OVERHEAD + 66 * message.sessions.length + concatBytes(...message.commitments).length
    case "decryption-share":
      return OVERHEAD + message.share.length
    default:
      return assertNever(message)
  }
}

export function createInbox(bytesPerParty: number = BYTES_PER_PARTY): Inbox {
  const shelves = new Map<PartyIndex, Shelf>()

  function remove(shelf: Shelf, subject: Digest): readonly EarlyMessage[] {
    const messages = [...(shelf.subjects.get(subject)?.values() ?? [])]
    for (const message of messages) shelf.bytes -= sizeOf(message)
    shelf.subjects.delete(subject)
    return messages
  }

  return {
    keep(message) {
      const { party, subject } = message
      const shelf = shelves.get(party) ?? { bytes: 0, subjects: new Map() }
      shelves.set(party, shelf)
      const page = shelf.subjects.get(subject) ?? new Map<string, EarlyMessage>()
      shelf.subjects.set(subject, page)
      // An approval that contradicts an earlier one stands beside it, as evidence.
      const name =
        message.kind === "approval" ? `approval ${sessionsHash(message.sessions)}` : message.sessionId
      const known = page.get(name)
      if (known?.kind === "decryption-share") return
      shelf.bytes += sizeOf(message) - (known === undefined ? 0 : sizeOf(known))
      page.set(name, message)
      for (const oldest of shelf.subjects.keys()) {
        if (shelf.bytes <= bytesPerParty) break
        remove(shelf, oldest)
      }
    },
    take: (subject) => [...shelves.values()].flatMap((shelf) => remove(shelf, subject)),
  }
}
