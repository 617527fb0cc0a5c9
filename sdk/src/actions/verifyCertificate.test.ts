import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { certify, endorse, endorsements, resultOf } from "../../../test/support/fakeCertificate.ts"
import type { FakeAnswers } from "../../../test/support/fakeChain.ts"
import {
  commitmentEvents,
  commitmentOf,
  fakeClient,
  healthyAnswers,
  requestRecord,
} from "../../../test/support/fakeNetwork.ts"
import {
  type AcceptancePolicy,
  type Certificate,
  type Certified,
  type EndorsedCertificate,
  type PolicyEvidence,
  STANDING_POLICY,
} from "../protocol/certificate.ts"
import { tagHash } from "../protocol/codec.ts"
import type { DecryptionResult } from "../protocol/eip712.ts"
import { parseAddress, parseEpoch, parseRequestId, parseSessionId } from "../protocol/ids.ts"
import { verifyCertificate } from "./verifyCertificate.ts"

const tally = commitmentOf("tally", 3)
const passed = commitmentOf("passed", 0)
const ciphertexts = [tally, passed]
const requestId = parseRequestId(tagHash("request"))
const result = resultOf(requestId, [
  [tally, 777n],
  [passed, 1n],
])
const [certificate] = certify([result]) as [Certificate]
const events = commitmentEvents(ciphertexts)

const verify = (
  change: { readonly result?: Partial<DecryptionResult>; readonly certificate?: Partial<Certificate> } = {},
  answers: FakeAnswers = {},
) => {
  const client = fakeClient({ answers: { ...healthyAnswers(ciphertexts), ...answers }, events }, {})
  return verifyCertificate(client, {
    kind: "group",
    result: { ...result, ...change.result },
    certificate: { ...certificate, ...change.certificate },
  })
}
const refusal = (...args: Parameters<typeof verify>) => rejectionCodeOf(() => verify(...args))

describe("a good certificate", () => {
  test("gives the values of the handles", async () => {
    expect(await verify()).toEqual([
      { handle: tally.handle, type: "uint16", value: 777n },
      { handle: passed.handle, type: "bool", value: true },
    ])
  })

  test("may be of a batch, by any quorum", async () => {
    const others = [1, 2].map((i) => resultOf(parseRequestId(tagHash(`r${i}`)), [[tally, BigInt(i)]]))
    for (const signers of [
      [1, 2, 4],
      [1, 2, 3, 4],
    ]) {
      const batch = [...others, result]
      const own = certify(batch, signers)[2]
      if (own === undefined) throw new Error("no certificate")
      expect(await verify({ certificate: own })).toHaveLength(2)
      expect(await refusal({ certificate: { ...own, index: 1 } })).toBe("CERTIFICATE_SIGNATURE")
    }
  })
})

