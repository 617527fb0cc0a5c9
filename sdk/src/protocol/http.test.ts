import { AbiCoder, id, keccak256 } from "ethers"
import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import type { Certified } from "./certificate.ts"
import { tagHash, toHex } from "./codec.ts"
import {
  batchCertificateFromBody,
  batchCertificateToBody,
  blobPutDigest,
  certificateFromBody,
  certificateToBody,
  certifiedFromBody,
  certifiedToBody,
  endorsedCertificateFromBody,
  endorsedCertificateToBody,
  permitFromBody,
  permitToBody,
  policyEvidenceFromBody,
  policyEvidenceToBody,
  resultFromBody,
  resultToBody,
} from "./http.ts"
import { parseAddress, parseEpoch, parseHandle, parseKeyId, parseRequestId, parseSessionId } from "./ids.ts"

const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`)
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const permit = {
  user: address("d"),
  transportKeyHash: tagHash("transport"),
  contracts: [address("1"), address("2")],
  notBefore: 1n,
  notAfter: 2n ** 40n,
  nonce: 2n ** 255n,
  chainId: 31337n,
  extra: Uint8Array.of(1, 2, 3),
}
const result = {
  chainId: 31337n,
  gateway: address("a"),
  requestId: parseRequestId(tagHash("r")),
  handles: [parseHandle(tagHash("h"))],
  sessions: [parseSessionId(tagHash("s"))],
  plaintexts: new Uint8Array(32).fill(3),
}
const certificate = {
  keyId: parseKeyId(tagHash("k")),
  epoch: parseEpoch(1),
  signers: 7n,
  leaves: 2,
  index: 1,
  path: [tagHash("sibling")],
  r: address("b"),
  s: 2n ** 255n + 1n,
}

test("permits, results and certificates survive JSON", () => {
  expect(permitFromBody(throughJson(permitToBody(permit)))).toEqual(permit)
  expect(resultFromBody(throughJson(resultToBody(result)))).toEqual(result)
  expect(certificateFromBody(throughJson(certificateToBody(certificate)))).toEqual(certificate)
})

const signature = new Uint8Array(64).fill(7)
const endorsedCertificate = {
  keyId: certificate.keyId,
  epoch: certificate.epoch,
  signers: 7n,
  leaves: 2,
  index: 1,
  path: certificate.path,
  signatures: [signature, signature, signature],
}
const evidence = {
  endorsers: 3n,
  signatures: [signature, signature],
  quotes: [
    {
      party: 2,
      evidence: {
        quote: Uint8Array.of(1),
        auth: Uint8Array.of(2),
        pckLeaf: Uint8Array.of(3),
        caId: tagHash("ca"),
        configDocument: new Uint8Array(),
      },
    },
  ],
}

test("every kind of certified result survives JSON", () => {
  const { keyId, epoch, signers, r, s } = certificate
  const batch = { keyId, epoch, signers, r, s }
  expect(batchCertificateFromBody(throughJson(batchCertificateToBody(batch)))).toEqual(batch)
  expect(Object.keys(batchCertificateToBody(certificate))).toEqual(Object.keys(batch))
  for (const certified of [
    { kind: "group", result, certificate },
    { kind: "endorsed", result, certificate: endorsedCertificate },
    { kind: "policy", result, certificate, evidence },
  ] as const satisfies readonly Certified[])
    expect(certifiedFromBody(throughJson(certifiedToBody(certified)))).toEqual(certified)
})

test.each([63, 65])("a signature of %i bytes is refused", (length) => {
  const signatures = [toHex(new Uint8Array(length))]
  const endorsed = { ...endorsedCertificateToBody(endorsedCertificate), signatures }
  expect(codeOf(() => endorsedCertificateFromBody(endorsed))).toBe("HTTP_FORM")
  const brought = { ...policyEvidenceToBody(evidence), signatures }
  expect(codeOf(() => policyEvidenceFromBody(brought))).toBe("HTTP_FORM")
})

test.each(["", "-1", "01", "1.5", "0x10", " 1", "1n", "9".repeat(79)])("%j is no decimal", (nonce) => {
  expect(codeOf(() => permitFromBody({ ...permitToBody(permit), nonce }))).toBe("HTTP_FORM")
})

test.each([-1, 1.5, Number.NaN])("%d leaves are refused", (leaves) => {
  expect(codeOf(() => certificateFromBody({ ...certificateToBody(certificate), leaves }))).toBe("HTTP_FORM")
})

test("a blob upload is signed over digest and size", () => {
  const abi = AbiCoder.defaultAbiCoder()
  expect(blobPutDigest(tagHash("blob"), 77)).toBe(
    keccak256(
      abi.encode(["bytes32", "bytes32", "uint256"], [id("twinlock/blob-put/v1"), tagHash("blob"), 77]),
    ),
  )
})
