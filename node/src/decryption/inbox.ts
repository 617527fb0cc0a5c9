/**
 * What peers said about subjects that this node has not judged yet. Each party has a share of memory of its own: a party
 * that floods the inbox with subjects that nobody else knows pushes out only its own words, and peers repeat theirs.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { sessionsHash } from "@twinlock/sdk/protocol/subjects"
import { isOlder, type Statement } from "./statement.ts"

export type Inbox = {
  /** Keeps a verified statement: a party's newest approval of the same sessions, its first share of each session. */
  keep(statement: Statement, isRepeat?: boolean): void
  /** Everything about a subject, which is then forgotten here. */
  take(subject: Digest): readonly Statement[]
  /** Bytes kept of all parties. */
  readonly bytes: number
}

type Shelf = { bytes: number; readonly subjects: Map<Digest, Map<string, Statement>> }

/** Bytes of one party: far more than an honest one can be ahead of this node. */
export const BYTES_PER_PARTY: number = 2 * 1024 * 1024
/** What a statement costs beside its payload. */
const OVERHEAD = 512

function sizeOf(statement: Statement): number {
  switch (statement.kind) {
    case "approval":
      return OVERHEAD + 66 * statement.sessions.length + concatBytes(...statement.commitments).length
    case "share":
      return OVERHEAD + statement.share.length
    default:
      return assertNever(statement)
  }
}

export function createInbox(bytesPerParty: number = BYTES_PER_PARTY): Inbox {
  const shelves = new Map<PartyIndex, Shelf>()

  function remove(shelf: Shelf, subject: Digest): readonly Statement[] {
    const statements = [...(shelf.subjects.get(subject)?.values() ?? [])]
    for (const statement of statements) shelf.bytes -= sizeOf(statement)
    shelf.subjects.delete(subject)
    return statements
  }

  return {
    keep(statement, isRepeat = false) {
      const { party, subject } = statement
      const shelf = shelves.get(party) ?? { bytes: 0, subjects: new Map() }
      shelves.set(party, shelf)
      const page = shelf.subjects.get(subject) ?? new Map<string, Statement>()
      shelf.subjects.set(subject, page)
      // An approval that contradicts an earlier one stands beside it, as evidence.
      const name =
        statement.kind === "approval" ? `approval ${sessionsHash(statement.sessions)}` : statement.sessionId
      const known = page.get(name)
      if (known?.kind === "share") return
      // What is played back replaces nothing.
      if (known !== undefined && (isRepeat || (statement.kind === "approval" && isOlder(statement, known))))
        return
      shelf.bytes += sizeOf(statement) - (known === undefined ? 0 : sizeOf(known))
      page.set(name, statement)
      for (const oldest of shelf.subjects.keys()) {
        if (shelf.bytes <= bytesPerParty) break
        remove(shelf, oldest)
      }
    },
    get bytes() {
      return [...shelves.values()].reduce((sum, shelf) => sum + shelf.bytes, 0)
    },
    take: (subject) => [...shelves.values()].flatMap((shelf) => remove(shelf, subject)),
  }
}