describe("is refused", () => {
  const word = (value: number) => Uint8Array.of(...new Array(31).fill(0), value)

  test("with an altered plaintext", async () => {
    const plaintexts = Uint8Array.of(...word(9), ...word(1))
    expect(await refusal({ result: { plaintexts } })).toBe("CERTIFICATE_SIGNATURE")
  })

  test("with another signature, bitmap, request or batch size", async () => {
    const { s } = certificate
    const bad = "CERTIFICATE_SIGNATURE"
    expect(await refusal({ certificate: { s: s + 1n } })).toBe(bad)
    expect(await refusal({ certificate: { r: parseAddress(`0x${"1".repeat(40)}`) } })).toBe(bad)
    expect(await refusal({ certificate: { signers: 0b1011n } })).toBe(bad)
    expect(await refusal({ result: { requestId: parseRequestId(tagHash("other")) } })).toBe(bad)
    const header: FakeAnswers = {
      "decryptionVerifier.headerOf": () => [[5n, 27, 4, 3, result.gateway]],
    }
    expect(await refusal({}, header)).toBe(bad)
  })

  test("for another chain or gateway", async () => {
    const other = parseAddress(`0x${"9".repeat(40)}`)
    expect(await refusal({ result: { chainId: 1n } })).toBe("CERTIFICATE_NETWORK")
    expect(await refusal({ result: { gateway: other } })).toBe("CERTIFICATE_NETWORK")
    const header = healthyAnswers()["decryptionVerifier.headerOf"]?.()?.[0] as readonly unknown[]
    const answers: FakeAnswers = {
      "decryptionVerifier.headerOf": () => [[...header.slice(0, 4), other]],
    }
    expect(await refusal({}, answers)).toBe("CERTIFICATE_NETWORK")
  })

  test("with too few signers or one outside the committee", async () => {
    expect(await refusal({ certificate: { signers: 0b11n } })).toBe("CERTIFICATE_SIGNERS")
    expect(await refusal({ certificate: { signers: 0b10111n } })).toBe("CERTIFICATE_SIGNERS")
  })

  test("with a place that its batch does not have", async () => {
    for (const place of [{ index: 1 }, { leaves: 2 }, { leaves: 0 }, { path: [tagHash("x")] }])
      expect(await refusal({ certificate: place })).toBe("CERTIFICATE_PLACE")
  })

  test("where a named signer has no standing any more", async () => {
    const expiryOf = (_: string | undefined, __: string | undefined, party: string | undefined) => [
      party === "2" ? 1_000_000 : 2_000_000,
    ]
    expect(await refusal({}, { "decryptionVerifier.expiryOf": expiryOf })).toBe("CERTIFICATE_SIGNER_NOT_LIVE")
    const unnamed = (_: string | undefined, __: string | undefined, party: string | undefined) => [
      party === "4" ? 0 : 2_000_000,
    ]
    expect(await refusal({}, { "decryptionVerifier.expiryOf": unnamed })).toBe("none")
  })

  test("for an epoch that the verifier does not have", async () => {
    const none: FakeAnswers = {
      "decryptionVerifier.headerOf": () => [[0n, 0, 0, 0, `0x${"0".repeat(40)}`]],
    }
    expect(await refusal({ certificate: { epoch: parseEpoch(2) } }, none)).toBe("EPOCH_UNKNOWN")
  })

  test("where the words do not fit the handles", async () => {
    const bad = "CERTIFICATE_SHAPE"
    expect(await refusal({ result: { plaintexts: new Uint8Array(32) } })).toBe(bad)
    expect(await refusal({ result: { sessions: result.sessions.slice(1) } })).toBe(bad)
    expect(await refusal({ result: { handles: [], sessions: [], plaintexts: new Uint8Array() } })).toBe(bad)
    expect(await refusal({ result: { plaintexts: Uint8Array.of(...word(9), ...word(2)) } })).toBe(bad)
  })

  test("where the sessions are of other ciphertexts than the committed ones", async () => {
    const foreign = { ...result, sessions: [parseSessionId(tagHash("x")), parseSessionId(tagHash("y"))] }
    const [own] = certify([foreign])
    if (own === undefined) throw new Error("no certificate")
    expect(await refusal({ result: foreign, certificate: own })).toBe("CERTIFICATE_SESSION")
    const frozen: FakeAnswers = { "ciphertextCommitments.finalOf": () => [tagHash("leaf"), true] }
    expect(await refusal({}, frozen)).toBe("COMMITMENT_FROZEN")
  })
})

describe("the request itself", () => {
  const group: Certified = { kind: "group", result, certificate }
  const asked = (status: number, handles = result.handles): FakeAnswers => ({
    "decryptionGateway.requestOf": () => [requestRecord({ status, handles })],
  })

  test("must be known", async () => {
    expect(await check(group, asked(0))).toBe("REQUEST_UNKNOWN")
  })

  test("must not be cancelled; what is stored after a refund is a result too", async () => {
    expect(await check(group, asked(2))).toBe("REQUEST_CLOSED")
    for (const status of [1, 3, 4, 5, 6]) expect(await check(group, asked(status))).toBe("none")
  })

  test("asked for these handles, in this order", async () => {
    const code = "CERTIFICATE_HANDLES"
    expect(await check(group, asked(1, [tally.handle]))).toBe(code)
    expect(await check(group, asked(1, [passed.handle, tally.handle]))).toBe(code)
  })
})

const demanding = (policy: AcceptancePolicy): FakeAnswers => ({
  "decryptionGateway.requestOf": () => [requestRecord({ policy, handles: result.handles })],
})
const check = (certified: Certified, answers: FakeAnswers = {}) =>
  rejectionCodeOf(() => {
    const client = fakeClient({ answers: { ...healthyAnswers(ciphertexts), ...answers }, events }, {})
    return verifyCertificate(client, certified)
  })
const dead: FakeAnswers = {
  "decryptionVerifier.expiryOf": (_, __, party) => [party === "4" ? 0 : 2_000_000],
}
const quote = {
  party: 2,
  evidence: {
    quote: Uint8Array.of(1),
    auth: Uint8Array.of(2),
    pckLeaf: Uint8Array.of(3),
    caId: tagHash("ca"),
    configDocument: new Uint8Array(),
  },
}

