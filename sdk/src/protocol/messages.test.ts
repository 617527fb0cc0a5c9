import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { tagHash, toHex } from "./codec.ts"
import { createCommittee } from "./committee.ts"
import {
  parseAddress,
  parseDigest,
  parseEpoch,
  parseKeyId,
  parsePartyIndex,
  parseRequestId,
  parseSessionId,
} from "./ids.ts"
import { decodeMessage, encodeMessage } from "./messageEncoding.ts"
import { messageDigest, signMessage, verifyMessage } from "./messageSignature.ts"
import type {
  Approval,
  CertificateAnnouncement,
  DecryptionShares,
  Endorsement,
  FreshQuote,
  GossipMessage,
  SessionShare,
  SignatureShare,
  SigningRequest,
} from "./messages.ts"
import { MAX_MESSAGE_BYTES } from "./messages.ts"
import { addressOfSecretKey } from "./signature.ts"

const keyId = parseKeyId(tagHash("key"))
const epoch = parseEpoch(1)
const keys = [1, 2, 3, 4].map((i) => new Uint8Array(32).fill(i))
const aliceKey = new Uint8Array(32).fill(1)
const committee = createCommittee({ keyId, epoch, t: 1, parties: keys.map(addressOfSecretKey) })
const domain = { chainId: 31337n, verifyingContract: parseAddress(`0x${"f".repeat(40)}`) }
const [alice, bob, carol] = [parsePartyIndex(1, 4), parsePartyIndex(2, 4), parsePartyIndex(3, 4)]
const pair = (byte: number) => new Uint8Array(66).fill(byte)
const request = (label: string) => parseRequestId(tagHash(label))
const session = (label: string) => parseSessionId(tagHash(label))
const header = { keyId, epoch, party: alice }

const approval = signMessage<Approval>(
  {
    kind: "approval",
    ...header,
    approved: [
      { subject: tagHash("subject"), sessions: [session("s1"), session("s2")] },
      { subject: tagHash("other"), sessions: [session("s3")] },
    ],
    blockNumber: 12n,
    blockHash: tagHash("block"),
    verdict: 1,
    commitments: [pair(2), pair(3)],
  },
  domain,
  aliceKey,
)
const shares = signMessage<DecryptionShares>(
  {
    kind: "decryption-shares",
    ...header,
    shares: [
      { subject: tagHash("subject"), sessionId: session("s1"), share: new Uint8Array(128).fill(9) },
      { subject: tagHash("subject"), sessionId: session("s2"), share: new Uint8Array(64).fill(8) },
    ],
  },
  domain,
  aliceKey,
)
const signingRequest = signMessage<SigningRequest>(
  {
    kind: "signing-request",
    ...header,
    attempt: 1,
    subjects: [request("r1"), request("r2")],
    root: tagHash("root"),
    signers: [alice, bob, carol].map((party) => ({ party, commitment: pair(party) })),
  },
  domain,
  aliceKey,
)
const signatureShare = signMessage<SignatureShare>(
  {
    kind: "signature-share",
    ...header,
    request: messageDigest(signingRequest, domain),
    share: new Uint8Array(32).fill(7),
    commitments: [pair(5)],
  },
  domain,
  aliceKey,
)
const announcement = signMessage<CertificateAnnouncement>(
  {
    kind: "certificate-announcement",
    ...header,
    subjects: [request("r1")],
    root: tagHash("root"),
    signers: 0b111n,
    r: parseAddress(`0x${"ab".repeat(20)}`),
    s: 2n ** 255n,
  },
  domain,
  aliceKey,
)
const endorsement = signMessage<Endorsement>(
  {
    kind: "endorsement",
    ...header,
    subjects: [request("r1"), request("r2")],
    root: tagHash("root"),
    endorsement: new Uint8Array(65).fill(4),
  },
  domain,
  aliceKey,
)
const freshQuote = signMessage<FreshQuote>(
  {
    kind: "fresh-quote",
    ...header,
    subjects: [request("r1"), request("r2")],
    root: tagHash("root"),
    evidence: new Uint8Array(300).fill(4),
  },
  domain,
  aliceKey,
)
const all: readonly GossipMessage[] = [
  ...[approval, shares, signingRequest, signatureShare, announcement],
  ...[endorsement, freshQuote],
]
const named = all.map((message) => [message.kind, message] as const)

