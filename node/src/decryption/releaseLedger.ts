/**
 * The only door through which a decryption share leaves (protocol §5, §8.5, §8.6). Check-and-insert of (handle, recipient)
 * → session: one handle given to one recipient always means one linear form, so a repeat yields byte-identical shares and
 * nothing can be averaged; another session for the same pair is an attack. And the key's life-long budget of blocks, since
 * hiding is statistical per block: booked once per session, because a repeat shows the same bytes again.
 *
 * Both are durable, in one write, before anything is sent. What is refused books nothing: nobody can use up a key's budget
 * with it.
 */
import { fromHex, Reader, taggedHash, toHex, Writer } from "@twinlock/sdk/protocol/codec"
import type { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest, Handle, SessionId } from "@twinlock/sdk/protocol/ids"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import type { NamedRecord, SealedStore } from "../storage/sealedStore.ts"
import { DEFAULT_BUDGET } from "./blockBudget.ts"
import { type DecryptionDetail, decryptionError } from "./errors.ts"

/** Who gets the plaintext: everybody, or the holder of one user's transport keys. */
export type Recipient = "public" | Address

/** What one subject gives to its recipient. */
export type Release = {
  readonly recipient: Recipient
  readonly ciphertexts: readonly {
    readonly handle: Handle
    readonly session: SessionId
    readonly blockCount: number
  }[]
}

/** "new" where anything was booked, "repeat" where all of it was; or why the release is refused. */
export type Booking = "new" | "repeat" | ProtocolError<DecryptionDetail>

export type ReleaseLedger = {
  /**
   * Judges and books each release by itself, all that hold in one durable step; answers in the order of `releases`.
   * Refusals are CONFLICTING_RELEASE and BLOCK_BUDGET_EXHAUSTED.
   * @throws StorageErrorCode: nothing is booked
   */
  book(releases: readonly Release[]): Promise<readonly Booking[]>
  /** Blocks booked so far. */
  spent(): Promise<number>
}

const RELEASE = "release"
const TOTAL = "block-budget"
const BOOKED = "block-budget-session"

const releaseName = (handle: Handle, recipient: Recipient): Digest =>
  taggedHash("twinlock/release/v1", handle, recipient === "public" ? 0 : recipient)

/** What one call of `book` has decided so far on top of the store. */
type Draft = {
  total: number
  readonly sessions: Map<string, SessionId>
  readonly booked: Map<SessionId, number>
}

/** @param name one budget per (key, epoch). Calls are serialised: no two judge on the same state. */
export function createReleaseLedger(
  store: SealedStore,
  name: string,
  limit: number = DEFAULT_BUDGET,
): ReleaseLedger {
  let last: Promise<unknown> = Promise.resolve()
  const serial = <T>(task: () => Promise<T>): Promise<T> => {
    const next = last.then(task, task)
    last = next.catch(() => {})
    return next
  }
  const readTotal = async () => {
    const bytes = await store.get(TOTAL, name)
    return bytes === null ? 0 : new Reader(bytes).uint(8)
  }
  const sessionOf = async (record: string, draft: Draft): Promise<SessionId | null> => {
    const drafted = draft.sessions.get(record)
    if (drafted !== undefined) return drafted
    const bytes = await store.get(RELEASE, record)
    return bytes === null ? null : parseSessionId(toHex(bytes))
  }

  /** Judges one release and, where it holds, adds it to the draft. */
  async function judge({ recipient, ciphertexts }: Release, draft: Draft): Promise<Booking> {
    const sessions = new Map<string, SessionId>()
    const booked = new Map<SessionId, number>()
    for (const { handle, session, blockCount } of ciphertexts) {
      const record = releaseName(handle, recipient)
      const known = sessions.get(record) ?? (await sessionOf(record, draft))
      if (known !== null && known !== session)
        return decryptionError(
          "CONFLICTING_RELEASE",
          `handle ${handle} was released to ${recipient} under session ${known}, not ${session}`,
        )
      if (known === null) sessions.set(record, session)
      const spent = draft.booked.has(session) || (await store.get(BOOKED, session)) !== null
      if (!spent) booked.set(session, blockCount)
    }
    const blocks = [...booked.values()].reduce((sum, count) => sum + count, 0)
    if (draft.total + blocks > limit)
      return decryptionError(
        "BLOCK_BUDGET_EXHAUSTED",
        `releasing ${blocks} blocks would exceed the key's budget of ${limit}`,
      )
    draft.total += blocks
    for (const [record, session] of sessions) draft.sessions.set(record, session)
    for (const [session, count] of booked) draft.booked.set(session, count)
    return sessions.size + booked.size > 0 ? "new" : "repeat"
  }

  return {
    book: (releases) =>
      serial(async () => {
        const draft: Draft = { total: await readTotal(), sessions: new Map(), booked: new Map() }
        const bookings: Booking[] = []
        for (const release of releases) bookings.push(await judge(release, draft))
        const records = recordsOf(name, draft)
        if (records.length > 0) await store.putMany(records)
        return bookings
      }),
    spent: () => serial(readTotal),
  }
}

function recordsOf(name: string, { total, sessions, booked }: Draft): readonly NamedRecord[] {
  const releases = [...sessions].map(([id, session]) => ({ kind: RELEASE, id, bytes: fromHex(session) }))
  const blocks = [...booked].map(([id, count]) => ({
    ...{ kind: BOOKED, id },
    bytes: new Writer().uint(4, count).done(),
  }))
  const totals = booked.size > 0 ? [{ kind: TOTAL, id: name, bytes: new Writer().uint(8, total).done() }] : []
  return [...releases, ...blocks, ...totals]
}
