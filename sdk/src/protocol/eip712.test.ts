import { TypedDataEncoder } from "ethers"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { fromHex, tagHash } from "./codec.ts"
import {
  domainSeparator,
  hashApproval,
  hashDecryptionResult,
  hashDiscard,
  hashEndorsedBatch,
  hashInputAttestation,
  hashKeyActivation,
  hashRegistration,
  hashResultBatch,
  hashUserDecryptionPermit,
  TYPE_STRINGS,
  typedDigest,
  walletDomain,
  walletTypes,
} from "./eip712.ts"
import {
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseRequestId,
  parseSessionId,
} from "./ids.ts"

const digest = (label: string) => tagHash(label)
const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`)
const domain = { chainId: 31337n, verifyingContract: address("f") }
const keyId = parseKeyId(digest("key"))
const epoch = parseEpoch(3)
const handles = ["h1", "h2"].map((label) => parseHandle(digest(label)))
const sessions = ["s1", "s2"].map((label) => parseSessionId(digest(label)))

const batch = { keyId, epoch, signers: 0b1011n, root: digest("root"), leaves: 2 }
const endorsed = { keyId, epoch, root: digest("root"), leaves: 2 }
const result = {
  chainId: 31337n,
  gateway: address("a"),
  requestId: parseRequestId(digest("request")),
  handles,
  sessions,
  plaintexts: fromHex(`0x${"00".repeat(31)}07${"00".repeat(31)}09`),
}
const activation = {
  keyId,
  epoch,
  publicKeyDigest: digest("pk"),
  serverKeyDigest: digest("sk"),
  crsDigest: digest("crs"),
  transcriptDigest: digest("transcript"),
  groupX: 2n ** 255n + 5n,
  groupV: 28,
}
const discard = { keyId }
const registration = {
  operator: address("b"),
  role: 2,
  signer: address("c"),
  peerIdHash: digest("peer"),
  configHash: digest("config"),
  challengeBlock: 2n ** 63n,
}
const session = (label: string) => parseSessionId(digest(label))
const approval = {
  keyId,
  epoch,
  approved: [
    { subject: digest("subject"), sessions: [session("one"), session("two")] },
    { subject: digest("other"), sessions: [session("three")] },
  ],
  blockNumber: 77n,
  blockHash: digest("block"),
  verdict: 1,
  commitments: digest("commitments"),
}
const permit = {
  user: address("d"),
  transportKeyHash: digest("transport"),
  contracts: [address("1"), address("2")],
  notBefore: 1n,
  notAfter: 2n ** 40n,
  nonce: 5n,
  chainId: 31337n,
  extra: Uint8Array.of(1, 2, 3),
}
const attestation = {
  keyId,
  coprocessor: address("3"),
  contractAddress: address("4"),
  user: address("d"),
  listDigest: digest("list"),
  handles,
}

const cases = [
  ["ResultBatch", TYPE_STRINGS.resultBatch, batch, hashResultBatch(batch)],
  ["EndorsedBatch", TYPE_STRINGS.endorsedBatch, endorsed, hashEndorsedBatch(endorsed)],
  ["DecryptionResult", TYPE_STRINGS.decryptionResult, result, hashDecryptionResult(result)],
  ["KeyActivation", TYPE_STRINGS.keyActivation, activation, hashKeyActivation(activation)],
  ["Discard", TYPE_STRINGS.discard, discard, hashDiscard(discard)],
  ["Registration", TYPE_STRINGS.registration, registration, hashRegistration(registration)],
  ["Approval", TYPE_STRINGS.approval, approval, hashApproval(approval)],
  ["UserDecryptionPermit", TYPE_STRINGS.userDecryptionPermit, permit, hashUserDecryptionPermit(permit)],
  ["InputAttestation", TYPE_STRINGS.inputAttestation, attestation, hashInputAttestation(attestation)],
] as const

describe("EIP-712", () => {
  test.each(cases)("%s hashes as ethers hashes it", (name, type, value, hash) => {
    const encoder = TypedDataEncoder.from(walletTypes(type))
    expect(encoder.primaryType).toBe(name)
    expect(encoder.encodeType(name)).toBe(type)
    expect(hash).toBe(encoder.hash(value))
    expect(typedDigest(domain, hash)).toBe(
      TypedDataEncoder.hash(walletDomain(domain), walletTypes(type), value),
    )
  })

  test("all types have distinct hashes", () => {
    expect(new Set(cases.map(([, , , hash]) => hash)).size).toBe(cases.length)
  })

  test("the domain separator is that of ethers and depends on chain and contract", () => {
    expect(domainSeparator(domain)).toBe(TypedDataEncoder.hashDomain(walletDomain(domain)))
    expect(domainSeparator({ ...domain, chainId: 1n })).not.toBe(domainSeparator(domain))
    expect(domainSeparator({ ...domain, verifyingContract: address("e") })).not.toBe(domainSeparator(domain))
  })

  test("empty lists and bytes hash as ethers hashes them", () => {
    const empty = { ...permit, contracts: [], extra: new Uint8Array() }
    expect(hashUserDecryptionPermit(empty)).toBe(
      TypedDataEncoder.from(walletTypes(TYPE_STRINGS.userDecryptionPermit)).hash(empty),
    )
  })

  test("values wider than their type are refused", () => {
    const refused = [
      () => hashResultBatch({ ...batch, leaves: 2 ** 32 }),
      () => hashResultBatch({ ...batch, leaves: 1.5 }),
      () => hashEndorsedBatch({ ...endorsed, leaves: -1 }),
      () => hashKeyActivation({ ...activation, groupV: 256 }),
      () => hashRegistration({ ...registration, role: -1 }),
      () => hashRegistration({ ...registration, challengeBlock: 2n ** 64n }),
      () => hashApproval({ ...approval, blockNumber: 2n ** 64n }),
      () => hashApproval({ ...approval, verdict: 300 }),
      () => hashUserDecryptionPermit({ ...permit, notAfter: 2n ** 64n }),
      () => hashUserDecryptionPermit({ ...permit, notBefore: -1n }),
    ]
    for (const run of refused) expect(codeOf(run)).toBe("EIP712_RANGE")
  })

  test("a change of any field changes the hash", () => {
    const other = parseDigest(`0x${"55".repeat(32)}`)
    const base = hashApproval(approval)
    for (const change of [
      { approved: approval.approved.slice(1) },
      { approved: approval.approved.toReversed() },
      { approved: [{ subject: other, sessions: [] }] },
      { blockNumber: 78n },
      { blockHash: other },
      { verdict: 0 },
      { commitments: other },
      { epoch: parseEpoch(4) },
      { keyId: parseKeyId(other) },
    ])
      expect(hashApproval({ ...approval, ...change })).not.toBe(base)
  })
})
