/**
 * Signed header of one party's message in one round (protocol §2, §4): the part that everybody compares in the echo.
 * It names the round, the agreed digest of the round before, and hashes of the broadcast and of every sealed payload,
 * so two different headers of one party for one round prove it dishonest to anybody. Public data.
 */
import { fromHex, hashWords, type Reader, taggedHash, type Writer } from "@twinlock/sdk/protocol/codec"
import { type Committee, MAX_PARTIES, signerOf } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  type Digest,
  type KeyId,
  type PartyIndex,
  parseDigest,
  parseKeyId,
  parsePartyIndex,
} from "@twinlock/sdk/protocol/ids"
import {
  recoverSigner,
  SIGNATURE_BYTES,
  type SignerRecovery,
  verifySignature,
} from "@twinlock/sdk/protocol/signature"
import { refuse, type SeatSigner } from "./attempt.ts"
import { bytesDigest } from "./digest.ts"

export type Header = {
  readonly keyId: KeyId
  readonly attempt: number
  readonly round: number
  readonly party: PartyIndex
  /** Agreed digest of the round before; the proposal's digest in the first round. */
  readonly previous: Digest
  readonly broadcastBytes: number
  readonly broadcastHash: Digest
  /** SHA-256 of what is sealed to party `index`, at `index - 1`; zero where nothing is. */
  readonly sealedHashes: readonly Digest[]
}

export type SignedHeader = { readonly header: Header; readonly hash: Digest; readonly signature: Uint8Array }

export const ZERO_DIGEST: Digest = parseDigest(`0x${"0".repeat(64)}`)

const VERSION = 1

/** What is signed, and what the echo covers. */
export const headerHash = (header: Header): Digest =>
  taggedHash(
    "twinlock/ceremony-header/v1",
    header.keyId,
    header.attempt,
    header.round,
    header.party,
    header.previous,
    header.broadcastBytes,
    header.broadcastHash,
    hashWords(header.sealedHashes),
  )

/** Digest of one round: the headers of all its speakers, in party order. It is what the next round stands on. */
export const roundDigest = (
  keyId: KeyId,
  attempt: number,
  round: number,
  headers: readonly SignedHeader[],
): Digest =>
  taggedHash("twinlock/ceremony-round/v1", keyId, attempt, round, hashWords(headers.map(({ hash }) => hash)))

export const sealedHashOf = (sealed: Uint8Array | null): Digest =>
  sealed === null ? ZERO_DIGEST : bytesDigest(sealed)

export async function signHeader(header: Header, sign: SeatSigner): Promise<SignedHeader> {
  const hash = headerHash(header)
  return { header, hash, signature: await sign(hash) }
}

/** @throws CEREMONY_BAD_SIGNATURE, CEREMONY_GARBLED where it is of another ceremony, attempt or committee size. */
export function verifyHeader(
  { header, hash, signature }: SignedHeader,
  committee: Committee,
  attempt: number,
  recover: SignerRecovery = recoverSigner,
): void {
  if (header.keyId !== committee.keyId || header.attempt !== attempt)
    throw refuse("CEREMONY_GARBLED", `header of key ${header.keyId} attempt ${header.attempt}`)
  if (header.sealedHashes.length !== committee.n)
    throw refuse("CEREMONY_GARBLED", `want ${committee.n} sealed hashes, got ${header.sealedHashes.length}`)
  try {
    verifySignature(hash, signature, signerOf(committee, header.party), recover)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw refuse(
      "CEREMONY_BAD_SIGNATURE",
      `header of party ${header.party} in round ${header.round}: ${error.message}`,
    )
  }
}

export function writeSignedHeader(writer: Writer, { header, signature }: SignedHeader): void {
  writer
    .uint(1, VERSION)
    .hex(header.keyId)
    .uint(4, header.attempt)
    .uint(2, header.round)
    .uint(1, header.party)
    .hex(header.previous)
    .uint(4, header.broadcastBytes)
    .hex(header.broadcastHash)
    .list(header.sealedHashes, (inner, hash) => inner.raw(fromHex(hash)))
    .raw(signature)
}

/** Checks headers of one attempt; what was verified once is not verified again. */
export type HeaderVerifier = (signed: SignedHeader) => void

export function createHeaderVerifier(
  committee: Committee,
  attempt: number,
  recover?: SignerRecovery,
): HeaderVerifier {
  const verified = new Set<Digest>()
  return (signed) => {
    if (verified.has(signed.hash)) return
    verifyHeader(signed, committee, attempt, recover)
    verified.add(signed.hash)
  }
}

/** Form only; see {@link verifyHeader}. @throws CodecErrorCode, BAD_PARTY_INDEX, CEREMONY_GARBLED */
export function readSignedHeader(reader: Reader, n: number): SignedHeader {
  const version = reader.uint(1)
  if (version !== VERSION) throw refuse("CEREMONY_GARBLED", `header version must be 1, is ${version}`)
  const header: Header = {
    keyId: parseKeyId(reader.hex(32)),
    attempt: reader.uint(4),
    round: reader.uint(2),
    party: parsePartyIndex(reader.uint(1), n),
    previous: parseDigest(reader.hex(32)),
    broadcastBytes: reader.uint(4),
    broadcastHash: parseDigest(reader.hex(32)),
    sealedHashes: reader.list(MAX_PARTIES, (inner) => parseDigest(inner.hex(32))),
  }
  return { header, hash: headerHash(header), signature: reader.take(SIGNATURE_BYTES) }
}
