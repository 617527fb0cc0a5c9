/** Who makes a CRS on its own, and what was made so far (crs.md, silence). Public data. */
import { hashWords, type Reader, sha256Digest, taggedHash, Writer } from "@twinlock/sdk/protocol/codec"
import { assertCommitteeSize, MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import {
  type Address,
  type Digest,
  type PartyIndex,
  parseDigest,
  parsePartyIndex,
} from "@twinlock/sdk/protocol/ids"

export type CrsCommittee = {
  /** Names the ceremony, and with it the committee: every signature and every update is bound to it. */
  readonly ceremony: Digest
  readonly t: number
  /** Seat signer of party `index` at `index - 1`. */
  readonly parties: readonly Address[]
}

/** @param nonce never used before by these parties @throws COMMITTEE_SIZE */
export function crsCommittee(parties: readonly Address[], t: number, nonce: Digest): CrsCommittee {
  assertCommitteeSize(parties.length, t)
  return { ceremony: taggedHash("twinlock/crs-ceremony/v1", nonce, t, hashWords(parties)), t, parties }
}

/** One accepted update. */
export type Entry = {
  /** From 0; says whose it is: {@link partyOfTurn}. */
  readonly turn: number
  /** SHA-256 of the update's message. */
  readonly message: Digest
  /** What an auditor keeps of the message. */
  readonly link: Uint8Array
}

/** Accepted updates, in their order. The n-th one was made in round n, from 1. */
export type Updates = readonly Entry[]

/** Turns from n on are closing turns: their parties add nothing. */
export const isClosing = (turn: number, n: number): boolean => turn >= n

export const partyOfTurn = (turn: number, n: number): PartyIndex => parsePartyIndex((turn % n) + 1, n)

export const contributors = (updates: Updates, n: number): readonly PartyIndex[] =>
  updates.map(({ turn }) => partyOfTurn(turn, n))

/** A link is 304 bytes at every size. */
const MAX_LINK_BYTES = 512

export const writeUpdates = (writer: Writer, updates: Updates): Writer =>
  writer.list(updates, (inner, { turn, message, link }) => inner.uint(1, turn).hex(message).bytes(link))

/** @throws CodecErrorCode */
export const readUpdates = (reader: Reader): Updates =>
  reader.list(
    MAX_PARTIES,
    (inner): Entry => ({
      turn: inner.uint(1),
      message: parseDigest(inner.hex(32)),
      link: inner.bytes(MAX_LINK_BYTES),
    }),
  )

/** What is signed, and what salts the file. */
export const updatesDigest = (ceremony: Digest, updates: Updates): Digest =>
  taggedHash("twinlock/crs-updates/v1", ceremony, sha256Digest(writeUpdates(new Writer(), updates).done()))

/** Whether every update has a turn of its own, in order, none later than `last`. */
export const inOrder = (updates: Updates, last: number): boolean =>
  updates.every(({ turn }, at) => turn <= last && turn > (updates[at - 1]?.turn ?? -1))
