/**
 * Wire forms of the ceremony (protocol §4): a round's message, the echo of a round, an abort. Every form starts with
 * version, key id and attempt, is read strictly, and is checked in full (form, maxima, hashes, signatures, sender)
 * before the state machine sees it. Sealed payloads are opaque here: only their recipient opens them.
 */
import { hashWords, Reader, taggedHash, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES, signerOf } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  type Digest,
  type KeyId,
  type PartyIndex,
  parseKeyId,
  parsePartyIndex,
} from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES, type SignerRecovery, verifySignature } from "@twinlock/sdk/protocol/signature"
import { type Attempt, refuse, type SeatSigner } from "./attempt.ts"
import { bytesDigest } from "./digest.ts"
import {
  type HeaderVerifier,
  readSignedHeader,
  roundDigest,
  type SignedHeader,
  sealedHashOf,
  writeSignedHeader,
} from "./header.ts"

/** One party's message of one round as its recipient sees it. */
export type RoundMessage = {
  readonly header: SignedHeader
  readonly broadcast: Uint8Array
  /** Sealed to this node; null where the round has nothing for it. */
  readonly sealed: Uint8Array | null
}

/** "I hold exactly these headers of this round": carries them, so that a mismatch proves who signed two. */
export type Echo = {
  readonly round: number
  readonly party: PartyIndex
  /** {@link roundDigest} of `headers`. */
  readonly digest: Digest
  readonly headers: readonly SignedHeader[]
  readonly signature: Uint8Array
}

/** What a party says when it stops. */
export type AbortWord = {
  readonly round: number
  /** Closed upper-case code. */
  readonly code: string
  /** Whom it holds for proven at fault. */
  readonly culprits: readonly PartyIndex[]
  /** Of whom it holds at least one for at fault. */
  readonly suspects: readonly PartyIndex[]
  /** Two conflicting headers where it has them. */
  readonly evidence: readonly SignedHeader[]
}

/** A party's last word: a claim, but for the evidence. */
export type Abort = AbortWord & { readonly party: PartyIndex; readonly signature: Uint8Array }

/** What a node knows before it reads a message. */
export type Expectation = {
  readonly attempt: Attempt
  /** The channel's peer. */
  readonly from: PartyIndex
  readonly verifyHeader: HeaderVerifier
  /** Another implementation of the same rules, as the node has one in its addon. */
  readonly recover?: SignerRecovery
  /** Null where there is no such round. */
  limitsOf(round: number): RoundLimits | null
}

/** Maxima and speakers of a round, known before a message of it is read. */
export type RoundLimits = {
  readonly speakers: readonly PartyIndex[]
  readonly maxBroadcast: number
  /** Zero where a round has no private part. */
  readonly maxSealed: number
}

const VERSION = 1
const MAX_CODE = 64
const CODE = /^[A-Z][A-Z0-9_]*$/

const frame = ({ committee, attempt }: Attempt): Writer =>
  new Writer().uint(1, VERSION).hex(committee.keyId).uint(4, attempt)

/** Key id and attempt that `bytes` claim to belong to. @throws CodecErrorCode, CEREMONY_GARBLED */
export function attemptOf(bytes: Uint8Array): { readonly keyId: KeyId; readonly attempt: number } {
  const reader = new Reader(bytes.subarray(0, 37))
  const version = reader.uint(1)
  if (version !== VERSION) throw refuse("CEREMONY_GARBLED", `version must be 1, is ${version}`)
  return { keyId: parseKeyId(reader.hex(32)), attempt: reader.uint(4) }
}

function readFrame(reader: Reader, { committee, attempt }: Attempt): void {
  const version = reader.uint(1)
  const [keyId, of] = [parseKeyId(reader.hex(32)), reader.uint(4)]
  if (version !== VERSION || keyId !== committee.keyId || of !== attempt)
    throw refuse("CEREMONY_GARBLED", `version ${version}, key ${keyId}, attempt ${of}`)
}