const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const digests = hex32.map(parseDigest)
const sessionIds = hex32.map(parseSessionId)
const requestIds = fc.uniqueArray(hex32.map(parseRequestId), { minLength: 1, maxLength: 8 })
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const pairs = fc.array(bytesOf(66), { maxLength: 8 })
const headers = fc.record({
  keyId: hex32.map(parseKeyId),
  epoch: fc.integer({ min: 1, max: 2 ** 32 - 1 }).map(parseEpoch),
  party: fc.integer({ min: 1, max: 15 }).map((index) => parsePartyIndex(index, 15)),
  signature: bytesOf(65),
})
const bodies: fc.Arbitrary<object> = fc.oneof(
  fc.record({
    kind: fc.constant("approval"),
    approved: fc.uniqueArray(
      fc.record({ subject: digests, sessions: fc.array(sessionIds, { minLength: 1, maxLength: 5 }) }),
      { minLength: 1, maxLength: 8, selector: ({ subject }) => subject },
    ),
    blockNumber: fc.maxSafeNat().map(BigInt),
    blockHash: digests,
    verdict: fc.constant(1),
    commitments: pairs,
  }),
  fc.record({
    kind: fc.constant("decryption-shares"),
    shares: fc.uniqueArray(
      fc.record({
        subject: digests,
        sessionId: sessionIds,
        share: fc.integer({ min: 1, max: 4 }).chain((blocks) => bytesOf(64 * blocks)),
      }),
      { minLength: 1, maxLength: 8, selector: ({ subject, sessionId }) => subject + sessionId },
    ),
  }),
  fc.record({
    kind: fc.constant("signing-request"),
    attempt: fc.nat(),
    subjects: requestIds,
    root: digests,
    signers: fc
      .uniqueArray(fc.integer({ min: 1, max: 15 }), { minLength: 1 })
      .chain((parties) =>
        fc.tuple(
          ...parties
            .sort((a, b) => a - b)
            .map((party) => fc.record({ party: fc.constant(party), commitment: bytesOf(66) })),
        ),
      ),
  }),
  fc.record({
    kind: fc.constant("signature-share"),
    request: digests,
    share: bytesOf(32),
    commitments: pairs,
  }),
  fc.record({
    kind: fc.constant("certificate-announcement"),
    subjects: requestIds,
    root: digests,
    signers: fc.bigInt({ min: 1n, max: 2n ** 15n - 1n }),
    r: bytesOf(20).map((bytes) => parseAddress(toHex(bytes))),
    s: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  }),
  fc.record({
    kind: fc.constant("endorsement"),
    subjects: requestIds,
    root: digests,
    endorsement: bytesOf(65),
  }),
  fc.record({
    kind: fc.constant("fresh-quote"),
    subjects: requestIds,
    root: digests,
    evidence: fc.uint8Array({ minLength: 1, maxLength: 500 }),
  }),
)
const messages = fc
  .tuple(headers, bodies)
  .map(([start, body]) => ({ ...body, ...start }) as unknown as GossipMessage)

