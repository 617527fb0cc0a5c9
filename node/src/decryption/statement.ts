/**
 * What one party said about one subject (protocol §6): messages speak of many subjects under one signature, subjects and
 * inbox work on single statements. One statement that is of no use spoils none of the others of its message.
 */
import type { Digest, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import type { Approval, CommitmentPair, DecryptionShares } from "@twinlock/sdk/protocol/messages"

export type ApprovalStatement = {
  readonly kind: "approval"
  readonly party: PartyIndex
  readonly subject: Digest
  readonly sessions: readonly SessionId[]
  /** Block of the judgement: an older word never replaces a newer one. */
  readonly blockNumber: bigint
  /** Those of the whole message: they tell a new word from a repeated one. */
  readonly commitments: readonly CommitmentPair[]
}

export type ShareStatement = {
  readonly kind: "share"
  readonly party: PartyIndex
  readonly subject: Digest
  readonly sessionId: SessionId
  readonly share: Uint8Array
}

export type Statement = ApprovalStatement | ShareStatement

export const approvalsIn = ({
  party,
  approved,
  blockNumber,
  commitments,
}: Approval): readonly ApprovalStatement[] =>
  approved.map(({ subject, sessions }) => ({
    ...{ kind: "approval", party, subject, sessions, blockNumber, commitments },
  }))

/** True for a word that the party said before the known one: somebody plays it back. */
export const isOlder = (approval: ApprovalStatement, known: ApprovalStatement): boolean =>
  approval.blockNumber < known.blockNumber

export const sharesIn = ({ party, shares }: DecryptionShares): readonly ShareStatement[] =>
  shares.map((item) => ({ kind: "share", party, ...item }))
