/**
 * Wire form of gossip messages (protocol §6): version(1) ‖ kind(1) ‖ keyId(32) ‖ epoch(4) ‖ party(1) ‖ fields ‖
 * signature(65). Strict: one encoding per message, maxima before allocation, nothing left over.
 */
import { fromHex, Reader, Writer } from "./codec.ts"
import { MAX_PARTIES } from "./committee.ts"
import { assertNever, ProtocolError } from "./errors.ts"
import { MAX_BLOCKS, SHARE_BYTES_PER_BLOCK } from "./fheType.ts"
import {
  type Digest,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseKeyId,
  parsePartyIndex,
  parseRequestId,
  parseSessionId,
  type RequestId,
} from "./ids.ts"
import { assertForm } from "./messageForm.ts"
import {
  APPROVE,
  COMMITMENT_PAIR_BYTES,
  type CommitmentPair,
  type GossipMessage,
  MAX_BATCH,
  MAX_COMMITMENTS,
  MAX_EVIDENCE_BYTES,
  MAX_ITEMS,
  MAX_MESSAGE_BYTES,
  MAX_SESSIONS,
  type MessageErrorCode,
  type MessageKind,
} from "./messages.ts"
import { SIGNATURE_BYTES } from "./signature.ts"

const WIRE_VERSION = 2
const KIND_BYTE: Readonly<Record<MessageKind, number>> = {
  approval: 1,
  "decryption-shares": 2,
  "signing-request": 3,
  "signature-share": 4,
  "certificate-announcement": 5,
  endorsement: 6,
  "fresh-quote": 7,
}
const KINDS: ReadonlyMap<number, MessageKind> = new Map([
  [1, "approval"],
  [2, "decryption-shares"],
  [3, "signing-request"],
  [4, "signature-share"],
  [5, "certificate-announcement"],
  [6, "endorsement"],
  [7, "fresh-quote"],
])

const bad = (code: MessageErrorCode, message: string): ProtocolError => new ProtocolError({ code, message })

/** The encoding of `message`. @throws MESSAGE_FORM, CODEC_RANGE where it is outside its form. */
export function encodeMessage(message: GossipMessage): Uint8Array {
  assertForm(message)
  const writer = new Writer()
    .uint(1, WIRE_VERSION)
    .uint(1, KIND_BYTE[message.kind])
    .hex(message.keyId)
    .uint(4, message.epoch)
    .uint(1, message.party)
  writeFields(writer, message)
  return writer.raw(message.signature).done()
}

function writeFields(writer: Writer, message: GossipMessage): void {
  const digests = (items: readonly Digest[] | readonly RequestId[]) =>
    writer.list<string>(items, (w, item) => w.raw(fromHex(item)))
  const pairs = (items: readonly CommitmentPair[]) => writer.list(items, (w, item) => w.raw(item))
  switch (message.kind) {
    case "approval":
      writer.list(message.approved, (w, { subject, sessions }) =>
        w.hex(subject).list(sessions, (inner, session) => inner.hex(session)),
      )
      writer.uint(8, Number(message.blockNumber)).hex(message.blockHash).uint(1, message.verdict)
      pairs(message.commitments)
      return
    case "decryption-shares":
      writer.list(message.shares, (w, { subject, sessionId, share }) =>
        w.hex(subject).hex(sessionId).bytes(share),
      )
      return
    case "signing-request":
      writer.uint(4, message.attempt)
      digests(message.subjects)
      writer
        .hex(message.root)
        .list(message.signers, (w, signer) => w.uint(1, signer.party).raw(signer.commitment))
      return
    case "signature-share":
      writer.hex(message.request).raw(message.share)
      pairs(message.commitments)
      return
    case "certificate-announcement":
      digests(message.subjects)
      writer.hex(message.root).uint(2, Number(message.signers)).hex(message.r)
      writer.raw(fromHex(`0x${message.s.toString(16).padStart(64, "0")}`))
      return
    case "endorsement":
      digests(message.subjects)
      writer.hex(message.root).raw(message.endorsement)
      return
    case "fresh-quote":
      digests(message.subjects)
      writer.hex(message.root).bytes(message.evidence)
      return
    default:
      assertNever(message)
  }
}

/** Index of the party that `bytes` claim to be of; 0 where they are too short to say. Nothing is checked. */
export const partyByte = (bytes: Uint8Array): number => bytes[2 + 32 + 4] ?? 0

