/**
 * Wire form of gossip messages (protocol §6): version(1) ‖ kind(1) ‖ keyId(32) ‖ epoch(4) ‖ party(1) ‖ fields ‖
 * signature(65). Strict: one encoding per message, maxima before allocation, nothing left over.
 */
import { fromHex, Reader, Writer } from "./codec.ts"
import { MAX_PARTIES, partiesOfBitmap } from "./committee.ts"
import { assertNever, ProtocolError } from "./errors.ts"
import { MAX_BLOCKS, SHARE_BYTES_PER_BLOCK } from "./fheType.ts"
import {
  type Digest,
  type PartyIndex,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseKeyId,
  parsePartyIndex,
  parseRequestId,
  parseSessionId,
  type RequestId,
} from "./ids.ts"
import {
  APPROVE,
  COMMITMENT_PAIR_BYTES,
  type CommitmentPair,
  type GossipMessage,
  MAX_BATCH,
  MAX_COMMITMENTS,
  MAX_MESSAGE_BYTES,
  MAX_SESSIONS,
  type MessageErrorCode,
  type MessageKind,
} from "./messages.ts"
import { SIGNATURE_BYTES } from "./signature.ts"

const WIRE_VERSION = 1
const KIND_BYTE: Readonly<Record<MessageKind, number>> = {
  approval: 1,
  "decryption-share": 2,
  "signing-request": 3,
  "signature-share": 4,
  "certificate-announcement": 5,
}
const KINDS: ReadonlyMap<number, MessageKind> = new Map([
  [1, "approval"],
  [2, "decryption-share"],
  [3, "signing-request"],
  [4, "signature-share"],
  [5, "certificate-announcement"],
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
      writer.hex(message.subject).list(message.sessions, (w, session) => w.hex(session))
      writer.uint(8, Number(message.blockNumber)).hex(message.blockHash).uint(1, message.verdict)
      pairs(message.commitments)
      return
    case "decryption-share":
      writer.hex(message.subject).hex(message.sessionId).bytes(message.share)
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
    default:
      assertNever(message)
  }
}

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
      const subject = parseDigest(reader.hex(32))
      const sessions = reader.list(MAX_SESSIONS, (r) => parseSessionId(r.hex(32)))
      const blockNumber = BigInt(reader.uint(8))
      const blockHash = parseDigest(reader.hex(32))
      const verdict = reader.uint(1)
      if (verdict !== APPROVE) throw bad("MESSAGE_FORM", `verdict must be ${APPROVE}, got ${verdict}`)
      const commitments = pairs()
      const fields = { subject, sessions, blockNumber, blockHash, verdict, commitments } as const
      return { kind, ...header, ...fields, signature: signature() }
    }
    case "decryption-share": {
      const subject = parseDigest(reader.hex(32))
      const sessionId = parseSessionId(reader.hex(32))
      const share = reader.bytes(MAX_BLOCKS * SHARE_BYTES_PER_BLOCK)
      return { kind, ...header, subject, sessionId, share, signature: signature() }
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
    default:
      return assertNever(kind)
  }
}

const isAscending = (parties: readonly PartyIndex[]): boolean =>
  parties.every((party, i) => i === 0 || party > (parties[i - 1] ?? 0))

/** What the type cannot say; the same for both directions. @throws MESSAGE_FORM */
function assertForm(message: GossipMessage): void {
  const want = (holds: boolean, rule: string) => {
    if (!holds) throw bad("MESSAGE_FORM", `${message.kind}: ${rule}`)
  }
  const pairs = (items: readonly CommitmentPair[]) => {
    want(items.length <= MAX_COMMITMENTS, `at most ${MAX_COMMITMENTS} commitments`)
    want(
      items.every((pair) => pair.length === COMMITMENT_PAIR_BYTES),
      "a commitment pair has 66 bytes",
    )
  }
  const subjects = (items: readonly RequestId[]) => {
    want(items.length >= 1 && items.length <= MAX_BATCH, `want 1..${MAX_BATCH} subjects, got ${items.length}`)
    want(new Set(items).size === items.length, "subjects must be distinct")
  }
  want(message.signature.length === SIGNATURE_BYTES, `a signature has ${SIGNATURE_BYTES} bytes`)
  switch (message.kind) {
    case "approval": {
      const count = message.sessions.length
      want(count >= 1 && count <= MAX_SESSIONS, `want 1..${MAX_SESSIONS} sessions, got ${count}`)
      pairs(message.commitments)
      return
    }
    case "decryption-share": {
      const blocks = message.share.length / SHARE_BYTES_PER_BLOCK
      want(
        Number.isInteger(blocks) && blocks >= 1 && blocks <= MAX_BLOCKS,
        `bad share length ${message.share.length}`,
      )
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
    default:
      assertNever(message)
  }
}