describe("encoding", () => {
  test("every message that keeps to its form survives a round trip", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = encodeMessage(message)
        expect(decodeMessage(bytes)).toEqual(message)
        expect(encodeMessage(decodeMessage(bytes))).toEqual(bytes)
      }),
    )
  })

  test.each(named)("%s survives a round trip", (_, message) => {
    const bytes = encodeMessage(message)
    expect(decodeMessage(bytes)).toEqual(message)
    expect(encodeMessage(decodeMessage(bytes))).toEqual(bytes)
  })

  test.each(named)("%s: any bytes that decode are the one encoding", (_, message) => {
    const bytes = encodeMessage(message)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const mutated = Uint8Array.from(bytes)
        mutated[at] = (mutated[at] ?? 0) ^ flip
        let decoded: GossipMessage | undefined
        if (codeOf(() => (decoded = decodeMessage(mutated))) === "none" && decoded !== undefined)
          expect(encodeMessage(decoded)).toEqual(mutated)
      }),
    )
  })

  test.each(named)("%s refuses truncation and trailing bytes", (_, message) => {
    const bytes = encodeMessage(message)
    for (const cut of [2, 10, bytes.length - 1])
      expect(codeOf(() => decodeMessage(bytes.slice(0, cut)))).not.toBe("none")
    expect(codeOf(() => decodeMessage(Uint8Array.of(...bytes, 0)))).toBe("CODEC_TRAILING")
  })

  test("unknown versions and kinds are refused", () => {
    const bytes = encodeMessage(shares)
    expect(codeOf(() => decodeMessage(new Uint8Array()))).toBe("MESSAGE_KIND")
    expect(codeOf(() => decodeMessage(Uint8Array.of(1, ...bytes.slice(1))))).toBe("MESSAGE_KIND")
    expect(codeOf(() => decodeMessage(Uint8Array.of(2, 9, ...bytes.slice(2))))).toBe("MESSAGE_KIND")
  })

  test("random bytes never raise anything but a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 8 }), (bytes, kind) => {
        codeOf(() => decodeMessage(Uint8Array.of(2, kind, ...bytes)))
      }),
    )
  })

  test("nothing above the maximum is decoded, and every largest message fits", () => {
    const large = new Uint8Array(MAX_MESSAGE_BYTES.approval + 1)
    large.set([2, 1])
    expect(codeOf(() => decodeMessage(large))).toBe("MESSAGE_FORM")
    const requests = Array.from({ length: 256 }, (_, i) => request(`r${i}`))
    const sessions = requests.slice(0, 64).map((id) => parseSessionId(id))
    const parties = Array.from({ length: 15 }, (_, i) => parsePartyIndex(i + 1, 15))
    const largest: readonly GossipMessage[] = [
      {
        ...approval,
        approved: sessions.map((_, i) => ({ subject: tagHash(`${i}`), sessions: sessions.slice(60) })),
        commitments: [1, 2, 3, 4, 5, 6, 7, 8].map(pair),
      },
      {
        ...shares,
        shares: sessions.map((sessionId, i) => ({
          ...{ subject: tagHash("subject"), sessionId },
          share: new Uint8Array(i % 2 === 0 ? 64 : 1984),
        })),
      },
      {
        ...shares,
        shares: sessions
          .slice(0, 16)
          .map((sessionId) => ({ subject: tagHash("subject"), sessionId, share: new Uint8Array(4096) })),
      },
      {
        ...signingRequest,
        subjects: requests,
        signers: parties.map((party) => ({ party, commitment: pair(1) })),
      },
      { ...signatureShare, commitments: [1, 2, 3, 4, 5, 6, 7, 8].map(pair) },
      { ...announcement, subjects: requests, signers: 2n ** 15n - 1n },
      { ...endorsement, subjects: requests },
      { ...freshQuote, subjects: requests, evidence: new Uint8Array(12_288) },
    ]
    for (const message of largest) {
      const bytes = encodeMessage(message)
      expect(bytes.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES[message.kind])
      expect(decodeMessage(bytes)).toEqual(message)
    }
  })

  const many = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)
  const shareOf = (bytes: number, label = "s") => ({
    ...{ subject: tagHash("subject"), sessionId: session(label) },
    share: new Uint8Array(bytes),
  })
  const malformed: readonly (readonly [string, GossipMessage])[] = [
    ["an approval of nothing", { ...approval, approved: [] }],
    ["an approval without sessions", { ...approval, approved: [{ subject: tagHash("s"), sessions: [] }] }],
    [
      "an approval of 65 sessions",
      { ...approval, approved: [{ subject: tagHash("s"), sessions: many(65).map(session) }] },
    ],
    [
      "an approval of 65 subjects",
      {
        ...approval,
        approved: many(65).map((label) => ({ subject: tagHash(label), sessions: [session("s")] })),
      },
    ],
    [
      "an approval of 257 sessions in all",
      {
        ...approval,
        approved: many(5).map((label, i) => ({
          subject: tagHash(label),
          sessions: many(i < 4 ? 64 : 1).map(session),
        })),
      },
    ],
    [
      "an approval that repeats a subject",
      { ...approval, approved: [...approval.approved, ...approval.approved] },
    ],
    ["an approval with nine commitments", { ...approval, commitments: many(9).map(() => pair(1)) }],
    ["an approval with a short commitment", { ...approval, commitments: [pair(1).slice(1)] }],
    ["no share", { ...shares, shares: [] }],
    ["a share of no block", { ...shares, shares: [shareOf(0)] }],
    ["a share of half a block", { ...shares, shares: [shareOf(96)] }],
    ["a share of 65 blocks", { ...shares, shares: [shareOf(65 * 64)] }],
    ["65 shares", { ...shares, shares: many(65).map((label) => shareOf(64, label)) }],
    [
      "shares of more than 64 KiB",
      { ...shares, shares: many(17).map((label, i) => shareOf(i < 16 ? 4096 : 64, label)) },
    ],
    ["a share twice", { ...shares, shares: [shareOf(64), shareOf(128)] }],
    ["a request without subjects", { ...signingRequest, subjects: [] }],
    ["a request that repeats a subject", { ...signingRequest, subjects: [request("r"), request("r")] }],
    ["a request without signers", { ...signingRequest, signers: [] }],
    [
      "a request with signers out of order",
      { ...signingRequest, signers: signingRequest.signers.toReversed() },
    ],
    [
      "a request that repeats a signer",
      { ...signingRequest, signers: [...signingRequest.signers, { party: carol, commitment: pair(1) }] },
    ],
    ["a signature share of 31 bytes", { ...signatureShare, share: new Uint8Array(31) }],
    ["a certificate of nobody", { ...announcement, signers: 0n }],
    ["a certificate with a wide s", { ...announcement, s: 2n ** 256n }],
    ["a short endorsement", { ...endorsement, endorsement: new Uint8Array(64) }],
    ["no evidence", { ...freshQuote, evidence: new Uint8Array() }],
    ["evidence of more than 12 KiB", { ...freshQuote, evidence: new Uint8Array(12_289) }],
    ["a short signature", { ...shares, signature: new Uint8Array(64) }],
  ]
  test.each(malformed)("%s is refused", (_, message) => {
    expect(codeOf(() => encodeMessage(message))).toBe("MESSAGE_FORM")
  })

  test("a certificate naming party 16 is refused", () => {
    expect(codeOf(() => encodeMessage({ ...announcement, signers: 2n ** 15n }))).toBe("COMMITTEE_BITMAP")
  })

  test("another verdict than approve does not decode", () => {
    const bytes = encodeMessage(approval)
    const verdictAt = 2 + 37 + 2 + 2 * 34 + 3 * 32 + 8 + 32
    expect(bytes[verdictAt]).toBe(1)
    bytes[verdictAt] = 0
    expect(codeOf(() => decodeMessage(bytes))).toBe("MESSAGE_FORM")
  })
})