function verifyBy(
  { attempt: { committee }, recover }: Expectation,
  party: PartyIndex,
  digest: Digest,
  signature: Uint8Array,
): void {
  try {
    verifySignature(digest, signature, signerOf(committee, party), recover)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw refuse("CEREMONY_BAD_SIGNATURE", `message of party ${party}: ${error.message}`)
  }
}

function expectSender(from: PartyIndex, party: PartyIndex): void {
  if (from !== party) throw refuse("CEREMONY_FOREIGN", `party ${from} sent a message of party ${party}`)
}

/** `sealed` is the payload for this one recipient. */
export function encodeRoundMessage(
  header: SignedHeader,
  broadcast: Uint8Array,
  sealed: Uint8Array | null,
): Uint8Array {
  const writer = new Writer()
  writeSignedHeader(writer, header)
  writer.bytes(broadcast).uint(1, sealed === null ? 0 : 1)
  return (sealed === null ? writer : writer.bytes(sealed)).done()
}

/**
 * @throws CEREMONY_GARBLED, CEREMONY_FOREIGN, CEREMONY_BAD_SIGNATURE, CEREMONY_OUT_OF_ORDER, CodecErrorCode
 */
export function decodeRoundMessage(bytes: Uint8Array, expected: Expectation): RoundMessage {
  const { attempt, from } = expected
  const reader = new Reader(bytes)
  const header = readSignedHeader(reader, attempt.committee.n)
  const { round, party, broadcastBytes, broadcastHash, sealedHashes } = header.header
  expectSender(from, party)
  expected.verifyHeader(header)
  const limits = expected.limitsOf(round)
  if (limits === null) throw refuse("CEREMONY_OUT_OF_ORDER", `no round ${round}`)
  if (!limits.speakers.includes(party))
    throw refuse("CEREMONY_FOREIGN", `party ${party} does not speak in round ${round}`)
  const broadcast = reader.bytes(limits.maxBroadcast)
  const sealed = reader.uint(1) === 0 ? null : reader.bytes(limits.maxSealed)
  reader.end()
  const sealedHash = sealedHashes[attempt.self - 1]
  if (broadcast.length !== broadcastBytes || bytesDigest(broadcast) !== broadcastHash)
    throw refuse(
      "CEREMONY_GARBLED",
      `broadcast of party ${party} does not match its header in round ${round}`,
    )
  if (sealedHashOf(sealed) !== sealedHash)
    throw refuse(
      "CEREMONY_GARBLED",
      `sealed part of party ${party} does not match its header in round ${round}`,
    )
  return { header, broadcast, sealed }
}

export const echoHash = (
  { committee, attempt }: Attempt,
  round: number,
  party: PartyIndex,
  digest: Digest,
): Digest => taggedHash("twinlock/ceremony-echo/v1", committee.keyId, attempt, round, party, digest)

/** @param headers of all speakers of the round, in party order */
export async function signEcho(
  attempt: Attempt,
  round: number,
  headers: readonly SignedHeader[],
  sign: SeatSigner,
): Promise<Echo> {
  const digest = roundDigest(attempt.committee.keyId, attempt.attempt, round, headers)
  const signature = await sign(echoHash(attempt, round, attempt.self, digest))
  return { round, party: attempt.self, digest, headers, signature }
}

export function encodeEcho(attempt: Attempt, { round, party, headers, signature }: Echo): Uint8Array {
  return frame(attempt).uint(2, round).uint(1, party).list(headers, writeSignedHeader).raw(signature).done()
}

