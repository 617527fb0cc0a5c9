/** Gossip messages on the wire (protocol §6): what decodes, and the digest that its sender signed. */
import { Writer } from "@twinlock/sdk/protocol/codec"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, unhex } from "../vector.ts"

/** Bytes are written by hand here, not with the encoder that stands beside the decoder. */
type Fields = (writer: Writer, rng: (bytes: number) => Uint8Array) => unknown
type Head = {
  readonly version?: number
  readonly kind: number
  readonly epoch?: number
  readonly party?: number
}

function message(name: string, head: Head, fields: Fields): Uint8Array {
  const rng = seededRng(`vectors/codec/${name}`)
  const writer = new Writer()
    .uint(1, head.version ?? 2)
    .uint(1, head.kind)
    .raw(rng(32))
    .uint(4, head.epoch ?? 1)
    .uint(1, head.party ?? 3)
  fields(writer, rng)
  return writer.raw(rng(65)).done()
}

const count = (length: number): readonly number[] => Array.from({ length }, (_, i) => i)

const approval =
  (sessions: readonly number[], pairs: number, verdict = 1): Fields =>
  (w, rng) => {
    w.list(sessions, (item, many) => item.raw(rng(32)).list(count(many), (inner) => inner.raw(rng(32))))
    w.uint(8, 123_456).raw(rng(32)).uint(1, verdict)
    w.list(count(pairs), (item) => item.raw(rng(66)))
  }
const shares =
  (lengths: readonly number[]): Fields =>
  (w, rng) =>
    w.list(lengths, (item, length) => item.raw(rng(32)).raw(rng(32)).bytes(rng(length)))
const request =
  (subjects: number, parties: readonly number[]): Fields =>
  (w, rng) =>
    w
      .uint(4, 5)
      .list(count(subjects), (item) => item.raw(rng(32)))
      .raw(rng(32))
      .list(parties, (item, party) => item.uint(1, party).raw(rng(66)))
const answer =
  (pairs: number): Fields =>
  (w, rng) =>
    w
      .raw(rng(32))
      .raw(rng(32))
      .list(count(pairs), (item) => item.raw(rng(66)))
const announcement =
  (subjects: number, signers: number): Fields =>
  (w, rng) =>
    w
      .list(count(subjects), (item) => item.raw(rng(32)))
      .raw(rng(32))
      .uint(2, signers)
      .raw(rng(20))
      .raw(rng(32))
const endorsement =
  (subjects: number): Fields =>
  (w, rng) =>
    w
      .list(count(subjects), (item) => item.raw(rng(32)))
      .raw(rng(32))
      .raw(rng(65))
const quote =
  (subjects: number, bytes: number): Fields =>
  (w, rng) =>
    w
      .list(count(subjects), (item) => item.raw(rng(32)))
      .raw(rng(32))
      .bytes(rng(bytes))

const wire = (name: string, comment: string, bytes: Uint8Array): Case => ({
  name,
  comment,
  inputs: [
    ["domainChainId", "31337"],
    ["verifyingContract", hex(seededRng("vectors/codec/verifier")(20))],
    ["bytes", hex(bytes)],
  ],
})
const built = (name: string, comment: string, head: Head, fields: Fields): Case =>
  wire(name, comment, message(name, head, fields))

const good = message("good", { kind: 4 }, answer(1))
const twice = (bytes: Uint8Array): Uint8Array => {
  // The second of two subjects becomes the first one: 39 bytes of header, a count, then the subjects.
  const copy = Uint8Array.from(bytes)
  copy.set(copy.slice(41, 73), 73)
  return copy
}

export const codec: Subject = {
  name: "codec",
  expects: [
    "success",
    "MESSAGE_KIND",
    "MESSAGE_FORM",
    "CODEC_SHORT",
    "CODEC_TRAILING",
    "CODEC_LIMIT",
    "BAD_PARTY_INDEX",
    "BAD_EPOCH",
  ],
  cases: () => [
    built("approval_of_one", "one subject with one session", { kind: 1 }, approval([1], 2)),
    built(
      "approval_of_three",
      "subjects with several sessions, no commitments",
      { kind: 1 },
      approval([1, 3, 2], 0),
    ),
    built("approval_of_none", "an approval has a subject", { kind: 1 }, approval([], 0)),
    built("approval_without_sessions", "a subject has a session", { kind: 1 }, approval([0], 0)),
    built("approval_with_verdict_0", "only approvals are sent", { kind: 1 }, approval([1], 0, 0)),
    built("approval_with_nine_pairs", "more commitments than allowed", { kind: 1 }, approval([1], 9)),
    built("shares_of_two_sessions", "one and two blocks", { kind: 2 }, shares([64, 128])),
    built("share_of_63_bytes", "no whole block", { kind: 2 }, shares([63])),
    built("shares_of_none", "a message of shares has a share", { kind: 2 }, shares([])),
    built("signing_request", "two subjects, three signers", { kind: 3 }, request(2, [1, 2, 4])),
    built("signing_request_unordered", "signers ascend", { kind: 3 }, request(1, [2, 1, 4])),
    built("signing_request_same_signer_twice", "signers ascend strictly", { kind: 3 }, request(1, [1, 1, 4])),
    built("signing_request_of_party_16", "parties are 1..15", { kind: 3 }, request(1, [1, 2, 16])),
    wire(
      "signing_request_same_subject_twice",
      "subjects are distinct",
      twice(message("same_subject", { kind: 5 }, announcement(2, 7))),
    ),
    built("signature_share", "one fresh pair", { kind: 4 }, answer(1)),
    built("announcement", "a certificate of two results", { kind: 5 }, announcement(2, 0b1011)),
    built("announcement_of_nobody", "somebody signed", { kind: 5 }, announcement(1, 0)),
    built("endorsement", "a seat's own word for one result", { kind: 6 }, endorsement(1)),
    built("fresh_quote", "evidence of 100 bytes", { kind: 7 }, quote(1, 100)),
    built("wire_version_1", "the version before", { version: 1, kind: 4 }, answer(1)),
    built("kind_0", "no such kind", { kind: 0 }, answer(1)),
    built("kind_8", "no such kind", { kind: 8 }, answer(1)),
    built("party_0", "parties count from 1", { kind: 4, party: 0 }, answer(1)),
    built("epoch_0", "epochs count from 1", { kind: 4, epoch: 0 }, answer(1)),
    wire("trailing_byte", "one byte too many", Uint8Array.of(...good, 0)),
    wire("last_byte_missing", "one byte too few", good.slice(0, -1)),
    wire("nothing", "no bytes at all", new Uint8Array()),
  ],
  run(inputs) {
    const decoded = decodeMessage(inputs.bytes("bytes"))
    const digest = messageDigest(decoded, {
      chainId: BigInt(inputs.one("domainChainId")),
      verifyingContract: parseAddress(`0x${hex(unhex(inputs.one("verifyingContract")))}`),
    })
    return [
      ["kind", decoded.kind],
      ["epoch", String(decoded.epoch)],
      ["party", String(decoded.party)],
      ["digest", digest.slice(2)],
      ["signature", hex(decoded.signature)],
    ]
  },
}
