/** What the types of gossip messages cannot say (protocol §6): counts, lengths, order; the same in both directions. */
import { MAX_PARTIES, partiesOfBitmap } from "./committee.ts"
import { assertNever, ProtocolError } from "./errors.ts"
import { MAX_BLOCKS, SHARE_BYTES_PER_BLOCK } from "./fheType.ts"
import type { PartyIndex, RequestId } from "./ids.ts"
import {
  COMMITMENT_PAIR_BYTES,
  type CommitmentPair,
  type GossipMessage,
  MAX_APPROVED_SESSIONS,
  MAX_BATCH,
  MAX_COMMITMENTS,
  MAX_EVIDENCE_BYTES,
  MAX_ITEMS,
  MAX_SESSIONS,
  MAX_SHARE_BYTES,
} from "./messages.ts"
import { SIGNATURE_BYTES } from "./signature.ts"

const isAscending = (parties: readonly PartyIndex[]): boolean =>
  parties.every((party, i) => i === 0 || party > (parties[i - 1] ?? 0))

/** @throws MESSAGE_FORM, COMMITTEE_BITMAP */
export function assertForm(message: GossipMessage): void {
  const want = (holds: boolean, rule: string) => {
    if (!holds) throw new ProtocolError({ code: "MESSAGE_FORM", message: `${message.kind}: ${rule}` })
  }
  const pairs = (items: readonly CommitmentPair[]) => {
    want(items.length <= MAX_COMMITMENTS, `at most ${MAX_COMMITMENTS} commitments`)
    want(
      items.every((pair) => pair.length === COMMITMENT_PAIR_BYTES),
      "a commitment pair has 66 bytes",
    )
  }
  const subjects = (ids: readonly RequestId[]) => {
    want(ids.length >= 1 && ids.length <= MAX_BATCH, `want 1..${MAX_BATCH} subjects, got ${ids.length}`)
    want(new Set(ids).size === ids.length, "subjects must be distinct")
  }
  const items = (count: number) =>
    want(count >= 1 && count <= MAX_ITEMS, `want 1..${MAX_ITEMS} items, got ${count}`)
  want(message.signature.length === SIGNATURE_BYTES, `a signature has ${SIGNATURE_BYTES} bytes`)
  switch (message.kind) {
    case "approval": {
      const { approved } = message
      items(approved.length)
      for (const { sessions } of approved)
        want(
          sessions.length >= 1 && sessions.length <= MAX_SESSIONS,
          `want 1..${MAX_SESSIONS} sessions, got ${sessions.length}`,
        )
      const all = approved.reduce((sum, { sessions }) => sum + sessions.length, 0)
      want(all <= MAX_APPROVED_SESSIONS, `at most ${MAX_APPROVED_SESSIONS} sessions in all, got ${all}`)
      want(
        new Set(approved.map(({ subject }) => subject)).size === approved.length,
        "subjects must be distinct",
      )
      pairs(message.commitments)
      return
    }
    case "decryption-shares": {
      const { shares } = message
      items(shares.length)
      for (const { share } of shares) {
        const blocks = share.length / SHARE_BYTES_PER_BLOCK
        want(
          Number.isInteger(blocks) && blocks >= 1 && blocks <= MAX_BLOCKS,
          `bad share length ${share.length}`,
        )
      }
      const bytes = shares.reduce((sum, { share }) => sum + share.length, 0)
      want(bytes <= MAX_SHARE_BYTES, `at most ${MAX_SHARE_BYTES} share bytes, got ${bytes}`)
      const names = new Set(shares.map(({ subject, sessionId }) => subject + sessionId))
      want(names.size === shares.length, "no session of a subject twice")
      return
    }
    case "signing-request": {
      subjects(message.subjects)
      want(message.signers.length >= 1, "want at least one signer")
      want(isAscending(message.signers.map(({ party }) => party)), "signers must ascend")
      want(
        message.signers.every(({ commitment }) => commitment.length === COMMITMENT_PAIR_BYTES),
        "a commitment pair has 66 bytes",
      )
      return
    }
    case "signature-share":
      want(message.share.length === 32, `a signature share has 32 bytes, got ${message.share.length}`)
      pairs(message.commitments)
      return
    case "certificate-announcement":
      subjects(message.subjects)
      partiesOfBitmap(message.signers, MAX_PARTIES)
      want(message.signers > 0n, "want at least one signer")
      want(message.s >= 0n && message.s >> 256n === 0n, "s must fit in 32 bytes")
      return
    case "endorsement":
      subjects(message.subjects)
      want(message.endorsement.length === SIGNATURE_BYTES, `an endorsement has ${SIGNATURE_BYTES} bytes`)
      return
    case "fresh-quote": {
      subjects(message.subjects)
      const { length } = message.evidence
      want(
        length >= 1 && length <= MAX_EVIDENCE_BYTES,
        `want 1..${MAX_EVIDENCE_BYTES} bytes of evidence, got ${length}`,
      )
      return
    }
    default:
      assertNever(message)
  }
}
