/**
 * What was signed in an attempt that failed: the headers of every round, with those of the round in which it ended, and
 * the digests of contributions and sums. Public data; with everybody's root it says who lied (`replay.ts`).
 */
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { type Committee, createCommittee, MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Epoch, type KeyId, parseEpoch, parseKeyId } from "@twinlock/sdk/protocol/ids"
import type { KeyProposal, KeyRecord } from "../../chain/chainView.ts"
import type { Attempt } from "../attempt.ts"
import { readSignedHeader, writeSignedHeader } from "../header.ts"
import type { CeremonyState, OpenMessage, RoundRecord } from "../state.ts"
import { MAX_ROUNDS, readProposal, readRecord, writeProposal, writeRecord } from "../transcriptCodec.ts"

export type BlameErrorCode =
  /** not the form of a failed attempt, a reveal or a blame file. */
  | "BLAME_FORM"
  /** what the file holds was not signed by whom it names, or does not hang together. */
  | "BLAME_INVALID"
  /** a reveal of a key or a party that this node has no failed attempt with. */
  | "BLAME_FOREIGN"

export const blameError = (code: BlameErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export type FailedAttempt = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly attempt: number
  readonly proposal: KeyProposal
  /** Rounds that were over, in order. Broadcasts are kept of {@link DIGESTS_ROUND} alone. */
  readonly records: readonly RoundRecord[]
  /** Of the round after them. */
  readonly open: readonly OpenMessage[]
}

/** The round whose broadcasts a replay reads; of all others it compares hashes. */
export const DIGESTS_ROUND = "chunk-digests"

type Aborted = Pick<Extract<CeremonyState, { readonly status: "aborted" }>, "records" | "open">

/** @param names of all rounds, in order */
export function failedAttempt(
  { keyId, epoch, proposal }: Pick<KeyRecord, "keyId" | "epoch" | "proposal">,
  { attempt }: Pick<Attempt, "attempt">,
  { records, open }: Aborted,
  names: readonly string[],
): FailedAttempt {
  const kept = (name: string | undefined): boolean => name === DIGESTS_ROUND
  return {
    ...{ keyId, epoch, attempt, proposal },
    records: records.map((record) => (kept(record.name) ? record : { ...record, broadcasts: null })),
    open: kept(names[records.length]) ? open : open.map(({ header }) => ({ header, broadcast: null })),
  }
}

/** @throws COMMITTEE_SIZE, COMMITTEE_PARTIES */
export const committeeOf = ({ keyId, epoch, proposal }: FailedAttempt): Committee =>
  createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })

const MAGIC = utf8ToBytes("twinlock-failed-attempt-v1")
const MAX_OPEN_BYTES = 1024 * 1024

export function encodeFailedAttempt(failed: FailedAttempt): Uint8Array {
  const writer = new Writer().raw(MAGIC).hex(failed.keyId).uint(4, failed.epoch).uint(4, failed.attempt)
  writeProposal(writer, failed.proposal)
  return writer
    .list(failed.records, writeRecord)
    .list(failed.open, (inner, { header, broadcast }) => {
      writeSignedHeader(inner, header)
      inner.uint(1, broadcast === null ? 0 : 1)
      if (broadcast !== null) inner.bytes(broadcast)
    })
    .done()
}

/** Form only. @throws BLAME_FORM, CodecErrorCode, IdErrorCode */
export function decodeFailedAttempt(bytes: Uint8Array): FailedAttempt {
  const reader = new Reader(bytes)
  if (Buffer.compare(reader.take(MAGIC.length), MAGIC) !== 0)
    throw blameError("BLAME_FORM", "the bytes do not start as a failed attempt of version 1")
  const keyId = parseKeyId(reader.hex(32))
  const epoch = parseEpoch(reader.uint(4))
  const attempt = reader.uint(4)
  const proposal = readProposal(reader)
  const n = proposal.parties.length
  let round = 0
  const records = reader.list(MAX_ROUNDS, () => readRecord(reader, round++, n))
  const open = reader.list(MAX_PARTIES, (inner): OpenMessage => {
    const header = readSignedHeader(inner, n)
    const kept = inner.uint(1)
    if (kept > 1) throw blameError("BLAME_FORM", `kept must be 0 or 1, is ${kept}`)
    return { header, broadcast: kept === 0 ? null : inner.bytes(MAX_OPEN_BYTES) }
  })
  reader.end()
  return { keyId, epoch, attempt, proposal, records, open }
}