/**
 * The one message that `bytes` encode; its signature is not checked yet.
 * @throws MESSAGE_KIND, MESSAGE_FORM and the codes of ids.ts and codec.ts
 */
export function decodeMessage(bytes: Uint8Array): GossipMessage {
  const kind = KINDS.get(bytes[1] ?? 0)
  if (bytes[0] !== WIRE_VERSION || kind === undefined)
    throw bad(
      "MESSAGE_KIND",
      `want wire version ${WIRE_VERSION} and a known kind, got ${bytes[0]}, ${bytes[1]}`,
    )
  if (bytes.length > MAX_MESSAGE_BYTES[kind])
    throw bad("MESSAGE_FORM", `${kind} has at most ${MAX_MESSAGE_BYTES[kind]} bytes, got ${bytes.length}`)
  const reader = new Reader(bytes)
  reader.take(2)
  const header = {
    keyId: parseKeyId(reader.hex(32)),
    epoch: parseEpoch(reader.uint(4)),
    party: parsePartyIndex(reader.uint(1), MAX_PARTIES),
  }
  const message = readFields(reader, kind, header)
  reader.end()
  assertForm(message)
  return message
}

function readFields(
  reader: Reader,
  kind: MessageKind,
  header: Pick<GossipMessage, "keyId" | "epoch" | "party">,
): GossipMessage {
  const pairs = () => reader.list(MAX_COMMITMENTS, (r) => r.take(COMMITMENT_PAIR_BYTES))
  const signature = () => reader.take(SIGNATURE_BYTES)
  switch (kind) {
    case "approval": {
      const approved = reader.list(MAX_ITEMS, (r) => ({
        subject: parseDigest(r.hex(32)),
        sessions: r.list(MAX_SESSIONS, (inner) => parseSessionId(inner.hex(32))),
      }))
      const blockNumber = BigInt(reader.uint(8))
      const blockHash = parseDigest(reader.hex(32))
      const verdict = reader.uint(1)
      if (verdict !== APPROVE) throw bad("MESSAGE_FORM", `verdict must be ${APPROVE}, got ${verdict}`)
      const commitments = pairs()
      const fields = { approved, blockNumber, blockHash, verdict, commitments } as const
      return { kind, ...header, ...fields, signature: signature() }
    }
    case "decryption-shares": {
      const shares = reader.list(MAX_ITEMS, (r) => ({
        subject: parseDigest(r.hex(32)),
        sessionId: parseSessionId(r.hex(32)),
        share: r.bytes(MAX_BLOCKS * SHARE_BYTES_PER_BLOCK),
      }))
      return { kind, ...header, shares, signature: signature() }
    }
    case "signing-request": {
      const attempt = reader.uint(4)
      const subjects = reader.list(MAX_BATCH, (r) => parseRequestId(r.hex(32)))
      const root = parseDigest(reader.hex(32))
      const signers = reader.list(MAX_PARTIES, (r) => ({
        party: parsePartyIndex(r.uint(1), MAX_PARTIES),
        commitment: r.take(COMMITMENT_PAIR_BYTES),
      }))
      return { kind, ...header, attempt, subjects, root, signers, signature: signature() }
    }
    case "signature-share": {
      const request = parseDigest(reader.hex(32))
      const share = reader.take(32)
      const commitments = pairs()
      return { kind, ...header, request, share, commitments, signature: signature() }
    }
    case "certificate-announcement": {
      const subjects = reader.list(MAX_BATCH, (r) => parseRequestId(r.hex(32)))
      const root = parseDigest(reader.hex(32))
      const signers = BigInt(reader.uint(2))
      const r = parseAddress(reader.hex(20))
      const s = BigInt(reader.hex(32))
      return { kind, ...header, subjects, root, signers, r, s, signature: signature() }
    }
    case "endorsement": {
      const subjects = reader.list(MAX_BATCH, (r) => parseRequestId(r.hex(32)))
      const root = parseDigest(reader.hex(32))
      const endorsement = reader.take(SIGNATURE_BYTES)
      return { kind, ...header, subjects, root, endorsement, signature: signature() }
    }
    case "fresh-quote": {
      const subjects = reader.list(MAX_BATCH, (r) => parseRequestId(r.hex(32)))
      const root = parseDigest(reader.hex(32))
      const evidence = reader.bytes(MAX_EVIDENCE_BYTES)
      return { kind, ...header, subjects, root, evidence, signature: signature() }
    }
    default:
      return assertNever(kind)
  }
}
