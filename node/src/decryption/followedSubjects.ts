/**
 * The subjects that an engine follows: in full while there is work on them, the newest opened ones a while longer, and a stub
 * of what was opened before. So what is kept does not grow with how long the chain takes to settle requests.
 */
import type { Committee } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { type HeardSince, needsAnswer } from "./answers.ts"
import type { Authorised } from "./authorisePublic.ts"
import { createOpenedSubjects } from "./openedSubjects.ts"
import { fallSilent, type OwnWord, repeatSoon, speakAgain } from "./ownWord.ts"
import { type ApprovalStatement, isOlder } from "./statement.ts"
import { createStubs, type Stubs } from "./stubs.ts"
import { type Subject, type SubjectStatus, shareBytesOf } from "./subject.ts"

/** @typeParam O the owner. @property heard approvals since the result was certified; null before */
export type Followed<O> = {
  state: Subject
  owner: O
  readonly word: OwnWord
  heard: HeardSince | null
  /** How often each party approved anew. */
  readonly anew: Map<PartyIndex, number>
}

export type FollowedSubjects<O> = {
  readonly stubs: Stubs<O>
  /** Undefined for what is not followed, and where a stub is left. */
  get(subject: Digest): Followed<O> | undefined
  all(): readonly Followed<O>[]
  add(followed: Followed<O>): void
  delete(subject: Digest): void
  clear(): void
  /** What was authorised, also where a stub is left. */
  authorised(subject: Digest): Authorised | null
  status(subject: Digest): SubjectStatus | null
  /** It was opened: takes a place among the newest, and leaves stubs of those that lose theirs. */
  opened(followed: Followed<O>): void
  /** Its result has a certificate: nothing is said about it any more unless a peer needs it. */
  certified(subject: Digest): void
  /** The certificate fell. */
  uncertified(subject: Digest): void
  /**
   * A peer's approval: where it shows that the peer lacks own word, that is said again.
   * @param isKnown these very bytes were heard before, and count @param now milliseconds
   */
  approvedBy(approval: ApprovalStatement, isKnown: boolean, now: number): void
  kept(): { readonly subjects: number; readonly stubs: number; readonly openedShareBytes: number }
}

/** Approvals of one party that bring repeats of own word forward: a seat that always makes new ones sets no pace. */
const ANEW = 8

function isAnew({ state, anew }: Followed<unknown>, approval: ApprovalStatement): boolean {
  const known = state.approvals.get(approval.party)
  if (known !== undefined && isOlder(approval, known)) return false
  if (known?.commitments.join() === approval.commitments.join()) return false
  const times = (anew.get(approval.party) ?? 0) + 1
  anew.set(approval.party, times)
  return times <= ANEW
}

/** Shares that opened subjects keep, to judge late ones by. */
const OPENED_SHARE_BYTES = 16 * 1024 * 1024

/** @param inFull opened subjects that are kept in full */
export function createFollowedSubjects<O>(committee: Committee, inFull: number): FollowedSubjects<O> {
  const entries = new Map<Digest, Followed<O>>()
  const newest = createOpenedSubjects({ subjects: inFull, shareBytes: OPENED_SHARE_BYTES })
  const stubs = createStubs<O>()

  return {
    stubs,
    get: (subject) => entries.get(subject),
    all: () => [...entries.values()],
    add: (followed) => void entries.set(followed.state.id, followed),
    delete(subject) {
      newest.delete(subject)
      entries.delete(subject)
      stubs.delete(subject)
    },
    clear: () => entries.clear(),
    authorised: (subject) => (entries.get(subject)?.state ?? stubs.get(subject))?.authorised ?? null,
    status: (subject) =>
      entries.get(subject)?.state.status ?? (stubs.get(subject) === null ? null : "opened"),
    opened({ state }) {
      for (const subject of newest.add(state.id, shareBytesOf(state, committee))) {
        const old = entries.get(subject)
        entries.delete(subject)
        if (old !== undefined) stubs.add({ authorised: old.state.authorised, owner: old.owner })
      }
    },
    certified(subject) {
      const followed = entries.get(subject)
      if (followed?.state.status !== "opened") return
      followed.heard ??= new Map()
      fallSilent(followed.word)
    },
    uncertified(subject) {
      const followed = entries.get(subject)
      if (followed === undefined) return stubs.ask(subject)
      followed.heard = null
      speakAgain(followed.word)
    },
    approvedBy(approval, isKnown, now) {
      const { subject, party } = approval
      const followed = entries.get(subject)
      if (followed === undefined) return stubs.heard(subject, party, now)
      const { word, heard } = followed
      // Whoever approves anew may have missed what was said before.
      if (heard === null ? !isKnown && isAnew(followed, approval) : needsAnswer(heard, party, now))
        repeatSoon(word)
    },
    kept: () => ({ subjects: entries.size, stubs: stubs.size, openedShareBytes: newest.bytes }),
  }
}
