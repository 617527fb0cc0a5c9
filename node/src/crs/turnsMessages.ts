/** Messages of a CRS ceremony on its own, as bytes. Each begins with the ceremony's id. Public data. */
import { concatBytes, fromHex, Reader, toHex, Writer } from "@twinlock/sdk/protocol/codec"
import { assertNever, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, parseDigest, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES } from "@twinlock/sdk/protocol/signature"
import { ACTS, type Certificate, readCertificate, writeCertificate } from "./certificate.ts"
import { readUpdates, writeUpdates } from "./crsCommittee.ts"
import type { TurnsMessage } from "./turnsState.ts"

/** A proposal has two lists of at most 15 updates and 15 signatures. */
export const MAX_TURNS_MESSAGE_BYTES: number = 16 * 1024

const KINDS = ["proposal", "statement", "certificate", "conclusion"] as const

export const encodeTurnsMessage = (ceremony: Digest, message: TurnsMessage): Uint8Array => {
  const writer = new Writer().hex(ceremony).uint(1, KINDS.indexOf(message.kind))
  switch (message.kind) {
    case "proposal": {
      const { turn, updates, parent } = message.proposal
      writeUpdates(writer.uint(4, turn), updates)
      writer.list<Certificate>(parent === null ? [] : [parent], writeCertificate)
      return writer.raw(message.signature).done()
    }
    case "statement": {
      const { act, turn, digest, party, signature } = message.statement
      writer.uint(1, ACTS.indexOf(act)).uint(4, turn).hex(digest).uint(1, party)
      return writer.raw(signature).done()
    }
    case "certificate":
      return writeCertificate(writer, message.certificate).done()
    case "conclusion":
      return writeCertificate(writer, message.conclusion).done()
    default:
      return assertNever(message)
  }
}

/** Which ceremony a payload is for. @throws CODEC_SHORT */
export const ceremonyOf = (payload: Uint8Array): Digest => parseDigest(toHex(new Reader(payload).take(32)))

/** Form only. @throws CodecErrorCode, BAD_PARTY_INDEX */
export function decodeTurnsMessage(payload: Uint8Array, n: number): TurnsMessage {
  const reader = new Reader(payload)
  reader.take(32)
  const message = readMessage(reader, choose(KINDS, reader.uint(1)), n)
  reader.end()
  return message
}

function readMessage(reader: Reader, kind: TurnsMessage["kind"], n: number): TurnsMessage {
  switch (kind) {
    case "proposal": {
      const turn = reader.uint(4)
      const updates = readUpdates(reader)
      const [parent = null] = reader.list(1, (inner) => readCertificate(inner, n))
      return { kind, proposal: { turn, updates, parent }, signature: reader.take(SIGNATURE_BYTES) }
    }
    case "statement": {
      const act = choose(ACTS, reader.uint(1))
      const turn = reader.uint(4)
      const digest = parseDigest(reader.hex(32))
      const party = parsePartyIndex(reader.uint(1), n)
      return { kind, statement: { act, turn, digest, party, signature: reader.take(SIGNATURE_BYTES) } }
    }
    case "certificate":
      return { kind, certificate: readCertificate(reader, n) }
    case "conclusion":
      return { kind, conclusion: readCertificate(reader, n) }
    default:
      return assertNever(kind)
  }
}

function choose<T>(choices: readonly T[], index: number): T {
  const choice = choices[index]
  if (choice === undefined) throw new ProtocolError({ code: "CODEC_RANGE", message: `no choice ${index}` })
  return choice
}

/** Asks for the bytes of an update. */
export const encodeUpdateQuery = (ceremony: Digest, message: Digest): Uint8Array =>
  concatBytes(fromHex(ceremony), fromHex(message))

/** @throws CodecErrorCode */
export function decodeUpdateQuery(payload: Uint8Array): Digest {
  const reader = new Reader(payload)
  reader.take(32)
  const message = parseDigest(reader.hex(32))
  reader.end()
  return message
}
