/**
 * What this node itself says about subjects (protocol §6): approvals and shares, each message for as many subjects as
 * became ready together, said again more and more seldom while it is of use. A message is said again as it is, so that
 * peers know it by its bytes; only one that speaks of subjects no longer followed, or whose commitments are used, is made
 * anew.
 */
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type {
  Approval,
  CommitmentPair,
  DecryptionShares,
  GossipMessage,
  SessionShare,
} from "@twinlock/sdk/protocol/messages"
import type { Authorised } from "./authorisePublic.ts"
import { approvalMessages, shareMessages } from "./messageBatches.ts"
import { type KeySeat, signAs } from "./seat.ts"
import type { ApprovalStatement } from "./statement.ts"

/** Commitments to ride on an approval; `previous` are those of the one so far, kept while they are unused. */
export type Commitments = (previous: readonly CommitmentPair[]) => readonly CommitmentPair[]

/** What was said about one subject. */
export type OwnWord = {
  readonly authorised: Authorised
  readonly commitments: Commitments
  approval: Approval
  shares: readonly DecryptionShares[]
  /** Ticks until the next repeat, and the pause after it. */
  due: number
  pause: number
  /** The subject is certified: nothing is said again unless a peer needs it. */
  quiet: boolean
}

export type OwnWords = {
  /** Signs and says approvals of subjects that have none yet. */
  approve(authorised: readonly Authorised[], commitments: Commitments): readonly OwnWord[]
  /** Signs and says shares of followed subjects. @returns what was said */
  share(shares: readonly SessionShare[]): readonly DecryptionShares[]
  /** Says the approvals of these subjects once more, now. */
  renew(words: readonly OwnWord[]): void
  /** One tick: says again what is due. */
  tick(words: Iterable<OwnWord>): void
}

/** Longest pause between two repeats, in ticks. */
const MAX_TICKS = 16

/** This node's approval of the subject, as a statement like any other. */
export const approvalIn = ({ authorised, approval }: OwnWord): ApprovalStatement => ({
  kind: "approval",
  party: approval.party,
  subject: authorised.subject,
  sessions: authorised.ciphertexts.map(({ session }) => session),
  blockNumber: approval.blockNumber,
  commitments: approval.commitments,
})

/** The next repeat comes soon, and the ones after it more and more seldom. */
export function repeatSoon(word: OwnWord): void {
  word.due = 1
  word.pause = 1
}

/** No repeat any more, but for one at a time where {@link repeatSoon} asks for it. */
export function fallSilent(word: OwnWord): void {
  word.quiet = true
  word.due = Number.POSITIVE_INFINITY
}

export function speakAgain(word: OwnWord): void {
  word.quiet = false
  repeatSoon(word)
}

/** @param of what was said about a subject, while it is followed */
export function createOwnWords(
  seat: KeySeat,
  publish: (message: GossipMessage) => void,
  of: (subject: Digest) => OwnWord | undefined,
): OwnWords {
  const approvalOf = (
    batch: readonly Authorised[],
    { number, hash }: Authorised["at"],
    commitments: readonly CommitmentPair[],
  ): Approval =>
    signAs<Approval>(seat, {
      kind: "approval",
      approved: batch.map(({ subject, ciphertexts }) => ({
        subject,
        sessions: ciphertexts.map(({ session }) => session),
      })),
      blockNumber: number,
      blockHash: hash,
      verdict: 1,
      commitments,
    })

  function sayShares(shares: readonly SessionShare[]): readonly DecryptionShares[] {
    const messages = shareMessages(shares).map((batch) =>
      signAs<DecryptionShares>(seat, { kind: "decryption-shares", shares: batch }),
    )
    for (const message of messages) publish(message)
    return messages
  }

  /** Approvals of these words as they should be said now, each message once. */
  function renew(words: readonly OwnWord[]): void {
    for (const [approval, group] of groupedBy(words, (word) => [word.approval])) {
      const [first] = group
      if (first === undefined) continue
      const wanted = first.commitments(approval.commitments)
      const complete = approval.approved.every(({ subject }) => of(subject)?.approval === approval)
      if (complete && wanted === approval.commitments) {
        publish(approval)
        continue
      }
      const { blockNumber: number, blockHash: hash } = approval
      const at = { ...first.authorised.at, number, hash }
      const anew = approvalOf(
        group.map(({ authorised }) => authorised),
        at,
        wanted,
      )
      for (const word of group) word.approval = anew
      publish(anew)
    }
  }

  function shareAgain(words: readonly OwnWord[]): void {
    const ours = new Set(words.map(({ authorised }) => authorised.subject))
    for (const [message, group] of groupedBy(words, ({ shares }) => shares)) {
      if (message.shares.every(({ subject }) => of(subject)?.shares.includes(message))) {
        publish(message)
        continue
      }
      const anew = sayShares(message.shares.filter(({ subject }) => ours.has(subject)))
      for (const word of group) word.shares = word.shares.flatMap((old) => (old === message ? anew : [old]))
    }
  }

  return {
    approve(authorised, commitments) {
      return approvalMessages(authorised).flatMap((batch) => {
        const [first] = batch
        if (first === undefined) return []
        const approval = approvalOf(batch, first.at, commitments([]))
        publish(approval)
        return batch.map((item): OwnWord => {
          return { authorised: item, commitments, approval, shares: [], due: 1, pause: 1, quiet: false }
        })
      })
    },
    share(shares) {
      const messages = sayShares(shares)
      for (const message of messages)
        for (const subject of new Set(message.shares.map((item) => item.subject))) {
          const word = of(subject)
          if (word !== undefined) word.shares = [...word.shares, message]
        }
      return messages
    },
    renew,
    tick(words) {
      const due: OwnWord[] = []
      for (const word of words) {
        word.due -= 1
        if (word.due > 0) continue
        word.pause = Math.min(2 * word.pause, MAX_TICKS)
        word.due = word.quiet ? Number.POSITIVE_INFINITY : word.pause
        due.push(word)
      }
      renew(due)
      shareAgain(due)
    },
  }
}

/** Words by the messages that they were said in. */
function groupedBy<M>(
  words: readonly OwnWord[],
  messagesOf: (word: OwnWord) => readonly M[],
): ReadonlyMap<M, readonly OwnWord[]> {
  const groups = new Map<M, OwnWord[]>()
  for (const word of words)
    for (const message of messagesOf(word)) {
      const group = groups.get(message)
      if (group === undefined) groups.set(message, [word])
      else group.push(word)
    }
  return groups
}
