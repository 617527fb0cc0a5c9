/**
 * Blame file: a failed attempt and the roots that its parties revealed. Whoever has it can replay the ceremony. The file
 * is believed only as far as its signatures reach.
 *
 * No honest party can be framed by choosing what goes into it: its headers stand on the digests of all headers of the
 * rounds before, so it is judged by what it had really received.
 */
import { Reader, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { recoverSigner, type SignerRecovery } from "@twinlock/sdk/protocol/signature"
import { type Attempt, proposalDigestOf } from "../attempt.ts"
import { bytesDigest } from "../digest.ts"
import { type Header, roundDigest, verifyHeader } from "../header.ts"
import type { OpenMessage } from "../state.ts"
import type { KeygenRounds } from "../verify/keygenAudit.ts"
import { type PlannedRound, plannedRounds } from "../verify/order.ts"
import { checkRounds } from "../verify/rounds.ts"
import {
  blameError,
  committeeOf,
  DIGESTS_ROUND,
  decodeFailedAttempt,
  encodeFailedAttempt,
  type FailedAttempt,
} from "./failedAttempt.ts"
import { decodeReveal, encodeReveal, REVEAL_BYTES, type Reveal, verifyReveal } from "./reveal.ts"

export type BlameFile = { readonly failed: FailedAttempt; readonly reveals: readonly Reveal[] }

const MAGIC = utf8ToBytes("twinlock-blame-v1")
const MAX_ATTEMPT_BYTES = 64 * 1024 * 1024

export const encodeBlameFile = ({ failed, reveals }: BlameFile): Uint8Array =>
  new Writer()
    .raw(MAGIC)
    .bytes(encodeFailedAttempt(failed))
    .list(reveals, (writer, reveal) => writer.raw(encodeReveal(reveal)))
    .done()

/** Form only. @throws BLAME_FORM, CodecErrorCode, IdErrorCode */
export function decodeBlameFile(bytes: Uint8Array): BlameFile {
  const reader = new Reader(bytes)
  if (Buffer.compare(reader.take(MAGIC.length), MAGIC) !== 0)
    throw blameError("BLAME_FORM", "the file does not start as a blame file of version 1")
  const failed = decodeFailedAttempt(reader.bytes(MAX_ATTEMPT_BYTES))
  const reveals = reader.list(MAX_PARTIES, (inner) => decodeReveal(inner.take(REVEAL_BYTES)))
  reader.end()
  return { failed, reveals }
}

/** What all parties signed, round by round, and the roots that they revealed. */
export type Evidence = {
  readonly attempt: Attempt
  readonly plan: readonly PlannedRound[]
  /** By party; empty after the last round that anybody signed for. */
  headers(round: number): ReadonlyMap<PartyIndex, Header>
  /** Broadcasts of {@link DIGESTS_ROUND}. */
  readonly digestLists: ReadonlyMap<PartyIndex, Uint8Array>
  readonly roots: ReadonlyMap<PartyIndex, Uint8Array>
}

/** @param keygen names of the engine's rounds @throws BLAME_INVALID, COMMITTEE_SIZE, COMMITTEE_PARTIES */
export function openBlameFile(
  { failed, reveals }: BlameFile,
  keygen: KeygenRounds,
  recover: SignerRecovery = recoverSigner,
): Evidence {
  const committee = committeeOf(failed)
  const attempt: Attempt = {
    committee,
    self: parsePartyIndex(1, committee.n),
    attempt: failed.attempt,
    proposalDigest: proposalDigestOf(failed.keyId, failed.proposal),
  }
  const plan = plannedRounds(committee, keygen)
  return invalid(() => {
    checkRounds({ attempt, bundle: failed }, recover)
    checkPlan(failed, plan)
    const open = openRound(failed, attempt, recover)
    const digestsRound = plan.findIndex(({ name }) => name === DIGESTS_ROUND)
    const rounds = [
      ...failed.records.map(({ headers }) => new Map(headers.map(({ header }) => [header.party, header]))),
      new Map([...open].map(([party, { header }]) => [party, header.header])),
    ]
    return {
      attempt,
      plan,
      headers: (round) => rounds[round] ?? new Map(),
      digestLists: digestListsOf(failed, open, digestsRound),
      roots: rootsOf(reveals, failed, recover),
    }
  })
}

/** Gives whatever is wrong with a file's content one code. */
function invalid<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isProtocolError(error)) throw error
    throw blameError("BLAME_INVALID", error.detail.message)
  }
}

function checkPlan({ records }: FailedAttempt, plan: readonly PlannedRound[]): void {
  for (const [at, { name, headers }] of records.entries()) {
    const planned = plan[at]
    if (planned?.name !== name)
      throw blameError("BLAME_INVALID", `round ${at} must be ${planned?.name}, is ${name}`)
    const spoke = headers.map(({ header }) => header.party)
    if (spoke.join() !== planned.speakers.join())
      throw blameError("BLAME_INVALID", `in round ${name} parties ${planned.speakers} speak, not ${spoke}`)
  }
}

/** Headers of the round that did not end here. One that stands on other rounds before says nothing about these. */
function openRound(
  { records, open }: FailedAttempt,
  attempt: Attempt,
  recover: SignerRecovery,
): ReadonlyMap<PartyIndex, OpenMessage> {
  const { keyId } = attempt.committee
  const last = records.at(-1)
  const previous =
    last === undefined
      ? attempt.proposalDigest
      : roundDigest(keyId, attempt.attempt, last.round, last.headers)
  const found = new Map<PartyIndex, OpenMessage>()
  for (const message of open) {
    const { header, broadcast } = message
    verifyHeader(header, attempt.committee, attempt.attempt, recover)
    const { party, round, broadcastHash } = header.header
    if (round !== records.length || found.has(party))
      throw blameError("BLAME_INVALID", `the header of party ${party} belongs elsewhere`)
    if (broadcast !== null && bytesDigest(broadcast) !== broadcastHash)
      throw blameError("BLAME_INVALID", `the broadcast of party ${party} is not the one that it signed`)
    if (header.header.previous === previous) found.set(party, message)
  }
  return found
}

function digestListsOf(
  { records }: FailedAttempt,
  open: ReadonlyMap<PartyIndex, OpenMessage>,
  round: number,
): ReadonlyMap<PartyIndex, Uint8Array> {
  const record = records[round]
  if (record !== undefined && record.broadcasts === null)
    throw blameError("BLAME_INVALID", `round ${DIGESTS_ROUND} lacks its broadcasts`)
  const under = records.length === round ? [...open] : []
  const entries =
    record === undefined
      ? under.map(([party, { broadcast }]) => [party, broadcast] as const)
      : record.headers.map(({ header }, at) => [header.party, record.broadcasts?.[at] ?? null] as const)
  return new Map(entries.flatMap(([party, bytes]) => (bytes === null ? [] : [[party, bytes] as const])))
}

function rootsOf(
  reveals: readonly Reveal[],
  failed: FailedAttempt,
  recover: SignerRecovery,
): ReadonlyMap<PartyIndex, Uint8Array> {
  const roots = new Map<PartyIndex, Uint8Array>()
  for (const reveal of reveals) {
    verifyReveal(reveal, failed, recover)
    if (roots.has(reveal.party)) throw blameError("BLAME_INVALID", `party ${reveal.party} reveals twice`)
    roots.set(reveal.party, reveal.root)
  }
  return roots
}