describe("signatures", () => {
  test.each(named)("%s verifies under its party's key", (_, message) => {
    verifyMessage(message, domain, committee)
  })

  test.each(named)("%s claimed by another party is refused", (_, message) => {
    expect(codeOf(() => verifyMessage({ ...message, party: bob }, domain, committee))).toBe(
      "SIGNATURE_SIGNER",
    )
  })

  test.each(named)("%s for another key or epoch is refused", (_, message) => {
    const otherKey = { ...message, keyId: parseKeyId(tagHash("k2")) }
    expect(codeOf(() => verifyMessage(otherKey, domain, committee))).toBe("MESSAGE_COMMITTEE")
    expect(codeOf(() => verifyMessage({ ...message, epoch: parseEpoch(2) }, domain, committee))).toBe(
      "MESSAGE_COMMITTEE",
    )
  })

  test("a party outside the committee is refused", () => {
    const outside = { ...shares, party: parsePartyIndex(5, 5) }
    expect(codeOf(() => verifyMessage(outside, domain, committee))).toBe("BAD_PARTY_INDEX")
  })

  const [first, second] = approval.approved
  if (first === undefined || second === undefined) throw new Error("two subjects are approved")
  const reversed = { ...first, sessions: first.sessions.toReversed() }
  const changedShare = (change: Partial<SessionShare>): DecryptionShares => ({
    ...shares,
    shares: shares.shares.map((share, i) => (i === 0 ? { ...share, ...change } : share)),
  })
  const changes: readonly (readonly [string, GossipMessage])[] = [
    ["approval subject", { ...approval, approved: [{ ...first, subject: tagHash("x") }, second] }],
    ["approval sessions", { ...approval, approved: [{ ...first, sessions: second.sessions }, second] }],
    ["order of approval sessions", { ...approval, approved: [reversed, second] }],
    ["order of approved subjects", { ...approval, approved: [second, first] }],
    ["number of approved subjects", { ...approval, approved: [first] }],
    [
      "border between approved subjects",
      {
        ...approval,
        approved: [
          { ...first, sessions: first.sessions.slice(0, 1) },
          { ...second, sessions: [...first.sessions.slice(1), ...second.sessions] },
        ],
      },
    ],
    ["approval block", { ...approval, blockNumber: 13n }],
    ["approval block hash", { ...approval, blockHash: tagHash("x") }],
    ["approval commitments", { ...approval, commitments: [] }],
    ["share bytes", changedShare({ share: new Uint8Array(128) })],
    ["share session", changedShare({ sessionId: session("x") })],
    ["share subject", changedShare({ subject: tagHash("x") })],
    ["order of shares", { ...shares, shares: shares.shares.toReversed() }],
    ["number of shares", { ...shares, shares: shares.shares.slice(1) }],
    ["request attempt", { ...signingRequest, attempt: 2 }],
    ["request subjects", { ...signingRequest, subjects: [request("r1")] }],
    ["request root", { ...signingRequest, root: tagHash("x") }],
    ["request signers", { ...signingRequest, signers: signingRequest.signers.slice(0, 2) }],
    ["signature share", { ...signatureShare, share: new Uint8Array(32) }],
    ["signature share request", { ...signatureShare, request: tagHash("x") }],
    ["signature share commitments", { ...signatureShare, commitments: [pair(6)] }],
    ["certificate r", { ...announcement, r: parseAddress(`0x${"cd".repeat(20)}`) }],
    ["certificate s", { ...announcement, s: 1n }],
    ["certificate signers", { ...announcement, signers: 0b1011n }],
    ["certificate subjects", { ...announcement, subjects: [request("r2")] }],
    ["certificate root", { ...announcement, root: tagHash("x") }],
    ["endorsement", { ...endorsement, endorsement: new Uint8Array(65) }],
    ["endorsement subjects", { ...endorsement, subjects: [request("r1")] }],
    ["endorsement root", { ...endorsement, root: tagHash("x") }],
    ["evidence", { ...freshQuote, evidence: new Uint8Array(300) }],
    ["evidence subjects", { ...freshQuote, subjects: [request("r1")] }],
    ["evidence root", { ...freshQuote, root: tagHash("x") }],
  ]
  test.each(changes)("cover the %s", (_, message) => {
    expect(codeOf(() => verifyMessage(message, domain, committee))).toBe("SIGNATURE_SIGNER")
  })

  test("an approval is bound to the verifier contract", () => {
    const other = { ...domain, chainId: 1n }
    expect(codeOf(() => verifyMessage(approval, other, committee))).toBe("SIGNATURE_SIGNER")
  })

  test("kinds have distinct digests", () => {
    const digests = all.map((message) => messageDigest(message, domain))
    expect(new Set(digests).size).toBe(all.length)
    expect(toHex(shares.signature)).not.toBe(toHex(approval.signature))
  })
})
