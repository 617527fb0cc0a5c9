/** A dishonest party's hands: it reads what its own node sends and signs something else with its own seat key. */
import type { SeatSigner } from "@twinlock/node/ceremony/attempt"
import { bytesDigest } from "@twinlock/node/ceremony/digest"
import { readSignedHeader, type SignedHeader, sealedHashOf, signHeader } from "@twinlock/node/ceremony/header"
import { encodeRoundMessage } from "@twinlock/node/ceremony/messages"
import { PARTIES, partyAt, type Tamper } from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import { Reader } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import type { Digest } from "@twinlock/sdk/protocol/ids"

const MAX = 64 * 1024 * 1024

export type Parts = {
  readonly header: SignedHeader
  readonly broadcast: Uint8Array
  readonly sealed: Uint8Array | null
}

/** A round message as it is on the wire. */
export function readParts(payload: Uint8Array): Parts {
  const reader = new Reader(payload)
  const header = readSignedHeader(reader, MAX_PARTIES)
  const broadcast = reader.bytes(MAX)
  return { header, broadcast, sealed: reader.uint(1) === 0 ? null : reader.bytes(MAX) }
}

/** The same message with another broadcast, properly signed. */
export async function withBroadcast(
  parts: Parts,
  broadcast: Uint8Array,
  sign: SeatSigner,
): Promise<Uint8Array> {
  const { header } = parts.header
  const changed = {
    ...header,
    broadcastBytes: broadcast.length,
    broadcastHash: bytesDigest(broadcast),
  }
  return encodeRoundMessage(await signHeader(changed, sign), broadcast, parts.sealed)
}

/** The same message with other hashes of sealed payloads in its header, properly signed. */
export async function withSealedHashes(
  parts: Parts,
  sealedHashes: readonly Digest[],
  sealed: Uint8Array | null,
  sign: SeatSigner,
): Promise<Uint8Array> {
  const header = await signHeader({ ...parts.header.header, sealedHashes }, sign)
  return encodeRoundMessage(header, parts.broadcast, sealed)
}

export type Rule = {
  /** Index of the dishonest party. */
  readonly from: number
  /** Whom it treats specially; everybody where absent. */
  readonly to?: number
  readonly protocol?: keyof typeof CEREMONY_PROTOCOLS
  /** Number of the round, for the protocol "message". */
  readonly round?: number
}

/** Applies `change` to what matches `rule`; everything else passes. */
export const tamperWhere =
  (
    { from, to, protocol = "message", round }: Rule,
    change: (payload: Uint8Array, to: number) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>,
  ): Tamper =>
  (sender, receiver, id, payload) => {
    const target = PARTIES.findIndex(({ address }) => address === receiver) + 1
    const matches =
      sender === partyAt(from).address &&
      id === CEREMONY_PROTOCOLS[protocol].id &&
      (to === undefined || target === to) &&
      (round === undefined || readParts(payload).header.header.round === round)
    return matches ? change(payload, target) : [payload]
  }

/** A second, equally valid header for one recipient: it claims to have sealed something else to a third party. */
export const equivocate = (from: number, to: number, round: number): Tamper =>
  tamperWhere({ from, to, round }, async (payload) => {
    const parts = readParts(payload)
    const third = [1, 2, 3, 4].find((index) => index !== from && index !== to) ?? 0
    const hashes = parts.header.header.sealedHashes.map((hash, at) =>
      at === third - 1 ? sealedHashOf(payload) : hash,
    )
    return [await withSealedHashes(parts, hashes, parts.sealed, partyAt(from).sign)]
  })

export const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === (at < 0 ? bytes.length + at : at) ? byte ^ 1 : byte))