describe("endorsements of a quorum", () => {
  const [own] = endorse([result]) as [EndorsedCertificate]
  const endorsed = (change: Partial<EndorsedCertificate> = {}): Certified => ({
    kind: "endorsed",
    result,
    certificate: { ...own, ...change },
  })

  test("give the values too, of a batch as well", async () => {
    expect(await check(endorsed())).toBe("none")
    const other = resultOf(parseRequestId(tagHash("r1")), [[tally, 1n]])
    const certificate = endorse([other, result], [1, 2, 3, 4])[1] as EndorsedCertificate
    expect(await check({ kind: "endorsed", result, certificate })).toBe("none")
  })

  test("are one for each party, in order, of its own seat, over this result", async () => {
    const [first, second, third] = own.signatures as [Uint8Array, Uint8Array, Uint8Array]
    const bad = "CERTIFICATE_SIGNATURE"
    expect(await check(endorsed({ signatures: [first, second] }))).toBe(bad)
    expect(await check(endorsed({ signatures: [first, second, second] }))).toBe(bad)
    expect(await check(endorsed({ signatures: [first, third, second] }))).toBe(bad)
    expect(await check(endorsed({ signatures: [first, second, third.subarray(1)] }))).toBe(bad)
    expect(await check(endorsed({ signers: 0b1011n }))).toBe(bad)
    const foreign = resultOf(requestId, [
      [tally, 778n],
      [passed, 1n],
    ])
    expect(await check(endorsed({ signatures: endorsements([foreign], [1, 2, 3]) }))).toBe(bad)
  })

  test("are of enough parties, of the committee, all live", async () => {
    const [two] = endorse([result], [1, 2]) as [EndorsedCertificate]
    expect(await check(endorsed(two))).toBe("CERTIFICATE_SIGNERS")
    expect(await check(endorsed({ signers: 0b10111n }))).toBe("CERTIFICATE_SIGNERS")
    const [last] = endorse([result], [2, 3, 4]) as [EndorsedCertificate]
    expect(await check(endorsed(last), dead)).toBe("CERTIFICATE_SIGNER_NOT_LIVE")
    expect(await check(endorsed(), dead)).toBe("none")
  })

  test("are not what a request for the group alone, or for more, demands", async () => {
    const code = "CERTIFICATE_POLICY"
    for (const change of [{ groupOnly: true }, { endorsements: 1 }, { freshQuotes: 1 }])
      expect(await check(endorsed(), demanding({ ...STANDING_POLICY, ...change }))).toBe(code)
  })
})

describe("what a requester demands", () => {
  const bringing = (evidence: Partial<PolicyEvidence>): Certified => ({
    kind: "policy",
    result,
    certificate,
    evidence: { endorsers: 0n, signatures: [], quotes: [], ...evidence },
  })
  const two = { endorsers: 0b1001n, signatures: endorsements([result], [1, 4]) }

  test("is more than the group signature", async () => {
    const group: Certified = { kind: "group", result, certificate }
    expect(await check(group, demanding({ ...STANDING_POLICY, groupOnly: true }))).toBe("none")
    for (const change of [{ endorsements: 1 }, { freshQuotes: 1 }])
      expect(await check(group, demanding({ ...STANDING_POLICY, ...change }))).toBe("CERTIFICATE_POLICY")
  })

  test("is met by as many endorsements of live seats", async () => {
    const policy = { endorsements: 2, freshQuotes: 0, groupOnly: false }
    expect(await check(bringing(two), demanding(policy))).toBe("none")
    expect(await check(bringing(two), demanding({ ...policy, endorsements: 3 }))).toBe("CERTIFICATE_POLICY")
    expect(await check(bringing(two), { ...demanding(policy), ...dead })).toBe("CERTIFICATE_SIGNER_NOT_LIVE")
    const swapped = { ...two, endorsers: 0b0101n }
    expect(await check(bringing(swapped), demanding(policy))).toBe("CERTIFICATE_SIGNATURE")
  })

  test("does not replace the group signature", async () => {
    const unsigned = { ...bringing(two), certificate: { ...certificate, s: certificate.s + 1n } } as Certified
    expect(await check(unsigned)).toBe("CERTIFICATE_SIGNATURE")
  })

  test("fresh quotes are judged by the contract", async () => {
    const policy = demanding({ endorsements: 0, freshQuotes: 1, groupOnly: false })
    const accepting: FakeAnswers = { ...policy, "decryptionVerifier.verifyWith": () => [] }
    const refusing: FakeAnswers = { ...policy, "decryptionVerifier.verifyWith": () => null }
    expect(await check(bringing({ quotes: [quote] }), accepting)).toBe("none")
    expect(await check(bringing({ quotes: [quote] }), refusing)).toBe("CERTIFICATE_POLICY")
    expect(await check(bringing({}), accepting)).toBe("CERTIFICATE_POLICY")
  })
})