/** Checks every carried header as well. @throws as {@link decodeRoundMessage} */
export function decodeEcho(bytes: Uint8Array, expected: Expectation): Echo {
  const { attempt, from } = expected
  const { committee } = attempt
  const reader = new Reader(bytes)
  readFrame(reader, attempt)
  const round = reader.uint(2)
  const party = parsePartyIndex(reader.uint(1), committee.n)
  expectSender(from, party)
  const headers = reader.list(MAX_PARTIES, (inner) => readSignedHeader(inner, committee.n))
  const signature = reader.take(SIGNATURE_BYTES)
  reader.end()
  const limits = expected.limitsOf(round)
  if (limits === null) throw refuse("CEREMONY_OUT_OF_ORDER", `no round ${round}`)
  const named = headers.map(({ header }) => header.party)
  if (named.join() !== limits.speakers.join())
    throw refuse(
      "CEREMONY_GARBLED",
      `echo of round ${round} must hold parties ${limits.speakers}, has ${named}`,
    )
  for (const signed of headers) {
    if (signed.header.round !== round)
      throw refuse(
        "CEREMONY_GARBLED",
        `echo of round ${round} holds a header of round ${signed.header.round}`,
      )
    expected.verifyHeader(signed)
  }
  const digest = roundDigest(committee.keyId, attempt.attempt, round, headers)
  verifyBy(expected, party, echoHash(attempt, round, party, digest), signature)
  return { round, party, digest, headers, signature }
}

export const abortHash = ({ committee, attempt }: Attempt, abort: Omit<Abort, "signature">): Digest =>
  taggedHash(
    "twinlock/ceremony-abort/v1",
    committee.keyId,
    attempt,
    abort.round,
    abort.party,
    bytesDigest(utf8ToBytes(abort.code)),
    hashWords(abort.evidence.map(({ hash }) => hash)),
    bytesDigest(Uint8Array.from(abort.culprits)),
    bytesDigest(Uint8Array.from(abort.suspects)),
  )

export async function signAbort(attempt: Attempt, word: AbortWord, sign: SeatSigner): Promise<Abort> {
  const unsigned = { ...word, party: attempt.self }
  return { ...unsigned, signature: await sign(abortHash(attempt, unsigned)) }
}

export function encodeAbort(attempt: Attempt, abort: Abort): Uint8Array {
  return frame(attempt)
    .uint(2, abort.round)
    .uint(1, abort.party)
    .bytes(utf8ToBytes(abort.code))
    .list(abort.culprits, (writer, party) => writer.uint(1, party))
    .list(abort.suspects, (writer, party) => writer.uint(1, party))
    .list(abort.evidence, writeSignedHeader)
    .raw(abort.signature)
    .done()
}

/** @throws CEREMONY_GARBLED, CEREMONY_FOREIGN, CEREMONY_BAD_SIGNATURE, CodecErrorCode */
export function decodeAbort(bytes: Uint8Array, expected: Expectation): Abort {
  const { attempt, from } = expected
  const { committee } = attempt
  const reader = new Reader(bytes)
  readFrame(reader, attempt)
  const round = reader.uint(2)
  const party = parsePartyIndex(reader.uint(1), committee.n)
  expectSender(from, party)
  const code = new TextDecoder().decode(reader.bytes(MAX_CODE))
  if (!CODE.test(code)) throw refuse("CEREMONY_GARBLED", `abort code ${JSON.stringify(code)}`)
  const parties = () => reader.list(MAX_PARTIES, (inner) => parsePartyIndex(inner.uint(1), committee.n))
  const [culprits, suspects] = [parties(), parties()]
  const evidence = reader.list(2, (inner) => readSignedHeader(inner, committee.n))
  const signature = reader.take(SIGNATURE_BYTES)
  reader.end()
  for (const signed of evidence) expected.verifyHeader(signed)
  const unsigned = { round, party, code, culprits, suspects, evidence }
  verifyBy(expected, party, abortHash(attempt, unsigned), signature)
  return { ...unsigned, signature }
}

/** The party that `evidence` proves to have signed two headers for one round, or null. */
export function equivocator(evidence: readonly SignedHeader[]): PartyIndex | null {
  const [one, other] = evidence
  if (one === undefined || other === undefined || one.hash === other.hash) return null
  const same = one.header.party === other.header.party && one.header.round === other.header.round
  return same ? one.header.party : null
}
