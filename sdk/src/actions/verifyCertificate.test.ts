import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { certify, resultOf } from "../../../test/support/fakeCertificate.ts"
import type { FakeAnswers } from "../../../test/support/fakeChain.ts"
import {
  commitmentEvents,
  commitmentOf,
  fakeClient,
  healthyAnswers,
} from "../../../test/support/fakeNetwork.ts"
import type { Certificate } from "../protocol/certificate.ts"
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
