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
  DecryptionShare,
  GossipMessage,
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
const header = { keyId, epoch, party: alice }

const approval = signMessage<Approval>(
  {
    kind: "approval",
    ...header,
    subject: parseDigest(tagHash("subject")),
    sessions: [parseSessionId(tagHash("s1")), parseSessionId(tagHash("s2"))],
    blockNumber: 12n,
    blockHash: tagHash("block"),
    verdict: 1,
    commitments: [pair(2), pair(3)],
  },
  domain,
  aliceKey,
)
const share = signMessage<DecryptionShare>(
  {
    kind: "decryption-share",
    ...header,
    subject: tagHash("subject"),
    sessionId: parseSessionId(tagHash("s1")),
    share: new Uint8Array(128).fill(9),
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
const all: readonly GossipMessage[] = [approval, share, signingRequest, signatureShare, announcement]
const named = all.map((message) => [message.kind, message] as const)

describe("encoding", () => {
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
    const bytes = encodeMessage(share)
    expect(codeOf(() => decodeMessage(new Uint8Array()))).toBe("MESSAGE_KIND")
    expect(codeOf(() => decodeMessage(Uint8Array.of(2, ...bytes.slice(1))))).toBe("MESSAGE_KIND")
    expect(codeOf(() => decodeMessage(Uint8Array.of(1, 9, ...bytes.slice(2))))).toBe("MESSAGE_KIND")
  })

  test("random bytes never raise anything but a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 6 }), (bytes, kind) => {
        codeOf(() => decodeMessage(Uint8Array.of(1, kind, ...bytes)))
      }),
    )
  })

  test("nothing above the maximum is decoded, and every largest message fits", () => {
    const large = new Uint8Array(MAX_MESSAGE_BYTES.approval + 1)
    large.set([1, 1])
    expect(codeOf(() => decodeMessage(large))).toBe("MESSAGE_FORM")
    const requests = Array.from({ length: 256 }, (_, i) => request(`r${i}`))
    const parties = Array.from({ length: 15 }, (_, i) => parsePartyIndex(i + 1, 15))
    const largest: readonly GossipMessage[] = [
      {
        ...approval,
        sessions: requests.slice(0, 64).map((id) => parseSessionId(id)),
        commitments: [1, 2, 3, 4].map(pair),
      },
      { ...share, share: new Uint8Array(4096) },
      {
        ...signingRequest,
        subjects: requests,
        signers: parties.map((party) => ({ party, commitment: pair(1) })),
      },
      { ...signatureShare, commitments: [1, 2, 3, 4].map(pair) },
      { ...announcement, subjects: requests, signers: 2n ** 15n - 1n },
    ]
    for (const message of largest) {
      const bytes = encodeMessage(message)
      expect(bytes.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES[message.kind])
      expect(decodeMessage(bytes)).toEqual(message)
    }
  })

  const malformed: readonly (readonly [string, GossipMessage])[] = [
    ["an approval without sessions", { ...approval, sessions: [] }],
    ["an approval with five commitments", { ...approval, commitments: [1, 2, 3, 4, 5].map(pair) }],
    ["an approval with a short commitment", { ...approval, commitments: [pair(1).slice(1)] }],
    ["a share of no block", { ...share, share: new Uint8Array() }],
    ["a share of half a block", { ...share, share: new Uint8Array(96) }],
    ["a share of 65 blocks", { ...share, share: new Uint8Array(65 * 64) }],
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
    ["a short signature", { ...share, signature: new Uint8Array(64) }],
  ]
  test.each(malformed)("%s is refused", (_, message) => {
    expect(codeOf(() => encodeMessage(message))).toBe("MESSAGE_FORM")
  })

  test("a certificate naming party 16 is refused", () => {
    expect(codeOf(() => encodeMessage({ ...announcement, signers: 2n ** 15n }))).toBe("COMMITTEE_BITMAP")
  })

  test("another verdict than approve does not decode", () => {
    const bytes = encodeMessage(approval)
    const verdictAt = 2 + 37 + 32 + 2 + 64 + 8 + 32
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
    const outside = { ...share, party: parsePartyIndex(5, 5) }
    expect(codeOf(() => verifyMessage(outside, domain, committee))).toBe("BAD_PARTY_INDEX")
  })

  const changes: readonly (readonly [string, GossipMessage])[] = [
    ["approval subject", { ...approval, subject: tagHash("x") }],
    ["approval sessions", { ...approval, sessions: approval.sessions.toReversed() }],
    ["approval block", { ...approval, blockNumber: 13n }],
    ["approval block hash", { ...approval, blockHash: tagHash("x") }],
    ["approval commitments", { ...approval, commitments: [] }],
    ["share bytes", { ...share, share: new Uint8Array(128) }],
    ["share session", { ...share, sessionId: parseSessionId(tagHash("x")) }],
    ["share subject", { ...share, subject: tagHash("x") }],
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
    expect(toHex(share.signature)).not.toBe(toHex(approval.signature))
  })
})
